"""Writes project proposals with no model: what the executor `local` does."""
