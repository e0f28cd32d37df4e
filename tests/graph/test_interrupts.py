"""A Ctrl-C at any moment leaves no run locked, for this process or for another."""

import gc
import sys

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from tests.graph.conftest import TASK
from thrifty import MemoryLedger, Result, Settings, Spend, Step, StepOption, create_budget_agent
from thrifty.graph import agent as agent_module
from thrifty.graph import leases
from thrifty.ledger import active_runs, owner

WATCHED = {module.__file__ for module in (active_runs, agent_module, leases, owner)}
ASKED = {"task": TASK, "budget": {"max_tokens": 100}}


class Interrupter:
    """Interrupts the program at one of the lines that it comes to in some files."""

    def __init__(self, at: int) -> None:
        self.at, self.lines = at, 0

    def __call__(self, frame, event, argument):
        if frame.f_code.co_filename not in WATCHED:
            return None
        if event == "line":
            self.lines += 1
            if self.lines == self.at:
                raise KeyboardInterrupt
        return self


@pytest.fixture
def agent_on():
    option = StepOption("A", "A", "mine", "does A", Spend(10, 0, 9, 1), 5.0)

    def make(ledger):
        return create_budget_agent(
            settings=Settings(),
            ledger=ledger,
            catalog=[Step("A", (option,))],
            executors={"mine": lambda work: Result("text", spend=Spend(10, 0, 0, 1))},
            checkpointer=InMemorySaver(),
        )

    return make


def interrupt(agent, config, at):
    """Whether there was such a moment in a run."""
    before = sys.gettrace()
    sys.settrace(Interrupter(at))
    try:
        agent.invoke(ASKED, config)
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False


@pytest.mark.long
def test_an_interrupt_at_any_line_leaves_no_lease(agent_on):
    at, taken, known = 0, 0, set()
    agent = agent_on(ledger := MemoryLedger())
    is_interrupted = True
    while is_interrupted:
        at += 1
        config = {"configurable": {"thread_id": f"thread {at}"}}
        is_interrupted = interrupt(agent, config, at)
        runs = {account.name for account in ledger.accounts()} - known
        known |= runs
        for run in runs:
            assert ledger.owner_of(run) == "", f"interrupted at line {at}"
        taken += bool(runs)
        gc.collect(0)
        result = agent.invoke(None if agent.get_state(config).next else ASKED, config)
        # What may have been done before it was interrupted is not done again.
        assert result["status"] == "done" or "left nothing" in str(result["receipt"])
    assert taken > 50
    runs = agent.services.runs
    assert not runs._claims
    assert not runs._active
