"""Steers a run after each step: what bills say of the rest, and whether to plan it anew."""
