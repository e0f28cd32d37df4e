"""However bills come out, a run ends: it plans anew only after a new outcome, so often at the most,
and once for each failure."""

from functools import partial

from hypothesis import given
from hypothesis import strategies as st

from tests.steering.at_once import forecast_steps, remaining_totals
from thrifty import Budget, Outcome, Problem, Spend, Step, StepOption, make_plan
from thrifty.steering.decide import DriftFacts, decide
from thrifty.steering.forecast import Bill, ExecutorModel, summarise_bills
from thrifty.steering.remaining import remaining_options

EXECUTOR_MODEL = ExecutorModel("llm", "any")


@st.composite
def steps(draw) -> tuple[Step, ...]:
    """One to five steps of one to three options."""

    def option(step: str, number: int) -> StepOption:
        spend = Spend(draw(st.integers(0, 500)), tool_calls=draw(st.integers(0, 1)))
        value = draw(st.floats(0.1, 10))
        return StepOption(f"{step}{number}", step, "llm", "does it", spend, value)

    names = "ABCDE"[: draw(st.integers(1, 5))]
    return tuple(
        Step(name, tuple(option(name, i) for i in range(draw(st.integers(1, 3))))) for name in names
    )


@given(
    steps(),
    st.integers(0, 1_500),
    st.integers(0, 4),
    st.sampled_from(["replan", "halt", "ask"]),
    st.lists(st.tuples(st.floats(0, 8), st.booleans()), min_size=15, max_size=15),
)
def test_a_run_ends(steps, tokens, max_replans, on_drift, fates):
    budget, spent = Budget(max_tokens=tokens), Spend()
    outcomes: list[Outcome] = []
    seen = rounds = replans = 0

    def problem() -> Problem:
        gone = {o.step for o in outcomes if o.has_text}
        tried = {o.option.name for o in outcomes}
        remaining = [(s, [o for o in s.options if o.name not in tried]) for s in steps]
        offered = [Step(s.name, tuple(o)) for s, o in remaining if o and s.name not in gone]
        bills = [Bill(o.option, EXECUTOR_MODEL, o.actual) for o in outcomes if o.has_text]
        seen = forecast_steps(offered, lambda option: EXECUTOR_MODEL, summarise_bills(bills))
        return Problem(
            seen, budget.left_after(spent), done=tuple(s for s in steps if s.name in gone)
        )

    declared = {option.name: option for step in steps for option in step.options}
    plan = make_plan(problem())
    while True:
        now = problem()
        new_outcomes = tuple(outcomes[seen:])
        seen = len(outcomes)
        left = max_replans - replans
        best = partial(make_plan, now)
        decision = decide(
            DriftFacts(plan, new_outcomes, remaining_totals(plan, now), now.left, best, left),
            on_drift,
        )
        if decision.action in ("end", "ask"):
            break
        if decision.action == "replan":
            assert new_outcomes, "a new plan needs a new outcome"
            replans += 1
            plan = make_plan(now)
        remaining = remaining_options(plan, now)
        if remaining:
            rounds += 1
            option = declared[remaining[0].name]
            ratio, works = fates[len(outcomes)]
            actual = Spend(min(round(option.estimate.tokens * ratio), 10**9))
            spent += actual
            status = "done" if works else "failed"
            outcomes.append(Outcome(option, status, "text" * works, actual, "it broke"))
    assert replans <= max_replans + sum(not outcome.has_text for outcome in outcomes)
    assert rounds == len(outcomes) <= len(declared)
