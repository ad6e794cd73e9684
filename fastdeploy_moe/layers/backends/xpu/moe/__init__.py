"""The mixture of experts on Kunlunxin XPUs."""
