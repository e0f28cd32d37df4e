"""Lets a process of its own take the fake provider's address for one of OpenAI's, as
`tests/conftest.py` does. Python imports it where this folder is on its path."""

from thrifty.models.costs import input_bound

input_bound.OPENAI_HOSTS = (*input_bound.OPENAI_HOSTS, ".127.0.0.1")
