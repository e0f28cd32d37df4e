"""What the spend check decides, which steps can start, and what can still be chosen."""

from dataclasses import replace

import pytest

from tests.steering.at_once import remaining_totals
from thrifty import Budget, Outcome, Plan, Problem, Settings, Spend, Step, StepOption
from thrifty.executors.model_access import ModelAccess
from thrifty.models.roles.model_roles import ModelRoles
from thrifty.options.availability import find_available_options
from thrifty.planning.engines import make_plan
from thrifty.steering.decide import NOTHING_FITS_REASON, DriftDecision, DriftFacts, decide
from thrifty.steering.forecast import ExecutorModel, Forecaster
from thrifty.steering.ready import ready_options
from thrifty.steering.remaining import RemainingPlan, remaining_options


def option(step: str, executor: str = "local", tokens: int = 10, value: float = 5.0) -> StepOption:
    return StepOption(f"{step} ({executor})", step, executor, "does it", Spend(tokens), value)


A, B, B_DEAR = option("A"), option("B"), option("B", "llm", 100, 9.0)
STEPS = (Step("A", (A,)), Step("B", (B, B_DEAR)))
ACCESS = ModelAccess(ModelRoles(Settings("sk-1")), is_cost_limited=False)


def standing(
    left: int, outcomes=(), chosen=(A, B), replans_left=3, steps=STEPS, **more
) -> DriftFacts:
    finished = {outcome.step for outcome in outcomes if outcome.has_text}
    failed = {outcome.option.name for outcome in outcomes if not outcome.has_text}
    open_steps = [step for step in steps if step.name not in finished]
    offered, _ = find_available_options(
        open_steps, ACCESS, lambda option: "failed" if option.name in failed else ""
    )
    problem = Problem(
        offered,
        Budget(max_tokens=left),
        done=tuple(step for step in STEPS if step.name in finished),
        risk=0.5,  # what fits exactly, fits
    )
    plan = Plan("feasible", "beam", chosen)
    return DriftFacts(
        plan=plan,
        new_outcomes=tuple(outcomes[-1:]),
        remaining=remaining_totals(plan, problem),
        left=problem.left,
        make_new_plan=lambda: make_plan(problem, "beam"),
        replans_left=replans_left,
        **more,
    )


DONE_A = Outcome(A, "done", "text")
FAILED_A = Outcome(A, "failed", reason="it raised")


def test_as_planned_it_goes_on():
    assert decide(standing(10, [DONE_A]), "replan").action == "continue"


def test_when_all_is_done_it_finishes():
    decision = decide(standing(0, [DONE_A, Outcome(B, "done", "text")]), "replan")
    assert (decision.action, decision.is_halt) == ("end", False)


@pytest.mark.parametrize(
    ("on_drift", "direction", "halts"),
    [("replan", "replan", False), ("ask", "ask", False), ("halt", "end", True)],
)
def test_when_what_remains_does_not_fit_the_policy_decides(on_drift, direction, halts):
    decision = decide(standing(4, [DONE_A]), on_drift)
    assert (decision.action, decision.is_halt) == (direction, halts)
    assert decision.reason == "the rest of the plan is 6 tokens short"


@pytest.mark.parametrize(
    ("latencies_ms", "left_ms", "reason"),
    [
        ((90, 90), 100, ""),
        ((90, 90), 80, "the rest of the plan is 10 ms short"),
        ((90, 90, 60), 100, "the rest of the plan is 50 ms short"),
    ],
)
def test_steps_side_by_side_take_as_long_as_they_run(latencies_ms, left_ms, reason):
    """Two at a time, a wave after the other."""
    steps = tuple(
        Step(name, (StepOption(name, name, "llm", "does it", Spend(latency_ms=ms), 5.0),))
        for name, ms in zip("ABC", latencies_ms, strict=False)
    )
    plan = Plan("feasible", "exact", tuple(step.options[0] for step in steps))
    problem = Problem(steps, Budget(max_latency_ms=left_ms), concurrency=2, schedule="waves")
    now = replace(
        standing(0, steps=steps),
        plan=plan,
        remaining=remaining_totals(plan, problem),
        left=problem.left,
    )
    course = decide(now, "halt")
    assert (course.action, course.reason) == ("end" if reason else "continue", reason)


def test_savings_buy_something_better():
    decision = decide(standing(500, [DONE_A]), "replan")
    assert decision.action == "replan"
    assert decision.reason == "what is left buys a better rest, worth +4.0"


