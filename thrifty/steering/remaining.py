"""The remaining part of a plan: what of it is still to be done, and what that comes to.

A run asks after every step. To estimate all that is open each time would take a plan of a thousand
steps a million estimates. So each is counted once and taken off once, until a belief changes.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from heapq import nlargest
from math import fsum

from thrifty.budget import Plan, Spend, Step, StepOption
from thrifty.budget.spend import SPEND_FIELDS
from thrifty.planning.cascade_column import column_amounts
from thrifty.planning.plan_spend import makespan_ms
from thrifty.planning.problem import Problem, count_topic_pairs
from thrifty.planning.role_rows import RoleRows
from thrifty.steering.forecast import ExecutorModelOf, Forecaster, expected_amounts


@dataclass(frozen=True, slots=True)
class RemainingTotals:
    """The totals of what remains of a plan."""

    option_count: int
    """How many options of the plan can still be carried out."""
    expected_spend: Spend
    """What they are expected to use; the latency is that of the way in which they will run."""
    value: float
    """What they are worth together, redundancy taken off."""
    value_bound: float
    """What no plan can be worth more than, seen without planning: the best option of each step,
    as if every one of them fitted."""
    open_step_count: int
    """How many steps could still be chosen, planned or not."""
    done_step_count: int
    """How many steps are done."""


def remaining_options(plan: Plan, problem: Problem) -> list[StepOption]:
    """What of a plan can still be chosen, as it is estimated now."""
    now = {option.name: option for step in problem.steps for option in step.options}
    return [now[option.name] for option in plan.chosen if option.name in now]


class RemainingPlan:
    """What remains of a plan, updated as the plan is carried out."""

    def __init__(
        self,
        chosen: Iterable[StepOption],
        offered: Sequence[Step],
        done: Sequence[Step],
        *,
        max_steps: int,
        diversity_penalty: float,
        forecaster: Forecaster,
        executor_model_of: ExecutorModelOf,
        lost: Sequence[Step] = (),
        defer_upgradable: bool = False,
        concurrency: int = 1,
    ) -> None:
        """What remains now.

        Args:
            chosen: the options of the plan, in running order.
            offered: the steps that may be chosen, as they are declared.
            done: the steps that are done.
            max_steps: the most steps that a run may have, done ones counted.
            diversity_penalty: what a pair of steps on one topic takes off the value.
            forecaster: what bills suggest of the estimates; it may grow.
            executor_model_of: who would do an option.
            lost: the steps that nobody can do.
            defer_upgradable: whether what has a better option waits for what is saved until then.
                Else free steps, which bring most for their spend, would all be done before
                anything could be saved for them.
            concurrency: how many steps run side by side. Above one, the totals look at all of
                them for their makespan.
        """
        self.open_steps = {step.name: step for step in offered}
        known = {option.name: option for step in offered for option in step.options}
        planned = [known[option.name] for option in chosen if option.name in known]
        options = [option for option in planned if not option.is_kept]
        if defer_upgradable:
            options.sort(key=self._turn)
        self.options_by_step = {option.step: option for option in options}
        """What is still to be done, as it is declared, in its order."""
        self.kept_results = {option.step: option for option in planned if option.is_kept}
        """By its step, each result that stays as it is, though it could still be replaced."""
        steps = [self.open_steps[option.step] for option in options]
        self.kept_steps = {s.name for s in steps if _is_needed(s)}
        """What is still to be done and must not be crowded out: the answer, required steps, and
        revisions."""
        self._forecaster, self._executor_model_of = forecaster, executor_model_of
        self.expected_spend = ExpectedSpend(
            options, forecaster, executor_model_of, lambda option: self.open_steps[option.step]
        )
        """What it is expected to use, one after another."""
        self._best_values = sorted(step.value_max for step in offered)
        self._done = {step.name: step for step in done}
        self._lost = tuple(lost)
        self._has_rows = any(s.role in ("answer", "material") for s in (*offered, *done, *lost))
        self._max_steps, self._concurrency = max_steps, concurrency
        self._diversity_penalty = diversity_penalty
        self._done_topics = [step.topic for step in done]
        if self._has_rows:
            self._drop_unread()

    def _turn(self, option: StepOption) -> tuple[bool, bool]:
        """What comes first. A cascade tells by its check what the rest may spend, and what has a
        better option waits for that."""
        best = self.open_steps[option.step].value_max
        return option.cascade is None, option.value < best

    def mark_done(self, step: Step) -> None:
        """Removes a step that is done; a second call changes nothing."""
        if step.name in self._done:
            return
        self._done[step.name] = step
        self._done_topics.append(step.topic)
        if option := self.options_by_step.pop(step.name, None):
            self.expected_spend.remove(option)
        if offered := self.open_steps.pop(step.name, None):
            del self._best_values[bisect_left(self._best_values, offered.value_max)]
        self.kept_steps.discard(step.name)
        self.kept_results.pop(step.name, None)
        if self._has_rows:
            self._drop_unread()

    def _drop_unread(self) -> None:
        """Removes material that nobody is left to read."""
        rows = self._rows()
        choosable = rows.choosable()
        for name in rows.readers.keys() & self.options_by_step.keys() - choosable:
            self.expected_spend.remove(self.options_by_step.pop(name))

    def _rows(self) -> RoleRows:
        return RoleRows(self.open_steps.values(), tuple(self._done.values()), self._lost)

    def restate(self, step: Step) -> None:
        """Takes the new estimates of an open step, once more is known of what it reads, and what
        it is worth then."""
        if step.name not in self.open_steps:
            return
        before = self.open_steps[step.name]
        del self._best_values[bisect_left(self._best_values, before.value_max)]
        insort(self._best_values, step.value_max)
        self.open_steps[step.name] = step
        if option := self.options_by_step.get(step.name):
            self.expected_spend.remove(option)
            self.options_by_step[step.name] = restated = step.option(option.name)
            self.expected_spend.add(restated)
        elif option := self.kept_results.get(step.name):
            self.kept_results[step.name] = step.option(option.name)

    def totals(self) -> RemainingTotals:
        """What it comes to now."""
        worth = (*self.options_by_step.values(), *self.kept_results.values())
        values = fsum([option.value for option in worth])
        topics = [self.open_steps[option.step].topic for option in worth]
        pairs = count_topic_pairs(topics, self._done_topics)
        places = max(0, self._max_steps - len(self._done))
        value_bound, open_step_count = self._best_case(places)
        return RemainingTotals(
            option_count=len(self.options_by_step),
            expected_spend=self._spend_as_run(),
            value=values - self._diversity_penalty * pairs,
            value_bound=value_bound,
            open_step_count=open_step_count,
            done_step_count=len(self._done) + len(self.kept_results),
        )

    def _best_case(self, places: int) -> tuple[float, int]:
        """The most that so many steps can be worth, and how many steps could be among them."""
        if not self._has_rows:
            most = fsum(self._best_values[max(0, len(self._best_values) - places) :])
            return most, len(self.open_steps)
        rows = self._rows()
        values = (
            [self.open_steps[name].value_max for name in rows.steps_of(case)]
            for case in rows.cases()
        )
        most = max([fsum(nlargest(places, each)) for each in values], default=0.0)
        return most, len(rows.choosable())

    def _spend_as_run(self) -> Spend:
        """What it is expected to use when `route` sends it, so many steps at a time."""
        total = self.expected_spend.total()
        if self._concurrency == 1:
            return total
        options = self.options_by_step.values()
        steps = [self.open_steps[option.step] for option in options]
        latencies_ms = list(map(self.expected_spend.latency_ms, options))
        latency_ms = makespan_ms(steps, latencies_ms, self._concurrency, waves=True)
        return replace(total, latency_ms=latency_ms)

    def forecast_step(self, name: str) -> Step:
        """An open step as it is estimated now."""
        return self._forecaster.forecast_step(self.open_steps[name], self._executor_model_of)


def _is_needed(step: Step) -> bool:
    """Whether a step that is still to be done must not be crowded out. One that has a result
    already may be."""
    return not step.has_result and (step.required or step.role in ("answer", "revision"))


class ExpectedSpend:
    """What options are expected to use together, by executor, as far as beliefs go by now."""

    def __init__(
        self,
        options: Iterable[StepOption],
        forecaster: Forecaster,
        executor_model_of: ExecutorModelOf,
        step_of: Callable[[StepOption], Step],
    ) -> None:
        """Counts what there is.

        Args:
            options: that are still to be done.
            forecaster: what bills suggest of the estimates.
            executor_model_of: who would do an option.
            step_of: the step of an option, with those that a cascade is made of.
        """
        self._step_of = step_of
        self._options = {option.name: option for option in options}
        self._forecaster, self._executor_model_of = forecaster, executor_model_of
        self._count_all()

    def remove(self, option: StepOption) -> None:
        """Leaves an option out from now on."""
        self._count(self._options.pop(option.name), -1)

    def add(self, option: StepOption) -> None:
        """Counts one more option."""
        self._options[option.name] = option
        self._estimate(option)
        self._count(option, 1)

    def total(self, executor: str | None = None) -> Spend:
        """What they come to, or those of one executor."""
        if self._version != self._forecaster.version:
            self._count_all()
        if executor is not None:
            return Spend(*self._totals.get(executor, ()))
        return Spend(*map(sum, zip(*self._totals.values(), strict=True)))

    def latency_ms(self, option: StepOption) -> int:
        """The latency of one of them, as of the last total."""
        return Spend(*self._amounts[option.name]).latency_ms

    def _count_all(self) -> None:
        self._version = self._forecaster.version
        self._amounts: dict[str, tuple[int, ...]] = {}
        self._totals: dict[str, list[int]] = {}
        for option in self._options.values():
            self._estimate(option)
            self._count(option, 1)

    def _estimate(self, option: StepOption) -> None:
        cascade = option.cascade
        if cascade is None:
            amounts = self._direct_amounts(option)
        else:
            step = self._step_of(option)
            both = map(self._direct_amounts, map(step.option, (cascade.first, cascade.then)))
            amounts = column_amounts(cascade, *both)
        self._amounts[option.name] = amounts

    def _direct_amounts(self, option: StepOption) -> tuple[int, ...]:
        key = self._forecaster.belief_key(option, self._executor_model_of(option))
        return expected_amounts(option.estimate, self._forecaster.ratios(key))

    def _count(self, option: StepOption, times: int) -> None:
        totals = self._totals.setdefault(option.executor, [0] * len(SPEND_FIELDS))
        # What was counted is what is taken off, whatever is believed by then.
        for place, amount in enumerate(self._amounts[option.name]):
            totals[place] += times * amount
