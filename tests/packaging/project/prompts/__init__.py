"""The project's own prompts."""

SIGNATURE = "WRITTEN FOR US"
