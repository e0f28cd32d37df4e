"""Choosing what to do: a problem in, a plan out; pure functions over frozen data."""
