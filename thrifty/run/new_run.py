"""A run before its first plan: what it can do, and what a plan of that would be worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from thrifty.budget import Budget, Plan, Spend, Step
from thrifty.estimates.history import NO_HISTORY, BillHistory
from thrifty.executors.results import Results
from thrifty.options.decomposition import Decomposition
from thrifty.options.first_problem import first_problem
from thrifty.run.facts import Run
from thrifty.run.learning import recall
from thrifty.run.plan_run import plan_run
from thrifty.run.run_so_far import RunSettings, model_access, step_estimator
from thrifty.run.services import Services


class NewRun:
    """Answers what its first node asks.

    Args:
        facts: as it was accepted.
        run_id: its account, which is open.
        settings: of its context.
        services: what nodes work with.
        history: earlier bills, which are read once.
        documents: the texts that it was handed, by name.
    """

    def __init__(
        self,
        facts: Run,
        run_id: str,
        settings: RunSettings,
        services: Services,
        history: BillHistory = NO_HISTORY,
        documents: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.facts, self.id, self.services, self._settings = facts, run_id, services, settings
        self._history, self._documents = history, documents
        self.model_access = model_access(run_id, settings, services)
        self.steps: tuple[Step, ...] = services.steps(facts, run_id)
        """What its recipe offers."""
        estimator = step_estimator(facts, self.model_access, settings, services)
        self.estimated = estimator.estimate_steps(self.steps, Results(documents))
        """The same as it is expected for what it was asked."""
        learned, self.learning_remark = recall(history, self.steps, self.model_access)
        # Scores are of whole answers. An answer that reads material is a part of the result.
        self.learned = learned if facts["decomposition"] is None else replace(learned, values={})

    def left(self) -> Budget:
        """What may be spent."""
        return self.services.remaining_budget(self.id, 0)

    def spent(self) -> Spend:
        """What was spent until now."""
        return self.services.spend(self.id, 0)

    def taken_apart(self, decomposition: Decomposition) -> NewRun:
        """The same run with the steps of its task."""
        steps = replace(decomposition, remarks=())
        facts: Run = {**self.facts, "decomposition": steps.to_state()}
        return NewRun(facts, self.id, self._settings, self.services, self._history, self._documents)

    def plan(self, left: Budget) -> Plan:
        """The plan that would be made with so much left."""
        return self._plan(self.estimated, left)

    def plan_answer(self, left: Budget) -> Plan:
        """The same, with nothing but a direct answer."""
        return self._plan([step for step in self.estimated if step.role == "answer"], left)

    def _plan(self, steps: Sequence[Step], left: Budget) -> Plan:
        settings = self._settings
        max_steps = self.services.recipes.max_steps(self.facts["recipe"], settings.max_steps)
        problem, _ = first_problem(
            steps, left, max_steps, settings, self.model_access, self.learned
        )
        return plan_run(problem, settings.engine, self.facts, self.model_access)
