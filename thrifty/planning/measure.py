"""Options measured in the rows of a model: what they take of each limited resource.

A plan looks at every option it is offered, and in a large catalog that is most of its work: so
all are measured at once, column by column, into bare tuples, and only once.
"""

from collections.abc import Iterable, Sequence
from itertools import islice, repeat
from operator import gt, mul, sub

from thrifty.budget.option import StepOption
from thrifty.budget.resources import LATENCY, RESOURCES, TOOL_CALLS
from thrifty.planning import risk
from thrifty.planning.model import MICRO, Clock
from thrifty.planning.problem import Problem

Amounts = tuple[int, ...]

Figures = tuple[int, Amounts, str, Amounts, Amounts]
"""An option in figures, so that the best ones sort first:

- its value in millionths, with a minus;
- the bare estimate of all resources: the lower one wins a tie;
- its name;
- what it takes of each row's capacity;
- the squares of its margins, a row each; empty when the plan takes no margin.
"""


class Measure:
    """The limited resources of a problem, as rows."""

    def __init__(self, problem: Problem) -> None:
        limits = problem.limits
        limited = [(place, limit) for place, limit in enumerate(limits) if limit is not None]
        self.places = [place for place, _ in limited]
        self.resources = [RESOURCES[place] for place in self.places]
        self.names = tuple([resource.name for resource in self.resources])
        self.limits = tuple(limit for _, limit in limited)
        self.capacities = self.limits
        self.margin = risk.margin(problem.risk, problem.surprises)
        self.has_margin = self.margin != risk.Margin()
        # A call is counted, not estimated: it does not come out as one and a quarter.
        self.uncertain = tuple(int(name != TOOL_CALLS.name) for name in self.names)
        self.clock: Clock | None = None
        if problem.concurrency > 1 and LATENCY.name in self.names:
            self._start_clock(problem)
        figures = iter(self._figures([o for step in problem.steps for o in step.options]))
        self.offers = [list(islice(figures, len(step.options))) for step in problem.steps]
        """The options of each step in figures, in the order of the problem."""
        self.barred = self._barred()
        """The names of those that do not fit even alone."""

    def _start_clock(self, problem: Problem) -> None:
        """Latency no longer adds up, but no schedule does more work than its places hold."""
        row = self.names.index(LATENCY.name)
        limit = self.limits[row]
        self.clock = Clock(limit, row, problem.concurrency, problem.schedule == "waves")
        wide = limit * problem.concurrency
        self.capacities = (*self.limits[:row], wide, *self.limits[row + 1 :])

    def _figures(self, options: Sequence[StepOption]) -> list[Figures]:
        """Options in figures."""
        spends: list[Amounts] = [option.estimate.amounts for option in options]
        amounts = spends
        if len(self.places) < len(RESOURCES):
            amounts = [tuple([spend[place] for place in self.places]) for spend in spends]
        variances: Iterable[Amounts] = repeat((), len(options))
        if self.has_margin:
            spreads = [round(option.spread * risk.MILLI) for option in options]
            amounts = list(map(self._shifted, amounts, spreads))
            variances = map(self._variances, amounts, spreads)
        values = [-round(option.value * MICRO) for option in options]
        names = [option.name for option in options]
        return list(zip(values, spends, names, amounts, variances, strict=True))

    def _shifted(self, amounts: Amounts, spread_milli: int) -> Amounts:
        """Estimates with what such steps have cost too much on average."""
        if not self.margin.shift_milli or not spread_milli:
            return amounts
        return tuple(
            [
                risk.shifted(amount, spread_milli * uncertain, self.margin)
                for amount, uncertain in zip(amounts, self.uncertain, strict=True)
            ]
        )

    def _variances(self, amounts: Amounts, spread_milli: int) -> Amounts:
        """The squares of the margins; none for what has no spread."""
        if not (factor := spread_milli * self.margin.z_milli):
            return ()
        deviations = map(mul, amounts, self.uncertain)
        return tuple([(deviation * factor) ** 2 for deviation in deviations])

    def _barred(self) -> set[str]:
        limits = self.limits
        return {
            name
            for offers in self.offers
            for _, _, name, amounts, variances in offers
            if any(map(gt, amounts, limits))
            or (variances and not all(map(risk.within, map(sub, limits, amounts), variances)))
        }

    def missing_alone(self, figures: Figures) -> dict[str, int]:
        """What a barred option misses of each limit that it does not fit in."""
        _, _, _, amounts, variances = figures
        margins = map(risk.reserve, variances or repeat(0))
        parts = zip(self.names, self.limits, amounts, margins, strict=False)
        short = {name: amount + margin - limit for name, limit, amount, margin in parts}
        return {name: amount for name, amount in short.items() if amount > 0}