def test_a_gain_too_small_to_matter_is_none():
    hardly = replace(B_DEAR, value=B.value * 1.01)
    steps = (Step("B", (B, hardly)),)
    assert decide(standing(500, [DONE_A], steps=steps), "replan").action == "continue"


def test_a_gain_is_measured_by_what_the_rest_is_worth():
    better = replace(B_DEAR, value=B.value + 0.5)
    assert decide(standing(500, [DONE_A], steps=(Step("B", (B, better)),)), "replan").reason == (
        "what is left buys a better rest, worth +0.5"
    )


def test_a_gain_of_nothing_is_none():
    """Else a run that cannot afford what remains would plan the same again and again."""
    decision = decide(standing(0, [DONE_A], chosen=(A,)), "replan")
    assert (decision.action, decision.reason, decision.is_halt) == ("end", "", False)


@pytest.mark.parametrize(
    ("chosen", "steps"), [((A, B), (Step("B", (B,)),)), ((A,), ())], ids=["the same", "nothing"]
)
def test_where_nothing_could_be_gained_nothing_is_planned(chosen, steps):
    asked = []
    now = standing(500, [DONE_A], chosen=chosen, steps=steps)
    decide(
        replace(now, make_new_plan=lambda: asked.append(now) or Plan("feasible", "beam")), "replan"
    )
    assert asked == []


def test_without_news_there_is_no_new_plan():
    quiet = replace(standing(500, [DONE_A]), new_outcomes=())
    assert decide(quiet, "replan").action == "continue"
    assert decide(replace(standing(4, [DONE_A]), new_outcomes=()), "replan").action == "continue"


def test_drift_is_part_of_the_reason():
    reason = decide(standing(4, [DONE_A]), "replan", lambda: "gpt-5 came to 1.6 times").reason
    assert reason == "the rest of the plan is 6 tokens short; gpt-5 came to 1.6 times"


def test_the_rest_is_what_it_is_estimated_to_be_now():
    dearer = (Step("B", (replace(B, estimate=Spend(30)),)),)
    decision = decide(standing(20, [DONE_A], steps=dearer), "ask")
    assert decision.reason == "the rest of the plan is 10 tokens short"


def test_what_can_no_longer_be_had_is_not_waited_for():
    decision = decide(standing(500, [FAILED_A], steps=()), "replan")
    assert (decision.action, decision.reason) == (
        "end",
        "'A (local)' did not work out: it raised",
    )


def test_without_what_is_required_it_ends():
    decision = decide(standing(500, [DONE_A], no_plan_reason="the required step is gone"), "replan")
    assert decision == DriftDecision("end", "the required step is gone", is_halt=True)


def test_without_what_has_to_be_there_nothing_is_a_good_end():
    both = [DONE_A, Outcome(B, "done", "text")]
    decision = decide(standing(0, both, undone_reason="'C' is missed"), "replan")
    assert decision == DriftDecision("end", "'C' is missed", is_halt=True)


def test_under_halt_savings_are_left_alone():
    assert decide(standing(500, [DONE_A]), "halt").action == "continue"


@pytest.mark.parametrize("replans_left", [0, 3])
def test_a_failure_is_news_as_long_as_something_can_be_planned(replans_left):
    decision = decide(standing(10, [FAILED_A], replans_left=replans_left), "replan")
    assert decision.action == "replan"
    assert decision.reason == "'A (local)' did not work out: it raised"


def test_several_that_failed_at_once_are_all_named():
    failed_b = Outcome(B_DEAR, "skipped", reason="it requires 'A', which was not done")
    now = replace(standing(10, [FAILED_A]), new_outcomes=(FAILED_A, failed_b, FAILED_A))
    assert decide(now, "replan").reason == (
        "'A (local)' did not work out: it raised; "
        "'B (llm)' was not begun: it requires 'A', which was not done"
    )


def test_what_failed_is_told_beside_what_is_short():
    now = replace(standing(4, [DONE_A]), new_outcomes=(Outcome(B_DEAR, "failed", reason="gone"),))
    assert decide(now, "replan").reason == (
        "'B (llm)' did not work out: gone; the rest of the plan is 6 tokens short"
    )


