"""Promise 4, the truth about a result: what is done, done with warnings, or halted, and why."""

import pytest

from tests.graph.conftest import EDITOR, HEADINGS, TASK, TUTORIAL_BUDGET, receipt_of
from tests.harness.llm_server import (
    Answer,
    ErrorStatus,
    MissingUsage,
    OverCap,
    Reset,
    ServerError,
    TooManyRequests,
    Unauthorized,
)
from thrifty import Result, Settings, Spend, Step, StepOption, create_budget_agent
from thrifty.cli.exit_codes import exit_code
from thrifty.options.availability import NO_MODEL
from thrifty.receipt import wording

ROOMY = {"max_tokens": 9000, "max_tool_calls": 9}
PLAIN = {"propose_options": False}
REFUSED_KEY = f"the server refused the request {Unauthorized().told}; check its key"


def ended(result) -> tuple[str, str, int]:
    """Status, reason and exit code."""
    return result["status"], result["halt_reason"], exit_code(receipt_of(result))


def headline(result) -> str:
    return wording.describe_verdict(receipt_of(result))


def option(name: str, step: str, executor: str, value: float = 5.0, **spend: int) -> StepOption:
    return StepOption(name, step, executor, "Do it.", Spend(**spend), value)


def model_or(executor: str, step: str = "Answer", **given: object) -> Step:
    """A step that a model does best, and that somebody else can do."""
    ways = (
        option(f"{step} (LLM)", step, "llm", 9.0, tokens=300, tool_calls=1),
        option(f"{step} ({executor})", step, executor, 2.0),
    )
    return Step(step, ways, **given)


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (Unauthorized(times=None), REFUSED_KEY),
        (
            TooManyRequests(retry_after_s=0, times=None),
            f"too many requests {TooManyRequests().told}",
        ),
        (ServerError(times=None), f"the server failed {ServerError().told}"),
        (Answer("", reasoning_tokens=40, times=None), "an answer without any text"),
    ],
)
def test_a_run_in_which_no_model_answered_is_not_done_by_templates(online, server, fault, told):
    server.clear()
    server.script(fault)
    result = online().invoke({"task": TASK, "budget": ROOMY}, context=PLAIN)
    assert ended(result) == ("halted", f"no model answered: gpt-5: {told}", 7)
    assert headline(result).startswith(f"Halted, within budget: no model answered: gpt-5: {told}")
    assert all(f"## {heading}" in result["draft"] for heading in HEADINGS)


def test_a_server_that_cannot_be_reached_is_no_offline_run():
    settings = Settings(base_url="http://127.0.0.1:9/v1", api="chat")
    asked = {"task": TASK, "budget": TUTORIAL_BUDGET}
    result = create_budget_agent(settings=settings).invoke(asked)
    assert ended(result) == ("halted", "no model answered: gpt-5: the server cannot be reached", 7)


def test_a_model_without_a_price_is_missed_where_money_is_limited(online, server):
    budget = {**TUTORIAL_BUDGET, "max_cost_usd": 0.05}
    result = online(models={"strong": "qwen-99"}).invoke({"task": TASK, "budget": budget})
    status, reason, code = ended(result)
    assert (status, code, len(server.requests)) == ("halted", 6, 0)
    assert reason.startswith("no price is known for model 'qwen-99'")
    assert wording.describe_binding(receipt_of(result)) == (
        "The limit on cost kept something better out."
    )
    assert receipt_of(result).bound_by == ("cost",)


def test_without_a_key_and_a_server_local_code_is_what_was_asked_for(offline):
    result = offline().invoke({"task": TASK, "budget": TUTORIAL_BUDGET})
    assert ended(result) == ("done", "", 0)
    assert headline(result) == "Done offline, within budget."
    assert wording.describe_binding(receipt_of(result)) == (
        "No limit kept anything better out, but no model was at hand."
    )


def test_a_key_that_is_refused_is_named_as_the_reason(online, server):
    server.script(Unauthorized(times=None))
    result = online(catalog="answer").invoke({"task": TASK, "budget": ROOMY})
    told = f"no model answered: gpt-5: {REFUSED_KEY}"
    assert ended(result) == ("halted", told, 7)
    assert wording.describe_binding(receipt_of(result)) == ""


def test_a_model_without_quota_is_asked_once_in_its_run(online, server):
    server.script(ErrorStatus(status=429, code="insufficient_quota", times=None))
    result = online(catalog="proposal").invoke({"task": TASK, "budget": ROOMY}, context=PLAIN)
    assert len(server.requests) == 1
    assert result["spend"]["tokens"] == 0
    assert "insufficient_quota" in headline(result)
    assert "add credit to its account there" in headline(result)


