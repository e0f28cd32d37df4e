"""A run as it stands: what it can still do, by what it has done and what it may spend."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from math import fsum
from typing import NamedTuple

from thrifty.budget import Budget, LeftOut, Outcome, Plan, Step, StepOption
from thrifty.estimates.learned import LearnedEstimates
from thrifty.executors.registry import AGENT
from thrifty.ledger.latest_call import list_calls
from thrifty.ledger.notes import Notes
from thrifty.options import priors
from thrifty.options.availability import find_available_options, lost_steps, no_plan_reason
from thrifty.options.capped_answers import cap_answers
from thrifty.options.cascades import offer_cascades
from thrifty.options.chances import Chances
from thrifty.options.objective import add_value
from thrifty.planning.problem import Problem
from thrifty.planning.role_rows import excused_beside, has_result
from thrifty.run.assignment import EFFECT_KEYS, STEP_KEYS, effect_key
from thrifty.run.effect_exclusions import effect_exclusion_rule
from thrifty.run.exclusions import exclusion_rule
from thrifty.run.facts import fee_limits
from thrifty.run.learning import bills_of
from thrifty.run.paid_ahead import PaidAhead
from thrifty.run.plan_run import best_of_run, plan_run
from thrifty.run.run_so_far import RunSoFar
from thrifty.run.second_attempts import (
    failed_results,
    is_second_attempt,
    keep_unless_planned,
    reopen_step,
)
from thrifty.steering.forecast import Forecaster, summarise_bill
from thrifty.steering.remaining import RemainingPlan


class Choices(NamedTuple):
    """What a run can choose from, as it is declared. Only failures and answers change it."""

    steps: tuple[Step, ...]
    """All that there are, done or not, as they are estimated for the run's task and models."""
    offered: tuple[Step, ...]
    """Those that have an available option, with these options alone."""
    excluded: tuple[LeftOut, ...]
    """The other options, and why they are not available."""


