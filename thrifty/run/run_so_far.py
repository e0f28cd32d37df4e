"""A run so far: what its state, its settings and the ledger say of it together."""

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Protocol

from thrifty.budget import Budget, Spend, Step, StepOption
from thrifty.budget.resources import describe_excess
from thrifty.budget.step_set import order_steps
from thrifty.checks.checks import NO_CHECKS, Checks
from thrifty.executors.draft import Draft
from thrifty.executors.model_access import ModelAccess
from thrifty.executors.overruns import Overrun, find_overruns
from thrifty.executors.protocol import Work
from thrifty.executors.results import Results
from thrifty.executors.step_estimate import StepEstimator
from thrifty.models.roles.agent_models import ModelPrompt
from thrifty.models.roles.asked import Asked
from thrifty.models.roles.model_role import ModelRole
from thrifty.options.first_problem import PlanSettings
from thrifty.options.proposals import hold_to_catalog
from thrifty.options.recipe import ANSWER
from thrifty.planning.engines import EngineName
from thrifty.run.facts import Run, RunFacts
from thrifty.run.services import Services
from thrifty.steering.decide import OnDrift

OVERRUNS = "overruns"
"""Under which name a run's cache has them."""


class RunSettings(PlanSettings, Protocol):
    """The fields of a run's context that are read here. The context says what they mean."""

    model: str
    engine: EngineName
    max_steps: int | None
    on_drift: OnDrift
    check_results: bool
    cascades: bool

    def step_prompt(self, work: Work, role: ModelRole) -> ModelPrompt: ...


def model_access(run_id: str, settings: RunSettings, services: Services) -> ModelAccess:
    """Which models a run can ask, and at what price."""
    left = services.ledger.balance(run_id).left
    return ModelAccess(
        roles=services.models.roles,
        is_cost_limited=left.max_cost_usd is not None,
        is_token_limited=left.max_tokens is not None,
        chosen=settings.model,
    )


def step_estimator(
    run: Run, access: ModelAccess, settings: RunSettings, services: Services
) -> StepEstimator:
    """What a run's options are expected to use by what is sent for them."""
    return StepEstimator(
        access, run["task"], settings.step_prompt, services.shape, Asked.from_state(run["asked"])
    )


class RunSoFar:
    """Answers what nodes ask of a run, and keeps in its cache what takes long to compute.

    Args:
        facts: what its state says.
        settings: of its context.
        services: what nodes work with.
        run_id: its account in the ledger, which no state names.
    """

    def __init__(
        self, facts: RunFacts, settings: RunSettings, services: Services, run_id: str
    ) -> None:
        self.facts, self.services, self._settings, self.id = facts, services, settings, run_id
        self.cache = services.cache(self.id).update(facts["outcomes"])
        """What was read of the run so far, with its outcomes."""
        self.known_ms = facts["spend"]["latency_ms"]
        """How long the run had been active when its bill was last read."""

    @cached_property
    def model_access(self) -> ModelAccess:
        """Which models it can ask, and at what price."""
        return model_access(self.id, self._settings, self.services)

    @cached_property
    def estimator(self) -> StepEstimator:
        """What options are expected to use by what is sent for them."""
        run, access, settings = self.facts["run"], self.model_access, self._settings
        return self.cache.compute_once(
            "estimator",
            (access, run["task"], run["asked"], settings),
            lambda: step_estimator(run, access, settings, self.services),
        )

    @property
    def checks(self) -> Checks:
        """What its results have to pass."""
        return self.services.checks if self._settings.check_results else NO_CHECKS

    @property
    def uncounted_tools(self) -> tuple[str, ...]:
        """The executors whose help its values do not count. A client may have left them out."""
        return tuple(self.facts["run"].get("uncounted", ()))

    @property
    def diversity_penalty(self) -> float:
        """What two steps on one topic take off the value."""
        return self._settings.diversity_penalty

    @property
    def limits(self) -> Budget:
        """The limits as they are now: they may be changed while the run works or waits."""
        return self.services.limits(self.id)

    def active_ms(self) -> int:
        """How long the run has been active by now."""
        return self.services.runs.active_ms(self.id, self.known_ms)

    def spent(self) -> Spend:
        """What was spent until now. Latency is the run's active time."""
        return self.services.spend(self.id, self.known_ms)

    def left(self) -> Budget:
        """What may still be reserved, and the latency that is left."""
        return self.services.remaining_budget(self.id, self.known_ms)

    def steps(self) -> tuple[Step, ...]:
        """Every step as declared: those of its recipe, then those that a model proposed."""
        run, catalog = self.facts["run"], self.services.steps(self.facts["run"], self.id)
        # Nothing is added to a direct answer, whatever a state says.
        given = [] if run["recipe"] == ANSWER else self.facts["proposed"]

        def compute() -> tuple[Step, ...]:
            return (*catalog, *hold_to_catalog(map(Step.from_state, given), catalog))

        return self.cache.compute_once("declared steps", given, compute)

    def steps_by_name(self) -> Mapping[str, Step]:
        """The same by name, in the order in which they would run."""
        return self.cache.compute_once(
            "steps by name", None, lambda: {step.name: step for step in order_steps(self.steps())}
        )

    def declared_options(self) -> Mapping[str, StepOption]:
        """Every option by its name, as its recipe declares it."""
        return self.cache.compute_once(
            "declared options",
            None,
            lambda: {option.name: option for step in self.steps() for option in step.options},
        )

    def draft(self) -> Draft:
        """What the steps have written so far."""
        return self.cache.accumulate("draft", None, lambda: Draft(self.steps()), Draft.add)

    def results(self) -> Results:
        """What there is to read: the documents, and what the steps have made so far."""
        given, named = self.facts.get("results", {}), self.facts["run"].get("documents", ())
        documents = {name: given[name]["text"] for name in named if name in given}
        return self.cache.accumulate(
            "results", tuple(documents), lambda: Results(documents), Results.add
        )

    def overruns(self) -> tuple[Overrun, ...]:
        """Whose bill came to more than it was allowed, as of the last outcome."""

        def compute() -> tuple[Overrun, ...]:
            entries = self.services.ledger.overruns(self.id)
            # A limit of an account above the run's counts as well.
            limits = self.services.limits_in_force(self.id)
            who = self.model_access.executor_model
            return find_overruns(entries, limits, self.declared_options(), who)

        return self.cache.compute_once(OVERRUNS, (len(self.cache.outcomes), self.limits), compute)

    def passed_limit(self) -> str:
        """Which limit the run has passed, in words. Empty within.

        Time that has run out is none: what is left of it holds no further step.
        """
        balance = self.services.ledger.balance(self.id)
        if excess := balance.budget.without_latency().exceeded_by(balance.spent):
            return f"overrun: {describe_excess(excess)}"
        if self.overruns():  # an account above may also be over by what others did, or by its owner
            for period in balance.periods[1:]:
                if excess := period.budget.without_latency().exceeded_by(period.spent):
                    return f"overrun: {describe_excess(excess)} of {period.account}"
        return ""

    def who_limits(self, short: Mapping[str, Iterable[str]]) -> dict[str, dict[str, str]]:
        """By option and limit, the account above the run's that leaves the least now, in words."""
        if not short:
            return {}
        balance = self.services.ledger.balance(self.id)
        return {
            option: {limit: balance.limited_by(limit) for limit in limits}
            for option, limits in short.items()
        }
