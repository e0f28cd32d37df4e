"""A run before its first plan: what it can do, and what a plan of that would be worth."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import replace
from types import MappingProxyType

from thrifty.budget import Budget, Spend, Step
from thrifty.estimates.history import NO_HISTORY, BillHistory
from thrifty.executors.results import Results
from thrifty.options.decomposition import Decomposition
from thrifty.run.facts import Run, fee_limits
from thrifty.run.first_plans import FirstPlans
from thrifty.run.learning import recall
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
        access = model_access(run_id, settings, services)
        self.steps: tuple[Step, ...] = services.steps(facts, run_id)
        """What its recipe offers."""
        estimator = step_estimator(facts, access, settings, services)
        self.learned, self.learning_remark = recall(history, self.steps, access)
        self.plans = FirstPlans(
            steps=estimator.estimate_steps(self.steps, Results(documents)),
            max_steps=services.recipes.max_steps(facts["recipe"], settings.max_steps),
            settings=settings,
            access=access,
            learned=self.learned,
            fee_limits=fee_limits(facts),
        )
        """The plans that it could begin with."""

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

    def without_help(self) -> NewRun:
        """The same run, which says what its values do not count, as nobody was asked for steps."""
        run = copy(self)
        run.facts = {**self.facts, "uncounted": list(self.services.executors.for_steps_alone)}
        return run