class CurrentRun(RunSoFar):
    """Answers what nodes ask that plan, beside all that `RunSoFar` answers."""

    def left_to_plan(self) -> Budget:
        """What a plan can count on: what is left, and what it will find paid for already."""
        paid = self.cache.compute_once("paid ahead", None, self._read_paid_ahead)
        return paid.add_to(self.left(), self.limits, self.cache.outcomes)

    def choices(self) -> Choices:
        """What the run can choose from now."""
        facts, failures, access = self.facts, self.cache.failures, self.model_access
        overruns = self.overruns()
        estimator = self.estimator
        steps = self.cache.compute_once(
            "steps",
            estimator,
            lambda: self.chances.apply_to(estimator.estimate_steps(self.steps(), self.results())),
        )

        def compute() -> Choices:
            why_excluded = exclusion_rule(failures, facts["left_out"], access, overruns)
            why_not_otherwise = effect_exclusion_rule(failures, self._may_have_changed)

            def why_not(option: StepOption) -> str:
                return why_not_otherwise(option) or why_excluded(option)

            return Choices(steps, *find_available_options(steps, access, why_not))

        return self.cache.compute_once(
            "choices", (access, facts["left_out"], len(failures), overruns), compute
        )

    @property
    def chances(self) -> Chances:
        """What is known of how good results are."""
        return Chances(self.model_access, self.checks, self._learned_estimates().odds)

    def lost_steps(self) -> tuple[Step, ...]:
        """The steps that are not done, and that nobody can do."""
        choices, finished = self.choices(), self.cache.finished
        lost = lost_steps(choices.steps, choices.offered)
        return tuple([step for step in lost if step.name not in finished])

    def replaceable_steps(self) -> tuple[str, ...]:
        """What is done that an answer would replace, in the order of the draft. Nothing where
        there are no sections that it could stand in for."""
        steps, finished = self.steps_by_name(), self.cache.finished
        if all(step.role != "section" for step in steps.values()):
            return ()
        return tuple([n for n, step in steps.items() if n in finished and step.role != "answer"])

    def reopened_steps(self) -> Mapping[str, Step]:
        """By name, the steps whose result failed a check and that somebody else can still do, with
        what can be done: keep the result, or do it once more."""
        choices = self.choices()

        def compute() -> dict[str, Step]:
            offered = {step.name: step for step in choices.offered}
            restated = self._restated_steps()
            has_effects = self.services.executors.has_effects
            reopened: dict[str, Step] = {}
            for name, outcome in failed_results(self.cache, self.steps()).items():
                if name not in offered or self._may_have_changed(outcome.option):
                    continue
                step = restated.get(name, offered[name])
                if again := reopen_step(step, outcome, self.chances, has_effects):
                    reopened[name] = again
            return reopened

        inputs = choices, self.model_access, len(self.cache.outcomes)
        return self.cache.compute_once("reopened steps", inputs, compute)

    def undone(self, plan: Plan) -> list[StepOption]:
        """What of a plan is still to be done: what has left nothing yet, whatever became of it, and
        what is to be done once more."""
        reopened, texts = self.reopened_steps(), self.cache.texts

        def is_open(option: StepOption) -> bool:
            if option.step not in texts:
                return True
            is_again = option.name != texts[option.step].option.name
            return is_again and is_second_attempt(option, reopened)

        return list(filter(is_open, plan.chosen))

    def undone_reason(self) -> str:
        """What is not done that has to be there. Empty where nothing is missed."""
        steps, finished = self.steps(), self.cache.finished
        excused = excused_beside(finished, steps)
        missed = [s.name for s in steps if s.required and s.name not in finished | excused]
        if missed:
            return f"what has to be there was not done: {', '.join(map(repr, missed))}"
        return "" if has_result(steps, finished) else "nothing that makes the result was done"

    def no_plan_reason(self) -> str:
        """Why there is no plan any more, whatever is left to spend. Empty if there may be one."""
        return no_plan_reason(*self.choices(), self.cache.finished)

    def problem(self) -> tuple[Problem, tuple[LeftOut, ...]]:
        """The problem that a plan made now would solve, and the options that are excluded.

        Only what is done is settled. Everything else may be chosen anew, and is estimated by
        what the bills of this run, and of earlier ones, came to.
        """
        problem, excluded = self._timeless_problem()
        # What is left is another at every moment.
        now = replace(problem, left=self.left_to_plan())
        return cap_answers(now, self.estimator, self.results()), excluded

    def plan(self, problem: Problem) -> Plan:
        """The plan that the run makes of a problem of its own."""
        given = fee_limits(self.facts["run"])
        return plan_run(problem, self._settings.engine, given, self.model_access, is_held=True)

    def best_value(self) -> float | None:
        """What the plan made now would be worth if no resource were limited."""
        return best_of_run(self._timeless_problem()[0], fee_limits(self.facts["run"]))

    def remaining(self) -> RemainingPlan:
        """What is still to be done of the plan in force, estimated like the problem."""
        settings, choices, forecaster = self._settings, self.choices(), self._forecaster()
        plan = self.cache.read(Plan, self.facts["plan"])
        # A limit on a schedule wants the order in which it was planned.
        reopened = self.reopened_steps()
        is_timed = settings.max_concurrency > 1 and self.limits.max_latency_ms is not None
        # Only a limit asks for the makespan, which costs a look at all that remains.
        concurrency = settings.max_concurrency if is_timed else 1
        waits_for_savings = settings.on_drift == "replan" and not is_timed

        def compute() -> RemainingPlan:
            open_steps, done = self._open_and_done()
            return RemainingPlan(
                keep_unless_planned(plan.chosen, reopened),
                open_steps,
                done,
                lost=self.lost_steps(),
                max_steps=self._max_steps(),
                diversity_penalty=settings.diversity_penalty,
                forecaster=forecaster,
                executor_model_of=self.model_access.executor_model,
                defer_upgradable=waits_for_savings,
                concurrency=concurrency,
            )

        return self.cache.accumulate(
            "remaining plan",
            (plan, choices, self.model_access, waits_for_savings, concurrency, tuple(reopened)),
            compute,
            self._mark_done,
        )

    def _may_have_changed(self, option: StepOption) -> bool:
        """Whether an option that was called may have changed something outside."""
        if option.executor != AGENT:
            return self.services.executors.has_effects(option.executor)
        notes = Notes(self.services.ledger, self.id, option.name)
        return bool(list_calls(effect_key(option), notes))

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
        reopened = self.reopened_steps()
        for outcome in outcomes:
            if outcome.has_text and outcome.step not in reopened:
                remaining.mark_done(self.steps_by_name()[outcome.step])
        restated = {**self._restated_steps(), **reopened}
        for name in self._changed_by(outcomes):
            remaining.restate(self._with_cascades(restated[name]))

    def _restated_steps(self) -> Mapping[str, Step]:
        """By name, the offered steps of which something is known by what is done: those of whose
        sources some are, estimated by these, and answers that would take the place of sections."""
        return self.cache.accumulate("restated steps", self.choices(), dict, self._restate)

    def _restate(self, restated: dict[str, Step], outcomes: Sequence[Outcome]) -> None:
        declared, results = self.declared_options(), self.results()
        offered = {step.name: step for step in self.choices().offered}
        for name in self._changed_by(outcomes):
            step = offered[name]
            options = [declared[option.name] for option in step.options]
            estimated = self.estimator.estimate_step(step, options, results)
            (estimated,) = self.chances.apply_to([estimated])
            more = self._value_to_hand_on(step) - self._value_to_replace(step)
            restated[name] = add_value(estimated, more)

    def _value_to_hand_on(self, step: Step) -> float:
        """What a step is worth beside its own part, as it hands on material that is done.

        What material is worth was counted while it was planned. Once it is there, that hangs on
        those who read it: a plan with none of them would throw it away.
        """
        if self.facts["run"]["decomposition"] is None:
            return 0.0  # the values of a recipe stand as they are
        steps, readers = self.steps_by_name(), self._readers()
        return fsum(
            outcome.option.value / len(readers[outcome.step])
            for outcome in self.cache.texts.values()
            if steps[outcome.step].role == "material" and step.name in readers.get(outcome.step, ())
        )

    def _value_to_replace(self, step: Step) -> float:
        """What an answer has to be worth because it takes the place of sections that are done.

        Without a section that has to be there, these are no result, and it takes no place.
        """
        if step.role != "answer" or any(each.required for each in self.lost_steps()):
            return 0.0
        steps = self.steps_by_name()
        # With the material that was handed on to them.
        worth = fsum(
            outcome.option.value
            for outcome in self.cache.texts.values()
            if steps[outcome.step].role == "section"
        )
        return priors.TAKEOVER * worth

    def _changed_by(self, outcomes: Iterable[Outcome]) -> list[str]:
        """The names of the offered steps that read what these outcomes have left, or would take
        its place."""
        readers, steps = self._readers(), self.steps_by_name()
        done = [outcome.step for outcome in outcomes if outcome.has_text]
        names = chain.from_iterable(readers.get(name, ()) for name in done)
        has_section = any(steps[name].role == "section" for name in done)
        offered = self.choices().offered if has_section else ()
        answers = (step.name for step in offered if step.role == "answer")
        return list(dict.fromkeys([*names, *answers]))

    def _readers(self) -> Mapping[str, Sequence[str]]:
        """By the name of a step or document, the offered steps that read it."""
        choices = self.choices()

        def compute() -> dict[str, list[str]]:
            readers: dict[str, list[str]] = {}
            for step in choices.offered:
                for source in chain(*self.results().readings_of(step)):
                    readers.setdefault(source, []).append(step.name)
            return readers

        return self.cache.compute_once("readers", choices, compute)

    def _open_and_done(self) -> tuple[tuple[Step, ...], tuple[Step, ...]]:
        """The steps that may still be chosen, and those that are done."""
        choices, finished, restated = self.choices(), self.cache.finished, self._restated_steps()
        reopened = self.reopened_steps()
        restated = {**restated, **reopened}
        still_open = [
            step for step in choices.offered if step.name not in finished or step.name in reopened
        ]
        return (
            tuple([self._with_cascades(restated.get(s.name, s)) for s in still_open]),
            tuple([s for s in choices.steps if s.name in finished and s.name not in reopened]),
        )

    def _with_cascades(self, step: Step) -> Step:
        """An open step with what a second attempt of it adds. It is the very same object as long as
        the step is: forecasts know a step by its identity."""
        if not self._settings.cascades or step.has_result:
            return step
        known: dict[str, tuple[Step, Step]] = self.cache.compute_once(
            "cascades", (self.choices(), self.checks), dict
        )
        before, offered = known.get(step.name, (None, step))
        if before is not step:
            effects = self.services.executors.has_effects
            offered = offer_cascades(step, self.chances, effects)
            known[step.name] = step, offered
        return offered

    def _timeless_problem(self) -> tuple[Problem, tuple[LeftOut, ...]]:
        """The problem but for what is left, with answers of any length."""
        return self.cache.compute_once(
            "problem",
            # Bills change the estimates, a person's answer the limits and exclusions.
            (len(self.cache.outcomes), self.facts["left_out"], self.limits),
            self._compute_problem,
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
            lost=self.lost_steps(),
            concurrency=settings.max_concurrency,
            schedule="waves",
            risk=settings.risk,
            residuals=self._learned_estimates().residuals,
        )
        excluded = [left for left in self.choices().excluded if left.step not in finished]
        return problem, tuple(excluded)
