"""Iluvatar GPUs."""
