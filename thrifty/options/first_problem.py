"""The problem that a run plans first, before anything is done or spent."""

from collections.abc import Sequence
from typing import Protocol

from thrifty.budget import Budget, LeftOut, Step
from thrifty.checks.checks import FREE_CHECKS
from thrifty.estimates.learned import LearnedEstimates
from thrifty.executors.model_access import ModelAccess
from thrifty.options.availability import find_available_options, lost_steps
from thrifty.options.chances import Chances
from thrifty.planning.problem import Problem
from thrifty.steering.forecast import Forecaster


class PlanSettings(Protocol):
    """The fields of a run's context that a plan goes by. The context says what they mean."""

    diversity_penalty: float
    max_concurrency: int
    risk: float


def first_problem(
    steps: Sequence[Step],
    left: Budget,
    max_steps: int,
    settings: PlanSettings,
    access: ModelAccess,
    learned: LearnedEstimates,
) -> tuple[Problem, tuple[LeftOut, ...]]:
    """The problem, and the options that are out of the question.

    Args:
        steps: what there is to do, as it is estimated.
        left: what may be spent.
        max_steps: the most steps of a plan.
        settings: of the run.
        access: what models can be asked.
        learned: what earlier bills say.
    """
    offered, left_out = find_available_options(steps, access)
    scored = Chances(access, FREE_CHECKS, learned.odds).apply_to(offered)
    problem = Problem(
        Forecaster(learned.summaries).forecast_steps(scored, access.executor_model),
        left,
        max_steps,
        settings.diversity_penalty,
        concurrency=settings.max_concurrency,
        schedule="waves",
        risk=settings.risk,
        lost=lost_steps(steps, offered),
        residuals=learned.residuals,
    )
    return problem, left_out
