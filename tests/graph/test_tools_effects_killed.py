"""A process that is killed while an agent's tool has an effect, or soon after."""

import signal
import subprocess
import sys

import pytest
from langgraph.types import Command

from tests.graph.conftest import receipt_of
from tests.graph.mailing import THREAD, sent_in
from tests.graph.tool_mailing import ASKED, tool_mailing
from tests.harness.llm_server import Answer, ToolCall

MOMENTS = {"before": [], "after": ["Ann"], "later": ["Ann"]}
TO_ANN, LOOK = ToolCall("send", {"to": "Ann"}), ToolCall("look", {"what": "Ann"})

pytestmark = pytest.mark.long


def kill(folder, server, moment, asks="asks"):
    """Starts a run in a process of its own, which is killed."""
    server.script(Answer(TO_ANN), *([Answer(LOOK)] if moment == "later" else []))
    given = [str(folder), server.base_url, moment, asks]
    command = [sys.executable, "-m", "tests.graph.tool_mailing", *given]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert sent_in(folder) == MOMENTS[moment]
    return len(server.requests)


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_resume_goes_on_where_it_was_and_asks_what_nobody_knows(tmp_path, server, moment):
    asked_before = kill(tmp_path, server, moment)
    server.script(Answer("Ann is told."))
    with tool_mailing(tmp_path, server.base_url) as agent:
        result = agent.invoke(None, THREAD)
        if moment != "later":
            (asked,) = result["__interrupt__"]
            assert (asked.value["about"], asked.value["executor"]) == ("effect", "send")
            assert asked.value["reason"].endswith("nobody knows whether it happened")
            answer = "again" if moment == "before" else "done"
            result = agent.invoke(Command(resume=answer), THREAD)
        assert (result["status"], result["answer"]) == ("done", "Ann is told.")
        assert sent_in(tmp_path) == ["Ann"]
        assert len(server.requests) == asked_before + 1
        receipt = receipt_of(result)
        assert sum(line.actual.tokens for line in receipt.lines) == receipt.spent.tokens
        for state in list(agent.get_state_history(THREAD)):
            if state.next in [("route",), ("plan",), ("run_local",)]:
                assert agent.invoke(None, state.config)["answer"] == "Ann is told."
    assert (sent_in(tmp_path), len(server.requests)) == (["Ann"], asked_before + 1)


@pytest.mark.parametrize("moment", MOMENTS)
def test_where_nobody_can_be_asked_the_run_halts_or_knows_what_it_sent(tmp_path, server, moment):
    kill(tmp_path, server, moment, "halts")
    server.script(Answer(TO_ANN), Answer("Ann is told."))
    with tool_mailing(tmp_path, server.base_url, can_ask=False) as agent:
        result = agent.invoke(ASKED, THREAD)
    assert sent_in(tmp_path) == MOMENTS[moment]
    if moment == "later":
        assert (result["status"], result["answer"]) == ("done", "Ann is told.")
        return
    assert result["status"] == "halted"
    assert "called 'send': it was called, and nobody knows whether it happened" in str(
        receipt_of(result).halt_reason
    )
