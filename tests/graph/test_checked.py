"""What becomes of a text that fails a check: somebody else tries once more, or it stays."""

import re
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from tests.graph.conftest import decisions_of, receipt_of
from tests.harness.llm_server import Answer, ServerError
from thrifty import Executor, InvalidInput, Spend, Step, StepOption

ROLES = {"strong": "gpt-4.1", "cheap": "gpt-4.1-mini"}
TASK = "Write about the sea for somebody who is turning eighty."
JUNK = "<|im_end|>\n" * 20
GOOD = "The sea comes in, the sea goes out, and takes the years it came to count."
ROOMY = {"max_tokens": 8_000}
CONTEXT = {"propose_options": False}
REPEATED = "failed the check 'repeated text': the same line 20 times"
VALUES = {"strong": 8.0, "cheap": 8.1}
"""The cheap model is planned first."""


def by(model: str, text: str, **cue: Any) -> Answer:
    return Answer(text, when=lambda request: request.model == model, times=None, **cue)


def section(name: str, executors: tuple[str, ...] = (), tokens: int = 400, **fields: Any) -> Step:
    """A section that two models can write, and code."""
    models = (
        StepOption(
            f"{name} ({role})", name, "llm", f"Write about the {name}.", Spend(tokens, 0, 0, 1),
            value, payload={"model": role},
        )
        for role, value in VALUES.items()
    )  # fmt: skip
    codes = (
        StepOption(f"{name} ({own})", name, own, "Write it.", Spend(tool_calls=1), 8.5)
        for own in executors
    )
    return Step(name, (*models, *codes), **fields)


@pytest.fixture
def writing(online, server):
    """Makes an agent whose cheap model writes junk, and whose strong one does not."""

    def make(*steps: Step, strong: Any = None, cheap: str = JUNK, **given: Any):
        server.clear()
        server.script(by(ROLES["cheap"], cheap), strong or by(ROLES["strong"], GOOD))
        catalog = list(steps or [section("sea")])
        return online(catalog=catalog, **{"models": ROLES, **given})

    return make


def run(agent, budget: Any = ROOMY, **context: Any) -> dict[str, Any]:
    return agent.invoke({"task": TASK, "budget": budget}, context={**CONTEXT, **context})


def reasons(result) -> dict[str, str]:
    return {line.label: line.reason for line in receipt_of(result).lines}


def asked(server) -> list[str]:
    return [request.model for request in server.requests]


def test_the_other_model_is_asked_and_its_text_counts(writing, server):
    result = run(writing())
    assert result["draft"] == f"## sea\n\n{GOOD}"
    assert asked(server) == [ROLES["cheap"], ROLES["strong"]]
    assert reasons(result)["sea (cheap)"] == f"'sea (strong)' took its place; {REPEATED}"
    assert decisions_of(result, "escalate") == [f"'sea (cheap)' {REPEATED}"]
    receipt = receipt_of(result)
    assert [line.status for line in receipt.lines] == ["rejected", "done"]
    assert receipt.value == VALUES["strong"]
    assert receipt.warnings == ()
    assert sum(line.actual.tokens for line in receipt.lines) == receipt.spent.tokens


def test_where_it_does_not_fit_the_text_stays_and_the_receipt_says_so(writing, server):
    result = run(writing(section("sea", tokens=700)), {"max_tokens": 900})
    assert asked(server) == [ROLES["cheap"]]
    assert result["draft"].startswith("## sea\n\n<|im_end|>")
    (told,) = [each for each in receipt_of(result).warnings if "check" in each]
    assert told == f"sea {REPEATED}"
    assert 0 < receipt_of(result).value < 0.2 * VALUES["cheap"]
    (why,) = decisions_of(result, "skip")
    assert "sea (strong) does not fit" in why


def test_where_nobody_could_do_it_better_it_stays(writing, server):
    result = run(writing(models={"strong": "gpt-4.1-mini", "cheap": "gpt-4.1-mini"}))
    (kept, *_) = decisions_of(result, "check") or decisions_of(result, "escalate")
    assert REPEATED in kept


def test_what_reads_it_reads_the_text_that_counts(writing, server):
    result = run(writing(section("sea"), section("wind", requires=("sea",))))
    assert asked(server) == [ROLES["cheap"], ROLES["strong"]] * 2
    assert all(GOOD in request.prompt for request in server.requests[2:])
    assert result["results"]["wind"]["text"] == GOOD


