"""The only truth of what was reserved and spent."""
