"""Options measured in the rows of a model: what they take of each limited resource."""

from operator import le, mul, sub

from thrifty.budget.option import StepOption
from thrifty.budget.resources import LATENCY, RESOURCES, TOOL_CALLS
from thrifty.planning import risk
from thrifty.planning.model import MICRO, Clock, Item
from thrifty.planning.problem import Problem


class Measure:
    """The limited resources of a problem, as rows."""

    def __init__(self, problem: Problem) -> None:
        limits = problem.limits
        limited = [(place, limit) for place, limit in enumerate(limits) if limit is not None]
        self.places = [place for place, _ in limited]
        self.is_every = len(limited) == len(limits)
        self.names = tuple(RESOURCES[place].name for place in self.places)
        self.limits = tuple(limit for _, limit in limited)
        self.capacities = self.limits
        self.margin = risk.margin(problem.risk, problem.surprises)
        self.has_margin = self.margin != risk.Margin()
        # A call is counted, not estimated: it does not come out as one and a quarter.
        self.uncertain = tuple(int(name != TOOL_CALLS.name) for name in self.names)
        self.clock: Clock | None = None
        if problem.concurrency > 1 and LATENCY.name in self.names:
            self._start_clock(problem)

    def _start_clock(self, problem: Problem) -> None:
        """Latency no longer adds up, but no schedule does more work than its places hold."""
        row = self.names.index(LATENCY.name)
        limit = self.limits[row]
        self.clock = Clock(limit, row, problem.concurrency, problem.schedule == "waves")
        wide = limit * problem.concurrency
        self.capacities = (*self.limits[:row], wide, *self.limits[row + 1 :])

    def item(self, option: StepOption) -> Item:
        """An option as an item, its value still in millionths, its step not yet numbered."""
        spend = option.estimate.amounts
        amounts = spend if self.is_every else tuple([spend[place] for place in self.places])
        variances: tuple[int, ...] = ()
        if self.has_margin and (spread := round(option.spread * risk.MILLI)):
            amounts = tuple(
                [
                    risk.shifted(amount, spread * uncertain, self.margin)
                    for amount, uncertain in zip(amounts, self.uncertain, strict=True)
                ]
            )
            if factor := spread * self.margin.z_milli:
                deviations = map(mul, amounts, self.uncertain)
                variances = tuple([(deviation * factor) ** 2 for deviation in deviations])
        return Item(0, round(option.value * MICRO), amounts, variances, spend, option.name)

    def fits(self, item: Item) -> bool:
        """Whether an item fits alone."""
        if not item.variances:
            return all(map(le, item.amounts, self.limits))
        rooms = map(sub, self.limits, item.amounts)
        return all(map(risk.within, rooms, item.variances))

    def room(self, item: Item) -> dict[str, int]:
        """What an item alone leaves of each limit; negative when it does not fit."""
        variances = item.variances or (0,) * len(self.names)
        parts = zip(self.names, self.limits, item.amounts, variances, strict=True)
        return {
            name: limit - amount - risk.reserve(variance) for name, limit, amount, variance in parts
        }
