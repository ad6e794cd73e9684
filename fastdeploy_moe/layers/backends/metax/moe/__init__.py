"""The mixture of experts on MetaX GPUs."""