def test_what_only_a_model_can_do_is_not_done_offline(offline):
    catalog = [option("Answer (LLM)", "Answer", "llm", tokens=300, tool_calls=1)]
    result = offline(catalog=catalog).invoke({"task": TASK, "budget": ROOMY})
    assert ended(result) == ("halted", f"{NO_MODEL} (offline: no key and no server)", 7)


def test_who_was_registered_can_stand_in_for_a_model(online, server):
    server.script(Unauthorized(times=None))
    agent = online(catalog=[model_or("mine")], executors={"mine": lambda work: "A text."})
    result = agent.invoke({"task": TASK, "budget": ROOMY}, context=PLAIN)
    assert ended(result) == ("done", "", 13)
    assert headline(result) == (
        f"Done with 1 warning, within budget: Answer fell back to mine: gpt-5: {REFUSED_KEY}."
    )


def test_what_failed_after_a_model_had_answered_is_a_warning(online, server):
    server.script(Answer("Fine."), ServerError(times=None))
    catalog = [model_or("local", step) for step in ("Aims", "Costs")]
    result = online(catalog=catalog).invoke({"task": TASK, "budget": ROOMY}, context=PLAIN)
    assert ended(result) == ("done", "", 13)
    assert receipt_of(result).warnings == (
        f"Costs fell back to the local template: gpt-5: the server failed {ServerError().told}",
        "2 calls are in doubt and charged in full",
    )


def test_steps_that_fail_side_by_side_for_one_reason_are_told_together(online, server):
    def refuse(work):
        raise ConnectionError("503")

    steps = [
        Step(
            name,
            (
                option(f"{name} (a)", name, executor, 9.0),
                option(f"{name} (b)", name, "write", 2.0),
            ),
        )
        for name, executor in (("One", "refuse"), ("Two", "refuse too"))
    ]
    alone = Step("Three", (option("Three", "Three", "refuse three"),))
    executors = {"write": lambda work: "A text.", "refuse": refuse}
    executors |= {"refuse too": refuse, "refuse three": refuse}
    agent = create_budget_agent(catalog=[*steps, alone], executors=executors)
    asked = {"task": TASK, "budget": ROOMY}
    result = agent.invoke(asked, context={"max_concurrency": 3})
    assert ended(result) == ("done", "", 13)
    assert receipt_of(result).warnings == (
        "Three was not done: it raised ConnectionError",
        "One and Two fell back to write: it raised ConnectionError",
    )
    kinds = {(d.kind, d.reason) for d in receipt_of(result).decisions if d.kind in MOVES}
    assert kinds == {
        ("fallback", "One moved from refuse to write: it raised ConnectionError"),
        ("fallback", "Two moved from refuse too to write: it raised ConnectionError"),
        ("skip", "Three was dropped: it raised ConnectionError"),
    }


MOVES = ("upgrade", "downgrade", "move", "fallback", "skip")


def test_a_revision_that_was_lost_is_a_warning(online, server):
    server.clear()
    server.script(Answer("Much better now.", when=EDITOR, times=None))
    result = online().invoke({"task": TASK, "budget": TUTORIAL_BUDGET})
    assert ended(result) == ("done", "", 13)
    assert receipt_of(result).warnings == (
        "Quality pass fell back to the local template: the revision lost the section "
        "'Clarify deliverables', so the draft stays as it was",
    )


@pytest.mark.parametrize(
    ("lie", "calls"), [(MissingUsage(times=1), "1 call is"), (Reset(times=1), "1 call is")]
)
def test_a_call_in_doubt_is_a_warning(online, server, lie, calls):
    server.script(lie)
    result = online().invoke({"task": TASK, "budget": {"max_tokens": 20_000}}, context=PLAIN)
    assert ended(result) == ("done", "", 13)
    assert receipt_of(result).warnings == (f"{calls} in doubt and charged in full",)


def test_what_was_cut_short_is_a_warning(online, server):
    server.script(Answer(tokens=5_000))
    catalog = [option("Answer (LLM)", "Answer", "llm", tokens=300, tool_calls=1)]
    result = online(catalog=catalog).invoke({"task": TASK, "budget": ROOMY}, context=PLAIN)
    assert ended(result) == ("done", "", 13)
    assert receipt_of(result).warnings == ("Answer was cut short",)


def test_who_took_too_much_is_a_warning_and_over_a_limit_a_halt(online, server):
    server.script(OverCap(times=None))
    catalog = [option("Answer (LLM)", "Answer", "llm", tokens=300, tool_calls=1)]
    agent = online(catalog=catalog)
    result = agent.invoke({"task": TASK, "budget": ROOMY}, context=PLAIN)
    assert ended(result) == ("done", "", 13)
    (warning,) = receipt_of(result).warnings
    assert warning.startswith("gpt-5 is not asked again: 'Answer (LLM)' used ")
    over = agent.invoke({"task": TASK, "budget": {"max_tokens": 400}}, context=PLAIN)
    assert (over["status"], exit_code(receipt_of(over))) == ("halted", 5)
    assert headline(over).startswith("Halted, OVER BUDGET: ")


