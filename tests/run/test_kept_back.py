"""What is kept from the steps that are sent now: tokens, money, calls and time for later ones."""

import pytest

from thrifty import Budget, Spend, Step, StepOption
from thrifty.run.kept_back import needed_later
from thrifty.steering.forecast import ExecutorModel, Forecaster
from thrifty.steering.remaining import RemainingPlan


def step(name: str, *amounts: int, executor: str = "llm", **fields: object) -> Step:
    option = StepOption(name, name, executor, "does it", Spend(*amounts), 5.0)
    return Step(name, (option,), **fields)


MAIN = step("Main", 100, 10, 1_000, 1, required=True)
OTHER = step("Other", 100, 10, 1_000, 1)
ANSWER = step("Answer", 300, 30, 2_000, 1, role="answer")
LOCAL = step("Local", 0, 0, 7, executor="local")


def kept(sent: str, left: Budget, *chosen: Step, offered: tuple[Step, ...] = ()) -> Spend:
    options = [each.options[0] for each in chosen]
    remaining = RemainingPlan(
        options,
        (*chosen, *offered),
        (),
        max_steps=9,
        diversity_penalty=0.0,
        forecaster=Forecaster(()),
        executor_model_of=lambda option: ExecutorModel(option.executor),
    )
    sent_now = [option for option in options if option.step == sent]
    declared = {o.name: o for each in (*chosen, *offered) for o in each.options}
    return needed_later(remaining, sent_now, declared, left)


ENOUGH = Budget(max_tokens=900, max_latency_ms=9_000)


def test_the_share_of_a_direct_answer_is_kept_until_its_section_is_done():
    assert kept("Other", ENOUGH, OTHER, MAIN, offered=(ANSWER,)) == Spend(400, 40, 3_000, 2)
    assert kept("Main", ENOUGH, OTHER, MAIN, offered=(ANSWER,)) == Spend(300, 30, 2_000, 1)
    assert kept("Other", ENOUGH, OTHER, offered=(ANSWER,)) == Spend()
    assert kept("Other", ENOUGH, OTHER, MAIN) == Spend(100, 10, 1_000, 1)


@pytest.mark.parametrize("left", [Budget(max_tokens=499), Budget(max_tool_calls=2)], ids=str)
def test_it_is_not_kept_at_the_cost_of_what_is_planned(left):
    assert kept("Main", left, OTHER, MAIN, offered=(ANSWER,)) == Spend()


@pytest.mark.parametrize(("left_ms", "kept_ms"), [(3_007, 2_007), (3_006, 7)])
def test_time_is_kept_for_an_answer_where_what_is_sent_leaves_it(left_ms, kept_ms):
    """A call that hangs is cut before it. Local steps keep theirs in any case."""
    left = Budget(max_latency_ms=left_ms)
    assert kept("Other", left, OTHER, LOCAL, ANSWER).latency_ms == kept_ms
