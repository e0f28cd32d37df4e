"""Calls of language models: bounded, priced, reserved, cut at the deadline, settled."""