@pytest.mark.parametrize(
    ("budget", "bound_by"),
    [
        ({"max_tokens": 9000, "max_tool_calls": 1}, ("tool_calls",)),
        ({"max_tokens": 9000, "max_tool_calls": 0}, ("tool_calls",)),
        ({"max_tokens": 1000, "max_tool_calls": 9}, ("tokens",)),
        ({"max_tokens": 9000}, ()),
    ],
)
def test_every_limit_that_kept_something_out_is_named(online, server, budget, bound_by):
    server.script(Answer(tokens=200, times=None))
    catalog = [model_or("local", step) for step in ("Aims", "Costs", "Risks", "Team")]
    result = online(catalog=catalog).invoke({"task": TASK, "budget": budget}, context=PLAIN)
    assert receipt_of(result).bound_by == bound_by


def test_the_limit_on_steps_is_named(offline):
    catalog = [option(name, name, "local", tokens=5) for name in ("A", "B", "C")]
    agent = offline(catalog=catalog)
    asked = {"task": TASK, "budget": {"max_tokens": 100}}
    assert receipt_of(agent.invoke(asked)).bound_by == ()
    receipt = receipt_of(agent.invoke(asked, context={"max_steps": 2}))
    assert receipt.bound_by == ("max_steps",)
    assert wording.describe_binding(receipt) == "More steps would have bought something better."


def test_calls_bind_where_a_step_was_skipped_for_want_of_them():
    """What fits no more when it is to begin was kept out by its limit, whatever is left after."""

    def take(work):
        return Result("A text.", Spend(tool_calls=1))

    first = option("First", "First", "take", 9.0, tool_calls=1)
    second = option("Second", "Second", "take", 5.0, tool_calls=2)
    agent = create_budget_agent(catalog=[first, second], executors={"take": take})
    result = agent.invoke({"task": TASK, "budget": {"max_tool_calls": 2}})
    assert receipt_of(result).bound_by == ("tool_calls",)


def test_the_limit_that_a_halt_is_for_is_named(online, server):
    server.script(Answer(tokens=1500, times=None))
    asked = {"task": TASK, "budget": TUTORIAL_BUDGET}
    result = online().invoke(asked, context={"on_drift": "halt"})
    assert result["status"] == "halted"
    assert "tokens" in receipt_of(result).bound_by


def test_required_steps_that_fit_by_no_choice_name_their_limits():
    steps = [
        Step(name, (option(name, name, "write", tokens=60, tool_calls=1),), required=True)
        for name in ("One", "Two")
    ]
    agent = create_budget_agent(catalog=steps, executors={"write": lambda work: "A text."})
    result = agent.invoke({"task": TASK, "budget": {"max_tokens": 100, "max_tool_calls": 9}})
    assert result["status"] == "halted"
    assert receipt_of(result).bound_by == ("tokens",)


def test_what_was_planned_and_never_tried_says_what_became_of_it(online, server):
    """Replaced, dropped and not begun are three things."""
    server.script(Answer(tokens=1500, times=None))
    no_plan = {**PLAIN, "max_replans": 0}
    moved = online().invoke({"task": TASK, "budget": TUTORIAL_BUDGET}, context=no_plan)
    assert _line(moved, "Quality pass (LLM)") == (
        "replaced",
        "'Quality pass (local)' was done instead",
    )
    halted = online().invoke(
        {"task": TASK, "budget": TUTORIAL_BUDGET}, context={**PLAIN, "on_drift": "halt"}
    )
    assert _line(halted, "Quality pass (LLM)") == (
        "skipped",
        "the run ended before it was begun",
    )
    first = option("Aims (LLM)", "Aims", "llm", 9.0, tokens=600, tool_calls=1)
    second = option("Costs (LLM)", "Costs", "llm", 5.0, tokens=500, tool_calls=1)
    agent = online(catalog=[first, second])
    context = {**PLAIN, "risk": 0.5}
    dropped = agent.invoke({"task": TASK, "budget": {"max_tokens": 1200}}, context=context)
    status, reason = _line(dropped, "Costs (LLM)")
    assert status == "dropped"
    assert reason.endswith(" tokens short")
    assert receipt_of(dropped).bound_by == ("tokens",)


def _line(result, label: str) -> tuple[str, str]:
    (line,) = (line for line in receipt_of(result).lines if line.label == label)
    return line.status, line.reason


def test_the_account_that_pays_is_on_the_receipt(offline, ledger):
    ledger.open("team", "9k tokens a day")
    asked = {"task": TASK, "budget": TUTORIAL_BUDGET}
    assert receipt_of(offline(account="team").invoke(asked)).account == "team"
    assert receipt_of(offline().invoke(asked)).account == ""