def test_sections_side_by_side_are_each_tried_once_more(writing, server):
    steps = [section(name) for name in ("sea", "wind", "sand")]
    result = run(writing(*steps), {"max_tokens": 20_000}, max_concurrency=3)
    assert sorted(asked(server)) == sorted([*ROLES.values()] * 3)
    assert {each["text"] for each in result["results"].values()} == {GOOD}


def test_it_takes_none_of_the_plans_that_drift_may_make(writing, server):
    result = run(writing(section("sea"), section("wind")), max_replans=0, on_drift="halt")
    assert {each["text"] for each in result["results"].values()} == {GOOD}
    assert result["status"] == "done"


def test_a_second_attempt_that_fails_leaves_the_first(writing, server):
    refused = ServerError(when=lambda request: request.model == ROLES["strong"], times=None)
    result = run(writing(strong=refused))
    assert result["draft"].startswith("## sea\n\n<|im_end|>")
    assert any(REPEATED in each for each in receipt_of(result).warnings)


def test_two_attempts_are_enough(writing, server):
    result = run(writing(strong=by(ROLES["strong"], JUNK)))
    assert asked(server) == [ROLES["cheap"], ROLES["strong"]]
    assert any(REPEATED in each for each in receipt_of(result).warnings)


def test_nothing_is_checked_where_that_is_turned_off(writing, server):
    result = run(writing(), check_results=False)
    assert asked(server) == [ROLES["cheap"]]
    assert receipt_of(result).warnings == ()


def test_code_whose_result_fails_is_followed_by_a_model(writing, server):
    executors = {"mine": lambda work: "no number in it"}
    step = section("sea", ("mine",), check="number")
    agent = writing(step, executors=executors, checks={"number": re.compile("[0-9]")},
                    cheap="80 years")  # fmt: skip
    result = run(agent, cascades=False)
    assert asked(server) == [ROLES["cheap"]]
    assert result["results"]["sea"]["text"] == "80 years"
    assert "'[0-9]' is not in it" in reasons(result)["sea (mine)"]


def test_a_check_that_does_not_work_says_so_and_fails_nothing(writing, server):
    def broken(text: str) -> bool:
        raise ValueError(text)

    agent = writing(section("sea", check="broken"), cheap=GOOD, checks={"broken": broken})
    result = run(agent, cascades=False)
    assert asked(server) == [ROLES["cheap"]]
    assert result["status"] == "done"


def test_an_answer_has_a_check_of_its_own(online, server):
    server.clear()
    server.script(by("gpt-4.1", "About 80."), by("gpt-4.1-mini", "About eighty."))

    def is_number(text: str) -> bool:
        return text.isdecimal()

    agent = online(catalog=None, models=ROLES, check=is_number)
    result = agent.invoke({"task": "How old is she?", "budget": {"max_tokens": 20_000}})
    assert asked(server) == ["gpt-4.1"]
    assert receipt_of(result).warnings == ("Answer failed the check 'is_number': it did not pass",)


def test_an_unknown_check_is_refused_with_those_that_are_known(online):
    with pytest.raises(InvalidInput, match=r"'number'.*known: 'length'"):
        online(catalog=[section("sea", check="number")], models=ROLES, checks={"length": len})


def checked(name: str, **fields: Any) -> Step:
    """A step that both models can do, the cheap one at a tenth of the price, with a check."""
    options = tuple(
        StepOption(
            f"{name} ({role})", name, "llm", f"Count the {name}.", Spend(300, cost, 0, 1),
            10 * quality, payload={"model": role}, quality=quality,
        )
        for role, quality, cost in (("strong", 0.8, 2_000_000), ("cheap", 0.65, 200_000))
    )  # fmt: skip
    return Step(name, options, check="number", **fields)


NAMES = ("boats", "gulls", "shells")
TIGHT = {"max_cost_usd": 0.0035}


@pytest.fixture
def counting(online, server):
    """Makes an agent whose cheap model writes a number for all but the gulls."""

    def make(**given: Any):
        server.clear()
        server.script(
            Answer("many", when=lambda r: r.model == ROLES["cheap"] and "gulls" in r.prompt),
            by(ROLES["cheap"], "12"),
            by(ROLES["strong"], "14"),
        )
        catalog = [checked(name) for name in NAMES]
        checks = {"number": lambda text: text.isdecimal() or "it is no number"}
        return online(catalog=catalog, models=ROLES, checks=checks, **given)

    return make


