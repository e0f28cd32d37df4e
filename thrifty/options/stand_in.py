"""The direct answer that stands in where a section is lost that has to be there.

As long as such a section is open, the cheapest answer has a share of what is left, so that the run
still has a whole result to hand over when the section fails for good, or can no longer be paid. A
plan may do without the share, and loses by that what the answer would be worth, times the chance
that it is needed.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from thrifty.budget import Spend, Step, StepOption
from thrifty.options import priors
from thrifty.options.objective import add_value
from thrifty.planning.problem import Problem


def find_stand_in(open_steps: Iterable[Step]) -> StepOption | None:
    """The cheapest answer that could take the place of a section that has to be there. None where
    no such section is open, or nobody answers.

    Args:
        open_steps: those that may still be chosen.
    """
    known = tuple(step for step in open_steps if not step.has_result)
    if not any(step.required and step.role == "section" for step in known):
        return None
    answers = (option for step in known if step.role == "answer" for option in step.direct_options)
    return min(answers, key=lambda option: dearness(option.estimate), default=None)


def dearness(spend: Spend) -> tuple[int, int, int]:
    """By what one way to do something is cheaper than another: calls, then money, then tokens."""
    return spend.tool_calls, spend.cost_nano_usd, spend.tokens


def with_and_without_share(problem: Problem) -> Iterator[Problem]:
    """The problem without the share of a direct answer, and with it, where it can be kept."""
    open_steps = _open_steps(problem)
    answer = find_stand_in(open_steps)
    if answer is None or problem.available.exceeded_by(answer.estimate):
        yield problem
        return
    section = next(step for step in open_steps if step.required and step.role == "section")
    risk = priors.LOSS_RISK * answer.value
    steps = tuple(add_value(s, -risk) if s is section else s for s in problem.steps)
    yield replace(problem, steps=steps)
    yield replace(problem, kept_back=problem.kept_back + answer.estimate)


def _open_steps(problem: Problem) -> Sequence[Step]:
    done = {step.name for step in problem.done}
    return [s for s in problem.steps if s.name not in done and not s.has_result]
