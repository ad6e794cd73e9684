"""Readers: each turns one source of truth into values of `sigcheck.core`. They never import one another."""
