"""When the bill is not what the plan expected."""

import re

from tests.graph.conftest import HEADINGS, TASK, TUTORIAL_BUDGET, decisions_of, receipt_of
from tests.harness.llm_server import Answer, OverCap
from thrifty import Result, Spend, Step, StepOption

LACK = re.compile(r"the rest of the plan is [\d,]+ tokens short; gpt-5 came to \d\.\d times .*")


def test_an_answer_three_times_as_long_replans_and_stays_within(online, server):
    server.script(Answer(tokens=1500, times=None))
    result = online().invoke({"task": TASK, "budget": TUTORIAL_BUDGET})
    receipt = receipt_of(result)
    outline = next(line for line in receipt.lines if line.label == "Outline plan (LLM)")
    assert outline.actual.tokens > 2.5 * outline.planned.tokens
    assert LACK.fullmatch(decisions_of(result, "replan")[0])
    assert re.fullmatch(
        r"Quality pass moved from gpt-5 to the local template: "
        r"[\d,]+ tokens were left, it needs [\d,]+",
        decisions_of(result, "downgrade")[0],
    )
    status = {line.label: line.status for line in receipt.lines}
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
    statuses = [line.status for line in receipt_of(result).lines]
    assert statuses[-1] == "skipped"
    assert receipt_of(result).lines[-1].reason == "the run ended before it was begun"
    assert set(statuses[:-1]) == {"done"}


def test_savings_buy_a_better_rest(online, server):
    """The first answer is shorter than estimated, so the second step need not be local."""
    first = StepOption("Aims (LLM)", "Aims", "llm", "says why", Spend(600, 0, 900, 1), 10.0)
    dear = StepOption("Costs (LLM)", "Costs", "llm", "says what", Spend(500, 0, 900, 1), 9.0)
    cheap = StepOption("Costs (local)", "Costs", "local", "says what", Spend(300, 0, 900, 1), 3.0)
    server.script(Answer(tokens=100, times=None))
    agent = online(catalog=[first, dear, cheap])
    context = {"propose_options": False, "risk": 0.5}
    result = agent.invoke({"task": TASK, "budget": {"max_tokens": 1000}}, context=context)
    receipt = receipt_of(result)
    assert decisions_of(result, "replan") == [
        "what is left buys a better rest, worth +6.0; gpt-5 came to 0.3 times its estimates"
    ]
    (upgrade,) = decisions_of(result, "upgrade")
    assert re.fullmatch(
        r"Costs moved from the local template to gpt-5: \d+ tokens are left, it needs \d+", upgrade
    )
    statuses = {line.label: line.status for line in receipt.lines}
    assert statuses == {"Aims (LLM)": "done", "Costs (LLM)": "done", "Costs (local)": "replaced"}
    assert receipt.within_budget


def test_new_plans_are_bounded(online, server):
    server.script(Answer(tokens=400, times=None))
    agent = online()
    for most in (0, 1, 2):
        result = agent.invoke(
            {"task": TASK, "budget": {"max_tokens": 2200}}, context={"max_replans": most}
        )
        assert len(decisions_of(result, "replan")) <= most
        assert receipt_of(result).within_budget


OVER = "'Outline plan (LLM)' used 91 tokens more than it was allowed"


def test_a_model_that_passes_its_cap_is_not_asked_again_and_the_run_goes_on(online, server):
    server.script(OverCap(times=None))
    budget = {"max_tokens": 8000, "max_tool_calls": 8}
    asked = {"task": TASK, "budget": budget}
    result = online().invoke(asked, context={"propose_options": False})
    receipt = receipt_of(result)
    assert result["status"] == "done"
    assert receipt.spent.tokens == server.bill.total_tokens < 8000
    assert len(server.requests) == 1
    assert decisions_of(result, "overrun") == [f"gpt-5 is not asked again: {OVER}"]
    assert decisions_of(result, "fallback") == [
        f"{step} moved from gpt-5 to the local template: gpt-5 is not asked again: {OVER}"
        for step in ("Risk register", "Timeline", "Quality pass")
    ]
    assert all(f"## {heading}" in result["draft"] for heading in HEADINGS)


