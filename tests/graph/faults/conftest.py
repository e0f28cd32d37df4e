"""A catalog of steps that an executor of ours does, beside the agents of `tests/graph`."""

import pytest

from tests.cli.conftest import invoke
from thrifty import Result, Spend, Step, StepOption

__all__ = ["invoke"]


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Where the command line keeps the runs of a test."""
    monkeypatch.setenv("THRIFTY_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


THREAD = {"configurable": {"thread_id": "t"}}
RUN = "run:local/thread=t/run=1"
ASKED = {"task": "Plan a tea party", "budget": {"max_tokens": 1_000}}
TOKENS = 5
"""What `answer` uses of each step's 10."""


def catalog(names: str = "AB") -> list[Step]:
    """Steps of one option each, worth less and less."""
    return [
        Step(name, (StepOption(name, name, "mine", f"does {name}", Spend(10, 0, 9, 1), 9.0 - i),))
        for i, name in enumerate(names)
    ]


def answer(work: object) -> Result:
    return Result("text", spend=Spend(TOKENS, 0, 0, 1))
