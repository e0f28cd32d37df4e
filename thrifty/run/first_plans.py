"""The plans that a run could begin with: what `thrifty plan` shows, and what a run asks before."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from thrifty.budget import Budget, LeftOut, Plan, Step
from thrifty.estimates.learned import LearnedEstimates
from thrifty.executors.model_access import ModelAccess
from thrifty.options.first_problem import PlanSettings, first_problem
from thrifty.planning.engines import EngineName
from thrifty.planning.problem import Problem
from thrifty.run.plan_run import plan_run


class FirstPlanSettings(PlanSettings, Protocol):
    """The fields of a run's context that are read here. The context says what they mean."""

    engine: EngineName


@dataclass(frozen=True, slots=True)
class FirstPlans:
    """What is known of a run before anything is done, and the plans that follow from it."""

    steps: tuple[Step, ...]
    """What there is to do, as it is expected for what the run was asked."""
    max_steps: int
    """The most steps of a plan."""
    settings: FirstPlanSettings
    access: ModelAccess
    """What models can be asked."""
    learned: LearnedEstimates
    """What earlier bills say."""
    fee_limits: Budget | None = None
    """The run's own limits, where a model took its task apart."""

    def problem(
        self, left: Budget, steps: Sequence[Step] | None = None
    ) -> tuple[Problem, tuple[LeftOut, ...]]:
        """The problem with so much left, and the options that are out of the question.

        Args:
            left: what may be spent.
            steps: some of the steps. None: all.
        """
        offered = self.steps if steps is None else steps
        return first_problem(
            offered, left, self.max_steps, self.settings, self.access, self.learned
        )

    def plan(self, left: Budget, steps: Sequence[Step] | None = None) -> Plan:
        """The plan of that, with answers of any length."""
        problem, _ = self.problem(left, steps)
        return plan_run(problem, self.settings.engine, self.fee_limits, self.access)

    def plan_answer(self, left: Budget) -> Plan:
        """The same, with nothing but a direct answer."""
        return self.plan(left, [step for step in self.steps if step.role == "answer"])
