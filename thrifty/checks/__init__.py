"""Checks of results: which there are, what they say, and what that means for a plan."""
