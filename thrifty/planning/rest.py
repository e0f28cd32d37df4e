"""The rest of a plan: what of it is still to be done, and what that comes to.

A run asks after every step. To look at all that is open each time would make a plan of a thousand
steps a million looks, so the rest is kept: what is in it is counted once, and taken off once.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import fsum

from thrifty.budget import Plan, Spend, Step, StepOption
from thrifty.budget.spend import SPEND_FIELDS
from thrifty.planning.forecast import Believed, Doer, DoerOf, Ratios, Seen, expected_amounts
from thrifty.planning.problem import Problem


@dataclass(frozen=True, slots=True)
class Ahead:
    """What lies ahead of a run, in sum."""

    to_do: int
    """How many options of the plan can still be carried out."""
    expected: Spend
    """What they are expected to use."""
    worth: float
    """What they are worth together, redundancy taken off."""
    worth_at_most: float
    """What no plan can be worth more than, seen without planning: the best option of each step,
    as if every one of them fitted."""
    open_steps: int
    """How many steps could still be chosen, planned or not."""
    done: int
    """How many steps are done."""


def still_to_do(plan: Plan, problem: Problem) -> list[StepOption]:
    """What of a plan can still be chosen, as it is estimated now."""
    now = {option.name: option for step in problem.steps for option in step.options}
    return [now[option.name] for option in plan.chosen if option.name in now]


def ahead(plan: Plan, problem: Problem) -> Ahead:
    """What lies ahead of a run that is on a plan, and could make another by this problem."""
    return Rest(
        plan.chosen,
        problem.steps,
        problem.done,
        max_steps=problem.max_steps + len(problem.done),
        diversity_penalty=problem.diversity_penalty,
    ).ahead()


def _executor(option: StepOption) -> Doer:
    return Doer(option.executor)


class Rest:
    """The rest of a plan, kept as the plan is carried out."""

    def __init__(
        self,
        chosen: Iterable[StepOption],
        offered: Sequence[Step],
        done: Sequence[Step],
        *,
        max_steps: int,
        diversity_penalty: float,
        seen: Seen | None = None,
        doer_of: DoerOf = _executor,
        upgradable_last: bool = False,
    ) -> None:
        """The rest as it is now.

        Args:
            chosen: the options of the plan, in running order.
            offered: the steps that may be chosen, as they are declared.
            done: the steps that are done.
            max_steps: the most steps that a run may have, done ones counted.
            diversity_penalty: what a pair of steps on one topic takes off the value.
            seen: what bills suggest of the estimates; it may grow. None: they stand as they are.
            doer_of: who would do an option.
            upgradable_last: whether what has a better option waits for what is saved until then.
                Else free steps, which bring most for their spend, would all be done before
                anything could be saved for them.
        """
        self.open_steps = {step.name: step for step in offered}
        known = {option.name: option for step in offered for option in step.options}
        options = [known[option.name] for option in chosen if option.name in known]
        if upgradable_last:
            options.sort(key=lambda option: option.value < self.open_steps[option.step].value_max)
        self.options = {option.step: option for option in options}
        """What is still to be done, as it is declared, in its order."""
        self.revisions = {o.step for o in options if self.open_steps[o.step].role == "revision"}
        self._seen, self._doer_of = seen or Seen(()), doer_of
        self._expected = Expected(options, self._seen, doer_of)
        self._best = sorted(step.value_max for step in offered)
        self._done = {step.name for step in done}
        self._max_steps, self._diversity_penalty = max_steps, diversity_penalty
        topics = [step.topic for step in done]
        self._redundant_done = Pairs(topics)
        self._redundant = Pairs([*topics, *(self.open_steps[o.step].topic for o in options)])

    def finish(self, step: Step) -> None:
        """Takes off a step that is done, once."""
        if step.name in self._done:
            return
        self._done.add(step.name)
        self._redundant_done.add(step.topic)
        if option := self.options.pop(step.name, None):
            self._expected.take_off(option)
        else:
            self._redundant.add(step.topic)
        if offered := self.open_steps.pop(step.name, None):
            del self._best[bisect_left(self._best, offered.value_max)]
        self.revisions.discard(step.name)

    def ahead(self) -> Ahead:
        """What it comes to now."""
        values = fsum([option.value for option in self.options.values()])
        pairs = self._redundant.count - self._redundant_done.count
        places = max(0, self._max_steps - len(self._done))
        return Ahead(
            to_do=len(self.options),
            expected=self.expected(),
            worth=values - self._diversity_penalty * pairs,
            worth_at_most=fsum(self._best[max(0, len(self._best) - places) :]),
            open_steps=len(self.open_steps),
            done=len(self._done),
        )

    def expected(self, executor: str | None = None) -> Spend:
        """What it is expected to use; what one executor does of it, when that is named."""
        return self._expected.total(executor)

    def step(self, name: str) -> Step:
        """An open step as it is estimated now."""
        return self._seen.step(self.open_steps[name], self._doer_of)


class Pairs:
    """How many pairs share a topic."""

    def __init__(self, topics: Iterable[str]) -> None:
        self.count = 0
        self._times: Counter[str] = Counter()
        for topic in topics:
            self.add(topic)

    def add(self, topic: str) -> None:
        """One more, which makes a pair with each that was there."""
        self.count += self._times[topic]
        self._times[topic] += 1


class Expected:
    """What options are expected to use together, added up by who does them; counted again only
    where a belief has moved."""

    def __init__(self, options: Iterable[StepOption], seen: Seen, doer_of: DoerOf) -> None:
        self._seen, self._changes = seen, seen.changes
        self._options: dict[Believed, dict[str, StepOption]] = {}
        self._about: dict[str, Believed] = {}
        self._ratios: dict[Believed, Ratios | None] = {}
        self._totals: dict[str, list[int]] = {}
        for option in options:
            about = self._about[option.name] = seen.about(option, doer_of(option))
            self._options.setdefault(about, {})[option.name] = option
        for about, members in self._options.items():
            self._ratios[about] = seen.ratios(about)
            for option in members.values():
                self._count(option, about, 1)

    def take_off(self, option: StepOption) -> None:
        """Leaves an option out from now on."""
        about = self._about.pop(option.name)
        self._count(self._options[about].pop(option.name), about, -1)

    def total(self, executor: str | None = None) -> Spend:
        """What they come to, or those of one executor."""
        if self._changes != self._seen.changes:
            self._changes = self._seen.changes
            self._recount()
        if executor is not None:
            return Spend(*self._totals.get(executor, ()))
        return Spend(*map(sum, zip(*self._totals.values(), strict=True)))

    def _recount(self) -> None:
        for about, members in self._options.items():
            if members and (ratios := self._seen.ratios(about)) != self._ratios[about]:
                for option in members.values():
                    self._count(option, about, -1)
                self._ratios[about] = ratios
                for option in members.values():
                    self._count(option, about, 1)

    def _count(self, option: StepOption, about: Believed, times: int) -> None:
        totals = self._totals.setdefault(option.executor, [0] * len(SPEND_FIELDS))
        amounts = expected_amounts(option.estimate, self._ratios[about])
        for place, amount in enumerate(amounts):
            totals[place] += times * amount
