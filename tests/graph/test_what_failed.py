"""What failed is planned around, what required it is not begun, what must be there is missed."""

import pytest

from thrifty import Result, Spend, Step, StepOption, create_budget_agent

BUDGET = {"max_tokens": 900, "max_tool_calls": 20}


def refuse(work):
    raise ConnectionError("503")


def option(name: str, step: str, executor: str, value: float = 5.0, **spend: int) -> StepOption:
    return StepOption(name, step, executor, "Do it.", Spend(**spend), value)


def one(name: str, executor: str, **given: object) -> Step:
    return Step(name, (option(name, name, executor, tokens=50),), **given)


def run(*steps: Step, **context: object):
    """The result of a run, and for each line what it was and how it ended."""
    executors = {"write": lambda work: "A text.", "refuse": refuse}
    executors |= {f"refuse {i}": refuse for i in range(4)}
    agent = create_budget_agent(catalog=steps, executors=executors)
    result = agent.invoke({"task": "Do it", "budget": BUDGET}, context=context)
    return result, {line["label"]: line["status"] for line in result["receipt"]["lines"]}


@pytest.mark.parametrize("max_replans", [0, 3])
def test_every_failure_is_planned_around_however_many_new_plans_there_may_be(max_replans):
    names = [f"Part {i}" for i in range(4)]
    parts = [
        Step(
            name,
            (
                option(f"{name} (service)", name, f"refuse {i}", tool_calls=1),
                option(f"{name} (local)", name, "local", 1.0),
            ),
            required=True,
        )
        for i, name in enumerate(names)
    ]
    result, ended = run(*parts, one("All", "write", requires=tuple(names)), max_replans=max_replans)
    assert result["status"] == "done"
    assert [ended[f"{name} (local)"] for name in names] == ["done"] * 4
    assert ended["All"] == "done"


def test_a_run_without_a_step_that_is_required_is_not_done():
    result, ended = run(
        one("Before", "write"), one("Report", "refuse", required=True), one("After", "write")
    )
    assert result["status"] == "halted"
    assert result["receipt"]["halt_reason"] == (
        "the required step 'Report' cannot be done: it raised ConnectionError"
    )
    assert ended["Before"] == "done"
    assert "A text." in result["draft"]


def test_what_was_not_begun_when_a_run_ended_is_said_to_be_so():
    result, ended = run(
        one("Report", "refuse", required=True), one("After", "write", requires=("Report",))
    )
    assert ended == {"Report": "failed", "After": "skipped"}
    reasons = {line["label"]: line["reason"] for line in result["receipt"]["lines"]}
    assert reasons["After"] == "the run ended before it was begun"


def test_a_required_step_that_nobody_can_do_ends_the_run_before_anything_is_spent():
    result, ended = run(one("Report", "llm", required=True), one("After", "write"))
    assert result["receipt"]["halt_reason"] == (
        "the required step 'Report' cannot be done: offline: no key and no server"
    )
    assert (result["plan"]["status"], ended, result["draft"]) == ("infeasible", {}, "")


def test_what_requires_a_failed_step_is_not_begun():
    _, ended = run(
        one("Facts", "refuse"), one("Chart", "write", requires=("Facts",)), one("Note", "write")
    )
    assert ended == {"Facts": "failed", "Note": "done", "Chart": "dropped"}
    alone, ended = run(one("Facts", "refuse"), one("Chart", "write", requires=("Facts",)))
    assert ended == {"Facts": "failed", "Chart": "skipped"}
    assert alone["status"] == "halted"
    reason = "it requires 'Facts', which was not done"
    assert alone["receipt"]["halt_reason"] == (
        f"nothing can be done: it raised ConnectionError; {reason}"
    )
    assert [d["reason"] for d in alone["receipt"]["decisions"] if d["kind"] == "skip"] == [
        f"Chart was skipped: {reason}"
    ]


@pytest.mark.parametrize("spread", [0.25, 1.0, 3.0])
def test_a_text_is_billed_what_its_option_declares_whatever_was_expected_by_then(spread):
    catalog = [
        StepOption(f"{i}", f"{i}", "write", "d", Spend(tokens=1_000), 5.0, spread=spread)
        for i in range(6)
    ]
    agent = create_budget_agent(catalog=catalog, executors={"write": lambda work: "A text."})
    result = agent.invoke({"task": "Do it", "budget": {"max_tokens": 100_000}})
    assert [line["actual"]["tokens"] for line in result["receipt"]["lines"]] == [1_000] * 6


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: Result("A text.", spend={"tokens": 5}), "result.spend"),
        (lambda: Result("A text.", spend=5), "result.spend"),
        (lambda: Result(None), "result.text"),
    ],
)
def test_a_result_that_is_none_is_a_failed_step(make, field):
    agent = create_budget_agent(
        catalog=[option("Facts", "Facts", "make", tokens=10)],
        executors={"make": lambda work: make()},
    )
    result = agent.invoke({"task": "Do it", "budget": BUDGET})
    (line,) = result["receipt"]["lines"]
    assert line["status"] == "failed"
    assert line["reason"].startswith(f"{field}: got ")
    assert line["actual"]["tokens"] == 10


def test_an_executor_that_used_more_than_it_declared_is_not_used_again():
    parts = [
        Step(
            name,
            (
                option(name, name, "tell", tokens=10),
                option(f"{name} (mine)", name, "write", 2.0, tokens=5),
            ),
        )
        for name in ("Facts", "Note")
    ]
    agent = create_budget_agent(
        catalog=parts,
        executors={
            "tell": lambda work: Result("A text.", spend=Spend(tokens=12)),
            "write": lambda work: "A text.",
        },
    )
    receipt = agent.invoke({"task": "Do it", "budget": BUDGET})["receipt"]
    assert {line["label"]: line["status"] for line in receipt["lines"]} == {
        "Facts": "done", "Note (mine)": "done", "Note": "replaced",
    }  # fmt: skip
    told = "tell is not used again: 'Facts' used 2 tokens more than it was allowed"
    assert [d["reason"] for d in receipt["decisions"] if d["kind"] == "overrun"] == [told]
    assert receipt["spent"]["tokens"] == 17


def test_nothing_more_than_what_failed_is_lost_to_an_overrun():
    agent = create_budget_agent(
        catalog=[option(name, name, "tell", tokens=10) for name in ("Facts", "Note")],
        executors={"tell": lambda work: Result("A text.", spend=Spend(tokens=12))},
    )
    result = agent.invoke({"task": "Do it", "budget": BUDGET})
    assert result["status"] == "done"
    assert "overrun" in [d["kind"] for d in result["receipt"]["decisions"]]