def first_plan(agent, budget: Any, **context: Any) -> list[str]:
    given = {"task": TASK, "budget": budget}
    for state in agent.stream(given, context={**CONTEXT, **context}, stream_mode="values"):
        if state.get("plan"):
            return [option["name"] for option in state["plan"]["chosen"]]
    raise AssertionError("no plan")


def test_a_cascade_is_planned_where_a_step_has_a_check(counting):
    planned = first_plan(counting(), TIGHT)
    assert any(", then " in name for name in planned)
    assert not any(", then " in name for name in first_plan(counting(), TIGHT, cascades=False))


def test_of_a_cascade_the_second_is_bought_for_what_failed(counting, server):
    result = run(counting(), TIGHT)
    texts = {name: result["results"][name]["text"] for name in NAMES}
    assert texts["gulls"] == "14"
    assert "'gulls (strong)' took its place; failed the check" in reasons(result)["gulls (cheap)"]
    assert not any(", then " in name for name in reasons(result)), "each attempt is a line"
    receipt = receipt_of(result)
    assert receipt.within_budget
    assert receipt.spent.cost_nano_usd == sum(each.actual.cost_nano_usd for each in receipt.lines)


def test_who_watches_is_told_what_failed_and_that_its_text_is_retracted(writing):
    events = list(
        writing().stream({"task": TASK, "budget": ROOMY}, context=CONTEXT, stream_mode="custom")
    )
    told = [each["event"] for each in events if each["event"] in ("step_finished", "retracted")]
    assert told == ["step_finished", "retracted", "step_finished"]
    finished = next(each for each in events if each["event"] == "step_finished")
    assert finished["checks"][0]["check"] == "repeated text"
    (retracted,) = (each for each in events if each["event"] == "retracted")
    assert (retracted["step"], retracted["option"]) == ("sea", "sea (cheap)")


@pytest.mark.parametrize(("first", "calls"), [("post", ["post"]), ("mine", ["mine"])])
def test_what_changes_something_outside_is_no_second_attempt(online, first, calls):
    """Neither after another, nor once it has been called itself."""
    made: list[str] = []

    def answering(name: str) -> Any:
        return lambda work: made.append(name) or f"{name} it"

    options = tuple(
        StepOption(
            f"mail ({name})", "mail", name, "Send it.", Spend(tool_calls=1),
            9.0 if name == first else 8.9,
        )
        for name in ("post", "mine")
    )  # fmt: skip
    agent = online(
        catalog=[Step("mail", options, check="number")],
        executors={"post": Executor(answering("post"), effects=True), "mine": answering("mine")},
        checks={"number": str.isdecimal},
    )
    result = agent.invoke({"task": TASK, "budget": {"max_tool_calls": 4}}, context=CONTEXT)
    assert made == calls
    assert any("failed the check" in told for told in receipt_of(result).warnings)


@pytest.mark.parametrize("node", ["run_llm", "check_spend", "plan", "route"])
def test_a_run_that_stops_between_attempts_pays_nothing_twice(writing, server, ledger, node):
    agent = writing(section("sea"), section("wind"), checkpointer=InMemorySaver())
    thread: Any = {"configurable": {"thread_id": "t"}}
    given: Any = {"task": TASK, "budget": ROOMY}
    for _ in range(40):
        agent.invoke(given, thread, context=CONTEXT, interrupt_after=[node])
        if (state := agent.get_state(thread)).values.get("status") != "running":
            break
        given = None
    assert state.values["status"] == "done"
    assert sorted(asked(server)) == sorted([*ROLES.values()] * 2)
    run_id = state.values["receipt"]["run_id"]
    assert sum(entry.charged.tokens for entry in ledger.entries(run_id)) == server.bill.total_tokens
    assert {each["text"] for each in state.values["results"].values()} == {GOOD}


def test_savings_buy_the_second_attempt_later(writing, server):
    """At first it does not fit. Then a long section turns out short, and nothing has read it."""
    long = Step(
        "wind",
        (
            StepOption(
                "wind (strong)", "wind", "llm", "Write about the wind.", Spend(900, 0, 0, 1), 8.0,
                payload={"model": "strong"},
            ),
        ),
    )  # fmt: skip
    result = run(writing(section("sea", tokens=500), long), {"max_tokens": 1_300}, risk=0.5)
    assert result["results"]["sea"]["text"] == GOOD
    assert ["sea" in each.prompt.split("# Assignment")[1] for each in server.requests] == [
        *(True, False, True),
    ]
    assert server.bill.total_tokens <= 1_300
