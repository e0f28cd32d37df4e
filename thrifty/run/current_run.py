"""A run as it stands: what its state, its settings and the ledger say of it together."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import chain
from typing import NamedTuple, Protocol

from thrifty.budget import Budget, LeftOut, Outcome, Plan, Spend, Step, StepOption
from thrifty.budget.resources import describe_excess
from thrifty.budget.step_set import order_steps
from thrifty.estimates.learned import LearnedEstimates
from thrifty.executors.draft import Draft
from thrifty.executors.model_access import ModelAccess
from thrifty.executors.overruns import Overrun, find_overruns
from thrifty.executors.protocol import Work
from thrifty.executors.results import Results
from thrifty.executors.step_estimate import StepEstimator
from thrifty.models.agent_models import ModelPrompt
from thrifty.models.roles import ModelRole
from thrifty.options.availability import find_available_options, no_plan_reason
from thrifty.options.first_problem import PlanSettings
from thrifty.options.proposals import hold_to_catalog
from thrifty.options.recipe import ANSWER
from thrifty.planning.engines import EngineName
from thrifty.planning.problem import Problem
from thrifty.run.assignment import EFFECT_KEYS, STEP_KEYS
from thrifty.run.effect_exclusions import effect_exclusion_rule
from thrifty.run.exclusions import exclusion_rule
from thrifty.run.facts import Run, RunFacts
from thrifty.run.learning import bills_of
from thrifty.run.paid_ahead import PaidAhead
from thrifty.run.services import Services, asked_of
from thrifty.steering.decide import OnDrift
from thrifty.steering.forecast import Forecaster, summarise_bill
from thrifty.steering.remaining import RemainingPlan


class RunSettings(PlanSettings, Protocol):
    """The fields of a run's context that are read here. The context says what they mean."""

    model: str
    engine: EngineName
    max_steps: int | None
    on_drift: OnDrift

    def step_prompt(self, work: Work, role: ModelRole) -> ModelPrompt: ...


class Choices(NamedTuple):
    """What a run can choose from, as it is declared. Only failures and answers change it."""

    steps: tuple[Step, ...]
    """All that there are, done or not, as they are estimated for the run's task and models."""
    offered: tuple[Step, ...]
    """Those that have an available option, with these options alone."""
    excluded: tuple[LeftOut, ...]
    """The other options, and why they are not available."""


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
    return StepEstimator(access, run["task"], settings.step_prompt, services.shape, asked_of(run))