def test_another_model_can_still_be_asked_after_one_that_passed_its_cap(online, server):
    """What follows is asked of the other one, by its own option."""
    server.script(OverCap(), Answer(tokens=100, times=None))
    first = StepOption("Aims (LLM)", "Aims", "llm", "says why", Spend(400, 0, 900, 1), 10.0)
    same = StepOption("Costs (same)", "Costs", "llm", "says what", Spend(400, 0, 900, 1), 9.0)
    other = StepOption(
        "Costs (other)", "Costs", "llm", "says what", Spend(400, 0, 900, 1), 5.0,
        payload={"model": "cheap"},
    )  # fmt: skip
    context = {"propose_options": False, "max_replans": 0}
    asked = {"task": TASK, "budget": {"max_tokens": 8000}}
    models = {"strong": "gpt-5", "cheap": "gpt-4.1"}
    agent = online(models=models, catalog=[first, same, other])
    result = agent.invoke(asked, context=context)
    assert [request.model for request in server.requests] == ["gpt-5", "gpt-4.1"]
    assert "Costs moved from gpt-5 to gpt-4.1: " in decisions_of(result, "fallback")[0]
    assert result["status"] == "done"


def test_a_bill_over_a_limit_of_the_run_ends_it(online, server):
    server.script(OverCap(times=None))
    first = StepOption("Aims (LLM)", "Aims", "llm", "says why", Spend(600, 0, 900, 1), 10.0)
    local = StepOption("Costs (local)", "Costs", "local", "says what", Spend(20, 0, 9, 0), 3.0)
    agent = online(catalog=[Step("Aims", (first,)), Step("Costs", (local,), requires=("Aims",))])
    context = {"propose_options": False, "risk": 0.5}
    result = agent.invoke({"task": TASK, "budget": {"max_tokens": 700}}, context=context)
    assert result["status"] == "halted"
    assert re.fullmatch(r"overrun: \d+ tokens over the limit", receipt_of(result).halt_reason)
    assert "## Aims" in result["draft"]


def test_what_no_longer_fits_is_downgraded_when_no_new_plan_is_allowed(online, server):
    server.script(Answer(tokens=1500, times=None))
    context = {"max_replans": 0}
    result = online().invoke({"task": TASK, "budget": TUTORIAL_BUDGET}, context=context)
    (reason,) = decisions_of(result, "downgrade")
    assert re.fullmatch(
        r"Quality pass moved to 'Quality pass \(local\)': Quality pass \(LLM\) does not fit: "
        r"\d+ tokens short; raise the budget or drop the step",
        reason,
    )
    assert receipt_of(result).lines[-2].label == "Quality pass (local)"


def test_what_nothing_can_stand_in_for_is_skipped_with_its_reason(online, server):
    server.script(Answer(tokens=700, times=None))
    first = StepOption("Aims (LLM)", "Aims", "llm", "says why", Spend(400, 0, 900, 1), 10.0)
    second = StepOption("Costs (LLM)", "Costs", "llm", "says what", Spend(500, 0, 900, 1), 3.0)
    agent = online(catalog=[first, second])
    context = {"max_replans": 0, "propose_options": False, "risk": 0.5}
    result = agent.invoke({"task": TASK, "budget": {"max_tokens": 1000}}, context=context)
    (reason,) = decisions_of(result, "skip")
    assert reason.startswith("Costs was skipped: Costs (LLM) does not fit: ")
    statuses = {line.label: line.status for line in receipt_of(result).lines}
    assert statuses == {"Aims (LLM)": "done", "Costs (LLM)": "skipped"}


def test_a_share_is_kept_for_the_end_however_long_the_sections_grow(online, server):
    """The final revision can be done by the cheapest way there is, out of what was kept for it."""
    server.script(Answer(tokens=3000, times=None))
    first = StepOption("Aims (LLM)", "Aims", "llm", "says why", Spend(500, 0, 900, 1), 10.0)
    polish = StepOption("Polish (mine)", "Polish", "mine", "rewrites", Spend(200, 0, 9, 0), 3.0)
    agent = online(
        catalog=[Step("Aims", (first,)), Step("Polish", (polish,), role="revision")],
        executors={"mine": lambda work: Result(work.draft.upper(), spend=Spend(200))},
    )
    context = {"propose_options": False, "risk": 0.5}
    result = agent.invoke({"task": TASK, "budget": {"max_tokens": 1000}}, context=context)
    statuses = {line.label: line.status for line in receipt_of(result).lines}
    assert statuses == {"Aims (LLM)": "cut", "Polish (mine)": "done"}
    assert receipt_of(result).within_budget
    assert result["draft"].isupper()
