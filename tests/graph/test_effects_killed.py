"""A process that is killed while it has an effect: nobody knows whether it had, and says so."""

import signal
import subprocess
import sys

import pytest
from langgraph.types import Command

from tests.graph.conftest import receipt_of
from tests.graph.mailing import ASKED, THREAD, mailing, sent_in
from tests.long_cases import long_but

MOMENTS = {"before": [], "after": ["mail"]}


def kill(folder, moment, asks="asks"):
    """Starts a run in a process of its own, which is killed as it sends."""
    command = [sys.executable, "-m", "tests.graph.mailing", str(folder), moment, asks]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr


@pytest.mark.parametrize("moment", long_but(MOMENTS, "after"))
def test_a_person_is_asked_what_became_of_it(tmp_path, moment):
    kill(tmp_path, moment)
    with mailing(tmp_path) as agent:
        (asked,) = agent.invoke(None, THREAD)["__interrupt__"]
        assert asked.value["about"] == "effect"
        assert asked.value["reason"] == "it was called, and nobody knows whether it happened"
        assert sent_in(tmp_path) == MOMENTS[moment]
        answer = "done" if MOMENTS[moment] else "again"
        result = agent.invoke(Command(resume=answer), THREAD)
        assert result["draft"] == ("## Mail\n\nDone." if MOMENTS[moment] else "## Mail\n\nSent.")
        assert sent_in(tmp_path) == ["mail"]
        # And nobody is asked a second time, nor is it sent.
        for state in list(agent.get_state_history(THREAD)):
            if state.next in [("route",), ("plan",), ("run_local",)]:
                assert agent.invoke(None, state.config)["draft"] == result["draft"]
        assert sent_in(tmp_path) == ["mail"]


@pytest.mark.long
def test_left_as_it_is_it_is_done_in_no_other_way(tmp_path):
    kill(tmp_path, "after")
    with mailing(tmp_path) as agent:
        agent.invoke(None, THREAD)
        result = agent.invoke(Command(resume="leave_out"), THREAD)
        assert (result["status"], result["draft"]) == ("halted", "")
        assert sent_in(tmp_path) == ["mail"]


def test_an_approval_is_for_one_call_and_not_for_another_after_a_crash(tmp_path):
    with mailing(tmp_path, approve=True) as agent:
        agent.invoke(ASKED, THREAD, durability="sync")
    program = (
        "import sys; from pathlib import Path; from langgraph.types import Command\n"
        "from tests.graph.mailing import *\n"
        "with mailing(Path(sys.argv[1]), 'after', approve=True) as agent:\n"
        "    agent.invoke(Command(resume='go'), THREAD, durability='sync')\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    with mailing(tmp_path, approve=True) as agent:
        (asked,) = agent.invoke(None, THREAD)["__interrupt__"]
        assert asked.value["about"] == "effect"
        (asked,) = agent.invoke(Command(resume="again"), THREAD)["__interrupt__"]
        assert (asked.value["about"], asked.value["attempt"]) == ("call", 2)
        assert sent_in(tmp_path) == ["mail"]
        # The first approval is of no use for the second call, nor is any other answer.
        (asked,) = agent.invoke(None, THREAD)["__interrupt__"]
        assert (asked.value["about"], asked.value.get("error")) == ("call", None)
        assert agent.invoke(Command(resume="leave_out"), THREAD)["status"] == "halted"
        assert sent_in(tmp_path) == ["mail"]


@pytest.mark.parametrize("moment", long_but(MOMENTS, "after"))
def test_where_nobody_can_be_asked_the_run_halts_and_says_so(tmp_path, moment):
    kill(tmp_path, moment, "halts")
    with mailing(tmp_path, can_ask=False) as agent:
        result = agent.invoke({**ASKED, "run_id": "mine"}, THREAD)
    receipt = receipt_of(result)
    assert result["status"] == "halted"
    assert "nobody knows whether it happened" in receipt.halt_reason
    assert [(line.label, line.status) for line in receipt.lines] == [("Mail", "unknown")]
    assert sent_in(tmp_path) == MOMENTS[moment]
