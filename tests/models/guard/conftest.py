"""What the tests of agents with tools have in common."""

import logging

import pytest

from tests.models.guard.looked_up import made


@pytest.fixture
def nothing_made():
    """No tool was called yet, and LangChain does not log the calls that are refused."""
    made.clear()
    logging.getLogger("langchain_core").setLevel("ERROR")
    yield
    logging.getLogger("langchain_core").setLevel("NOTSET")
