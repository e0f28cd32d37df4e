"""When the bill is not what the plan expected."""

import re

from tests.graph.conftest import TASK, TUTORIAL_BUDGET, decisions_of, receipt_of
from tests.llm_server import Answer, OverCap

LACK = re.compile(r"the rest of the plan is \d+ tokens short")


def test_an_answer_three_times_as_long_replans_and_stays_within(online, server):
    server.script(Answer(tokens=1500, times=None))
    result = online().invoke({"task": TASK, "budget": TUTORIAL_BUDGET})
    receipt = receipt_of(result)
    outline = next(line for line in receipt.lines if line.what == "Outline plan (LLM)")
    assert outline.actual.tokens > 2.5 * outline.planned.tokens
    assert re.fullmatch(
        r"the rest of the plan is \d+ tokens short", decisions_of(result, "replan")[0]
    )
    status = {line.what: line.status for line in receipt.lines}
    assert status["Quality pass (LLM)"] == "replaced"
    assert status["Quality pass (local)"] == "done"
    assert receipt.within_budget
    assert receipt.spent.tokens == server.bill.total_tokens


def test_halt_stops_with_what_is_done(online, server):
    server.script(Answer(tokens=1500, times=None))
    agent = online()
    result = agent.invoke({"task": TASK, "budget": TUTORIAL_BUDGET}, context={"on_drift": "halt"})
    assert result["status"] == "halted"
    assert LACK.fullmatch(receipt_of(result).halt_reason)
    assert "## Outline plan" in result["draft"]
    assert "## Risk register" not in result["draft"]


def test_savings_buy_a_better_rest(online):
    """Real answers are shorter than estimated, so a second wave of model calls fits."""
    result = online().invoke({"task": TASK, "budget": {"max_tokens": 2200}})
    assert any("worth +" in reason for reason in decisions_of(result, "replan"))
    done = [line for line in receipt_of(result).lines if line.status == "done"]
    assert sum(line.executor == "llm" for line in done) >= 3
    assert receipt_of(result).within_budget


def test_new_plans_are_bounded(online, server):
    server.script(Answer(tokens=400, times=None))
    agent = online()
    for most in (0, 1, 2):
        result = agent.invoke(
            {"task": TASK, "budget": {"max_tokens": 2200}}, context={"max_replans": most}
        )
        assert len(decisions_of(result, "replan")) <= most
        assert receipt_of(result).within_budget


def test_a_server_that_passes_its_cap_is_recorded_and_ends_the_run(online, server):
    server.script(OverCap(times=None))
    result = online().invoke({"task": TASK, "budget": TUTORIAL_BUDGET})
    receipt = receipt_of(result)
    assert receipt.halt_reason == "overrun: 'Outline plan (LLM)' used more than it was allowed"
    assert receipt.spent.tokens == server.bill.total_tokens
    assert len(server.requests) == 1
    assert "## Outline plan" in result["draft"]
