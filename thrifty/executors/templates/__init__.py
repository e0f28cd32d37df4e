"""The Markdown that the local executor fills."""
