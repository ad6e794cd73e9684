"""The mixture of experts on Enflame GCUs."""
