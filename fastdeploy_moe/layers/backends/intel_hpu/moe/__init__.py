"""The mixture of experts on Intel Gaudi."""
