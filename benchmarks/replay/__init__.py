"""Replays of executed plans: which to choose under a budget, from earlier bills alone."""
