"""The one door to language models: bounded, priced, reserved, cut at the deadline, settled."""