class CurrentRun:
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
            (access, run["task"], asked_of(run), settings),
            lambda: step_estimator(run, access, settings, self.services),
        )

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

    def left_to_plan(self) -> Budget:
        """What a plan can count on: what is left, and what it will find paid for already."""
        paid = self.cache.compute_once("paid ahead", None, self._read_paid_ahead)
        return paid.add_to(self.left(), self.limits, self.cache.outcomes)

    def steps(self) -> tuple[Step, ...]:
        """Every step as declared: those of its recipe, then those that a model proposed."""
        run, catalog = self.facts["run"], self.services.steps(self.facts["run"], self.id)
        # Nothing is added to a direct answer, whatever a state says.
        given = [] if run["recipe"] == ANSWER else self.facts["proposed"]

        def compute() -> tuple[Step, ...]:
            return (*catalog, *hold_to_catalog(map(Step.from_state, given), catalog))

        return self.cache.compute_once("declared steps", given, compute)

    def steps_by_name(self) -> Mapping[str, Step]:
        """The same by name, in the order in which they would run, which is that of the draft."""
        return self.cache.compute_once(
            "steps by name", None, lambda: {step.name: step for step in order_steps(self.steps())}
        )

    def declared_options(self) -> Mapping[str, StepOption]:
        """Every option by its name, as its catalog declares it."""
        return self.cache.compute_once(
            "declared options",
            None,
            lambda: {option.name: option for step in self.steps() for option in step.options},
        )

    def draft(self) -> Draft:
        """What the steps have written so far."""
        return self.cache.accumulate(
            "draft", None, lambda: Draft(tuple(self.steps_by_name().values())), Draft.add
        )

    def results(self) -> Results:
        """What there is to read: the documents, and what the steps have made so far."""
        given, named = self.facts.get("results", {}), self.facts["run"].get("documents", ())
        documents = {name: given[name]["text"] for name in named if name in given}
        return self.cache.accumulate(
            "results", tuple(documents), lambda: Results(documents), Results.add
        )

    def choices(self) -> Choices:
        """What the run can choose from now."""
        facts, failures, access = self.facts, self.cache.failures, self.model_access
        overruns = self.overruns()
        learned, estimator = self._learned_estimates(), self.estimator
        steps = self.cache.compute_once(
            "steps",
            estimator,
            lambda: learned.apply_scores(estimator.estimate_steps(self.steps(), self.results())),
        )

        def compute() -> Choices:
            why_excluded = exclusion_rule(
                failures, facts["left_out"], access.worker, overruns, access.executor_model
            )
            has_effects = self.services.executors.has_effects
            why_not_otherwise = effect_exclusion_rule(failures, has_effects)

            def why_not(option: StepOption) -> str:
                return why_not_otherwise(option) or why_excluded(option)

            return Choices(steps, *find_available_options(steps, access, why_not))

        return self.cache.compute_once(
            "choices", (access, facts["left_out"], len(failures), overruns), compute
        )

    def overruns(self) -> tuple[Overrun, ...]:
        """Whose bill came to more than it was allowed, as of the last outcome."""

        def compute() -> tuple[Overrun, ...]:
            entries = self.services.ledger.overruns(self.id)
            # A limit of an account above the run's counts as well.
            limits = self.services.limits_in_force(self.id)
            who = self.model_access.executor_model
            return find_overruns(entries, limits, self.declared_options(), who)

        return self.cache.compute_once("overruns", (len(self.cache.outcomes), self.limits), compute)

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

    def undone(self, plan: Plan) -> list[StepOption]:
        """What of a plan has left nothing yet, whatever became of it."""
        return [option for option in plan.chosen if option.step not in self.cache.finished]

    def no_plan_reason(self) -> str:
        """Why there is no plan any more, whatever is left to spend. Empty if there may be one."""
        return no_plan_reason(*self.choices(), self.cache.finished)

    def problem(self) -> tuple[Problem, tuple[LeftOut, ...]]:
        """The problem that a plan made now would solve, and the options that are excluded.

        Only what is done is settled. Everything else may be chosen anew, and is estimated by
        what the bills of this run, and of earlier ones, came to.
        """
        problem, excluded = self.cache.compute_once(
            "problem",
            # Bills change the estimates, a person's answer the limits and exclusions.
            (len(self.cache.outcomes), self.facts["left_out"], self.limits),
            self._compute_problem,
        )
        # What is left is another at every moment.
        return replace(problem, left=self.left_to_plan()), excluded

    def remaining(self) -> RemainingPlan:
        """What is still to be done of the plan in force, estimated like the problem."""
        settings, choices, forecaster = self._settings, self.choices(), self._forecaster()
        plan = self.cache.read(Plan, self.facts["plan"])
        # A limit on a schedule wants the order in which it was planned.
        is_timed = settings.max_concurrency > 1 and self.limits.max_latency_ms is not None
        # Only a limit asks for the makespan, which costs a look at all that remains.
        concurrency = settings.max_concurrency if is_timed else 1
        waits_for_savings = settings.on_drift == "replan" and not is_timed

        def compute() -> RemainingPlan:
            open_steps, done = self._open_and_done()
            return RemainingPlan(
                plan.chosen,
                open_steps,
                done,
                max_steps=self._max_steps(),
                diversity_penalty=settings.diversity_penalty,
                forecaster=forecaster,
                executor_model_of=self.model_access.executor_model,
                defer_upgradable=waits_for_savings,
                concurrency=concurrency,
            )

        return self.cache.accumulate(
            "remaining plan",
            (plan, choices, self.model_access, waits_for_savings, concurrency),
            compute,
            self._mark_done,
        )

    def _max_steps(self) -> int:
        recipe, wanted = self.facts["run"]["recipe"], self._settings.max_steps
        return self.services.recipes.max_steps(recipe, wanted)

    def _read_paid_ahead(self) -> PaidAhead:
        prefixes = f"{STEP_KEYS}/", f"{EFFECT_KEYS}/"
        return PaidAhead.read(self.services.ledger.entries(self.id), prefixes)

    def _learned_estimates(self) -> LearnedEstimates:
        return self.cache.read(LearnedEstimates, self.facts["learned"])

    def _forecaster(self) -> Forecaster:
        """What the bills so far, of this run and of earlier ones, say of the estimates."""
        # The same object grows, since it keeps what it has worked out for each step.
        return self.cache.accumulate(
            "forecaster",
            None,
            lambda: Forecaster(self._learned_estimates().summaries),
            self._add_bills,
        )

    def _add_bills(self, forecaster: Forecaster, outcomes: Iterable[Outcome]) -> None:
        for bill in bills_of(outcomes, self.model_access):
            forecaster.add(summarise_bill(bill))

    def _mark_done(self, remaining: RemainingPlan, outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            if outcome.has_text:
                remaining.mark_done(self.steps_by_name()[outcome.step])
        restated = self._restated_steps()
        for name in self._readers_of(outcomes):
            remaining.restate(restated[name])

    def _restated_steps(self) -> Mapping[str, Step]:
        """By name, the offered steps of whose sources some are done, estimated by those."""
        return self.cache.accumulate("restated steps", self.choices(), dict, self._restate)

    def _restate(self, restated: dict[str, Step], outcomes: Sequence[Outcome]) -> None:
        declared, results = self.declared_options(), self.results()
        offered = {step.name: step for step in self.choices().offered}
        for name in self._readers_of(outcomes):
            step = offered[name]
            options = [declared[option.name] for option in step.options]
            restated[name] = self.estimator.estimate_step(step, options, results)

    def _readers_of(self, outcomes: Iterable[Outcome]) -> list[str]:
        """The names of the offered steps that read what these outcomes have left."""
        choices = self.choices()

        def compute() -> dict[str, list[str]]:
            readers: dict[str, list[str]] = {}
            for step in choices.offered:
                for source in chain(*self.results().readings_of(step)):
                    readers.setdefault(source, []).append(step.name)
            return readers

        readers = self.cache.compute_once("readers", choices, compute)
        done = [readers.get(outcome.step, ()) for outcome in outcomes if outcome.has_text]
        return list(dict.fromkeys(chain.from_iterable(done)))

    def _open_and_done(self) -> tuple[tuple[Step, ...], tuple[Step, ...]]:
        """The steps that may still be chosen, and those that are done."""
        choices, finished, restated = self.choices(), self.cache.finished, self._restated_steps()
        still_open = [step for step in choices.offered if step.name not in finished]
        return (
            tuple([restated.get(step.name, step) for step in still_open]),
            tuple([step for step in choices.steps if step.name in finished]),
        )

    def _compute_problem(self) -> tuple[Problem, tuple[LeftOut, ...]]:
        """The problem but for what is left, which is another at every moment."""
        settings, finished = self._settings, self.cache.finished
        open_steps, done = self._open_and_done()
        problem = Problem(
            steps=self._forecaster().forecast_steps(open_steps, self.model_access.executor_model),
            left=self.limits,
            max_steps=max(0, self._max_steps() - len(done)),
            diversity_penalty=settings.diversity_penalty,
            done=done,
            concurrency=settings.max_concurrency,
            schedule="waves",
            risk=settings.risk,
            residuals=self._learned_estimates().residuals,
        )
        excluded = [left for left in self.choices().excluded if left.step not in finished]
        return problem, tuple(excluded)