@pytest.mark.parametrize("on_drift", ["replan", "halt", "ask"])
@pytest.mark.parametrize("replans_left", [0, 3])
def test_a_rest_that_loses_who_was_to_do_it_is_planned_anew(on_drift, replans_left):
    now = standing(500, [DONE_A], replans_left=replans_left, overrun_reason="gpt-5 took too much")
    decision = decide(now, on_drift)
    assert (decision.action, decision.reason) == ("replan", "gpt-5 took too much")


@pytest.mark.parametrize("left", [4, 10, 500])
def test_without_new_plans_left_it_goes_on_as_it_is(left):
    decision = decide(standing(left, [DONE_A], replans_left=0), "replan")
    assert decision.action == "continue"


def test_a_limit_that_is_passed_ends_everything():
    decision = decide(standing(500, [DONE_A], passed_limit="overrun: 5 tokens over"), "replan")
    assert (decision.action, decision.is_halt) == ("end", True)
    assert decision.reason == "overrun: 5 tokens over"


def test_a_plan_with_nothing_in_it_halts():
    decision = decide(standing(0, chosen=()), "replan")
    assert (decision.action, decision.is_halt) == ("end", True)


@pytest.mark.parametrize(
    ("done", "steps", "halts"),
    [(STEPS[:1], (), False), (STEPS[:1], STEPS[1:], True), ((), (), True)],
)
def test_without_a_plan_a_run_is_complete_when_all_steps_are_done(done, steps, halts):
    empty = standing(0, chosen=())
    problem = Problem(steps, Budget(max_tokens=0), done=done)
    decision = decide(replace(empty, remaining=remaining_totals(empty.plan, problem)), "replan")
    assert (decision.action, decision.is_halt) == ("end", halts)
    assert decision.reason == (NOTHING_FITS_REASON if halts else "")


def test_what_is_still_to_do_can_be_had_and_costs_what_it_is_estimated_at_now():
    plan = Plan("feasible", "beam", (A, B_DEAR))
    problem = Problem((Step("B", (B, replace(B_DEAR, estimate=Spend(60)))),), Budget())
    assert remaining_options(plan, problem) == [problem.steps[0].options[1]]


def ready_steps(*steps: Step, finished=(), at_most=9) -> list[str]:
    options = {step.name: step.options[0] for step in steps}
    by_name = {step.name: step for step in steps}
    return [o.step for o in ready_options(options, by_name, finished, at_most)]


def test_independent_steps_can_start_together():
    assert ready_steps(Step("A", (A,)), Step("B", (B,))) == ["A", "B"]
    assert ready_steps(Step("A", (A,)), Step("B", (B,)), at_most=1) == ["A"]


def test_what_could_be_done_better_waits_for_savings():
    steps = (*STEPS, Step("C", (C := option("C", "llm"),)))

    def in_turn(*chosen: StepOption, upgradable_last: bool = True) -> list[StepOption]:
        remaining = RemainingPlan(
            chosen,
            steps,
            (),
            max_steps=9,
            diversity_penalty=0,
            forecaster=Forecaster(()),
            executor_model_of=lambda option: ExecutorModel(option.executor),
            defer_upgradable=upgradable_last,
        )
        return list(remaining.options_by_step.values())

    assert in_turn(B, A, C) == [A, C, B]
    assert in_turn(B_DEAR, A) == [B_DEAR, A]
    assert in_turn(B, A, C, upgradable_last=False) == [B, A, C]


def test_a_step_waits_for_its_requirements_and_a_revision_for_all_sections():
    needy = Step("B", (B,), requires=("A",))
    assert ready_steps(Step("A", (A,)), needy) == ["A"]
    assert ready_steps(needy, finished=["A"]) == ["B"]
    assert ready_steps(Step("A", (A,)), Step("B", (B,), role="revision")) == ["A"]
    assert ready_steps(Step("B", (B,), role="revision")) == ["B"]


def test_a_step_whose_requirement_will_never_be_done_is_still_handed_on():
    assert ready_steps(Step("B", (B,), requires=("A",))) == ["B"]


def test_a_step_with_all_its_options_barred_is_off_the_menu():
    offered, left_out = find_available_options(
        STEPS, ACCESS, lambda o: "too dear" if o.estimate.tokens > 50 else ""
    )
    assert [o.name for step in offered for o in step.options] == ["A (local)", "B (local)"]
    assert [(lo.option, lo.reason) for lo in left_out] == [("B (llm)", "too dear")]
    assert find_available_options(STEPS, ACCESS, lambda o: "none")[0] == ()
