"""The mixture of experts on Hygon DCUs."""
