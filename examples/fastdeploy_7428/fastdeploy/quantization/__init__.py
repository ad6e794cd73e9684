"""Quantised backends."""
