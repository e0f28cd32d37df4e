"""What `thrifty plan` and `thrifty frontier` say of a run that may first ask a model for steps."""

import json
from dataclasses import replace

import pytest

from tests.graph.test_taken_apart import ASKS, STEPS, TASK
from tests.harness.llm_server import Answer, LLMServer
from thrifty import Spend, SqliteLedger
from thrifty.graph import build
from thrifty.receipt.wording import describe_asking

pytestmark = pytest.mark.usefixtures("any_length")

TOOLS = '''
from langchain_core.tools import tool


@tool
def depth(harbour: str) -> str:
    """Look up how deep a harbour is, in metres."""
    return "9.5 m"


executors = {"depth": depth}
'''
ROOMY = "90k tokens, $1, 8 calls"


@pytest.fixture
def asked(invoke, server, models, tmp_path):
    """Runs a command about one task, with a tool or without."""
    file = tmp_path / "depth.py"
    file.write_text(TOOLS)

    def run(command: str, *given: str, with_tool: bool = True) -> str:
        tools = ("--tools", str(file)) if with_tool else ()
        shown = invoke(command, TASK, "--recipe", "answer", *tools, *models, *given)
        assert shown.exit_code == 0, shown.output
        return shown.stdout

    return run


def asks(server: LLMServer) -> int:
    return sum(ASKS in request.messages[0].text for request in server.requests)


@pytest.mark.parametrize(
    ("given", "with_tool", "foreseen"),
    [
        (("--budget", ROOMY), True, "asks"),
        (
            ("--budget", "9k tokens, 8 calls"),
            True,
            "more than it may take (1/10 of what is left), so the budget is ",
        ),
        (("--budget", "90k tokens, 1 call"), True, "would no longer fit"),
        (("--budget", ROOMY, "--plan-steps", "never"), True, "plan_steps is 'never'"),
        (("--budget", "90k tokens", "--words", "900"), False, "asks"),
        (
            ("--budget", "9k tokens", "--words", "900"),
            False,
            "more than it may take (1/10 of what is left), so the budget is ",
        ),
        (("--budget", "9k tokens, 8 calls", "--plan-steps", "always"), False, "asks"),
        (("--budget", ROOMY), False, None),
        (("--budget", ROOMY, "--words", "200", "--plan-steps", "never"), False, None),
    ],
    ids=str,
)
def test_a_plan_foresees_by_the_same_rule_what_a_run_does(
    asked, server, home, given, with_tool, foreseen
):
    """To the token and the nano-dollar: what the ledger reserved is the most that was told."""
    server.script(Answer(STEPS, when=ASKS), Answer("Rostock.", times=None))
    told = json.loads(asked("plan", *given, "--json", with_tool=with_tool))["asking"]
    assert not server.requests
    run = json.loads(asked("run", *given, "--json", with_tool=with_tool))
    reasons = [each["reason"] for each in run["receipt"]["decisions"] if each["kind"] == "options"]
    assert asks(server) == (foreseen == "asks")
    if foreseen is None:
        assert (told, reasons) == (None, [])
    elif foreseen == "asks":
        assert (told["model"], told["reason"]) == ("gpt-4.1", "")
        entries = SqliteLedger(home / "ledger.sqlite").entries(run["receipt"]["run_id"])
        (held,) = [entry.reserved for entry in entries if entry.label == "Steps"]
        assert Spend.from_state(told["most"]) == replace(held, latency_ms=0)
    else:
        assert told["most"] is None
        assert foreseen in told["reason"]
        assert reasons == [f"no model was asked for steps: {told['reason']}"]


def test_the_sentence_is_on_both_screens(asked, server):
    told = " ".join(asked("plan", "--budget", ROOMY).split())
    assert "A run first asks gpt-4.1 for the steps of the task, which takes at most " in told
    assert "Plan 1 step worth 80.0, the most that fits, and as much as without limits. " in told
    assert "What 'depth' would bring is not counted." in told
    drawn = " ".join(asked("frontier", "--budget", ROOMY, "--points", "4").split())
    assert told.partition("A run first")[2] == drawn.partition("A run first")[2]
    assert "as much as without limits. What 'depth' would bring is not counted. " in drawn
    assert "No limit keeps a better direct answer out." in drawn
    never = asked("plan", "--budget", ROOMY, "--plan-steps", "never")
    told = " ".join(never.split())
    assert "A run asks no model for the steps of the task: plan_steps is 'never'." in told
    assert "for the steps" not in asked("plan", "--budget", ROOMY, with_tool=False)
    assert not server.requests


@pytest.mark.parametrize(
    ("most", "told"),
    [
        (Spend(3_208, 4_150_000), "at most 3,208 tokens and $0.0042. "),
        (Spend(3_208), "at most 3,208 tokens. "),
    ],
)
def test_what_it_takes_is_rounded_up(most, told):
    assert f"takes {told}" in describe_asking("gpt-5", most, "")


def test_a_plan_with_code_of_ones_own_makes_one_agent(asked, monkeypatch):
    made, real = [], build.create_budget_agent

    def counted(**given):
        made.append(given)
        return real(**given)

    monkeypatch.setattr(build, "create_budget_agent", counted)
    asked("plan", "--budget", ROOMY)
    assert len(made) == 1
