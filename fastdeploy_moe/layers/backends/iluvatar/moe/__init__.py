"""The mixture of experts on Iluvatar GPUs."""
