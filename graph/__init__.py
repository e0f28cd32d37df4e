"""Which node follows which, and the agent that comes of it."""
