"""The constraint matrix of a problem: a row for each limited resource, a column for each option.

A plan looks at every option it is offered, and in a large recipe that is most of its work: so
all are measured at once, column by column, into bare tuples, and only once.
"""

from collections.abc import Iterable, Sequence
from itertools import islice, repeat
from operator import gt, mul, sub

from thrifty.budget.option import StepOption
from thrifty.budget.resources import LATENCY, RESOURCES, TOOL_CALLS, format_amounts
from thrifty.planning import risk
from thrifty.planning.problem import Problem
from thrifty.planning.solver.knapsack import MICRO
from thrifty.planning.solver.makespan import MakespanLimit

RowAmounts = tuple[int, ...]

OptionColumn = tuple[int, RowAmounts, str, RowAmounts, RowAmounts]
"""The column of an option, as a tuple that sorts the best options first:

- its value in millionths, with a minus;
- the bare estimate of all resources: the lower one wins a tie;
- its name;
- what it takes of each row's capacity;
- the squares of its margins, a row each; empty when the plan takes no margin.
"""


class ConstraintMatrix:
    """What each option takes of each limited resource, and how much there is of it."""

    def __init__(self, problem: Problem) -> None:
        limits = problem.available_limits
        limited = [(place, limit) for place, limit in enumerate(limits) if limit is not None]
        self.places = [place for place, _ in limited]
        self.resources = [RESOURCES[place] for place in self.places]
        self.row_names = tuple([resource.name for resource in self.resources])
        self.limits = tuple(limit for _, limit in limited)
        self.capacities = self.limits
        self.margin = risk.margin_for_risk(problem.risk, problem.residuals)
        self.has_margin = self.margin != risk.RiskMargin()
        # A call is counted, not estimated: it does not come out as one and a quarter.
        self.uncertain = tuple(int(name != TOOL_CALLS.name) for name in self.row_names)
        self.makespan_limit: MakespanLimit | None = None
        if problem.concurrency > 1 and LATENCY.name in self.row_names:
            self._limit_makespan(problem)
        figures = iter(self._columns([o for step in problem.steps for o in step.options]))
        self.columns_by_step = [list(islice(figures, len(step.options))) for step in problem.steps]
        """The columns of each step's options, in the order of the problem."""
        self.oversized = self._find_oversized()
        """The names of the options that do not fit even alone."""

    def _limit_makespan(self, problem: Problem) -> None:
        """Limits the makespan: latencies do not add up, but the work of all steps together is at
        most the limit times the concurrency."""
        row = self.row_names.index(LATENCY.name)
        limit = self.limits[row]
        self.makespan_limit = MakespanLimit(
            limit, row, problem.concurrency, problem.schedule == "waves"
        )
        wide = limit * problem.concurrency  # no schedule gets more done
        self.capacities = (*self.limits[:row], wide, *self.limits[row + 1 :])

    def _columns(self, options: Sequence[StepOption]) -> list[OptionColumn]:
        """The columns of options."""
        spends: list[RowAmounts] = [option.estimate.amounts for option in options]
        amounts = spends
        if len(self.places) < len(RESOURCES):  # else the estimates serve as they are
            amounts = [tuple([spend[place] for place in self.places]) for spend in spends]
        variances: Iterable[RowAmounts] = repeat((), len(options))
        if self.has_margin:
            spreads = [round(option.spread * risk.MILLI) for option in options]
            amounts = list(map(self._shift_amounts, amounts, spreads))
            variances = map(self._margin_variances, amounts, spreads)
        values = [-round(option.value * MICRO) for option in options]
        names = [option.name for option in options]
        return list(zip(values, spends, names, amounts, variances, strict=True))

    def _shift_amounts(self, amounts: RowAmounts, spread_milli: int) -> RowAmounts:
        """Adds to estimates by how much such steps have cost more on average."""
        if not self.margin.shift_milli or not spread_milli:
            return amounts
        return tuple(
            [
                risk.shift_estimate(amount, spread_milli * uncertain, self.margin)
                for amount, uncertain in zip(amounts, self.uncertain, strict=True)
            ]
        )

    def _margin_variances(self, amounts: RowAmounts, spread_milli: int) -> RowAmounts:
        """The squares of the margins; none for what has no spread."""
        if not (factor := spread_milli * self.margin.z_milli):
            return ()
        deviations = map(mul, amounts, self.uncertain)
        return tuple([(deviation * factor) ** 2 for deviation in deviations])

    def _find_oversized(self) -> set[str]:
        limits = self.limits
        return {
            name
            for offers in self.columns_by_step
            for _, _, name, amounts, variances in offers
            if any(map(gt, amounts, limits))
            or (variances and not all(map(risk.fits_margin, map(sub, limits, amounts), variances)))
        }

    def shortfall_alone(self, column: OptionColumn) -> dict[str, int]:
        """What an oversized option lacks of each limit that it does not fit in."""
        _, _, _, amounts, variances = column
        margins = map(risk.margin_amount, variances or repeat(0))
        parts = zip(self.row_names, self.limits, amounts, margins, strict=False)
        short = {name: amount + margin - limit for name, limit, amount, margin in parts}
        return {name: amount for name, amount in short.items() if amount > 0}

    def describe_nearest(self, columns: Iterable[OptionColumn]) -> str:
        """Which option comes nearest to fitting alone, and what it lacks; empty if one fits."""
        columns = list(columns)
        if not columns or any(column[2] not in self.oversized for column in columns):
            return ""
        nearest = min(columns, key=lambda column: (*self._distance(column), column[2]))
        return f"{nearest[2]!r} is {format_amounts(self.shortfall_alone(nearest))} short"

    def _distance(self, column: OptionColumn) -> tuple[int, float]:
        """Of how many resources an oversized option lacks some, and which share at the most."""
        takes = dict(zip(self.row_names, column[3], strict=True))
        lacks = self.shortfall_alone(column)
        return len(lacks), max(lack / max(1, takes[name]) for name, lack in lacks.items())
