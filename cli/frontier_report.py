"""What `thrifty frontier` computes: what budgets would buy, and the curve to be drawn of it."""

from dataclasses import dataclass

from thrifty.budget import InvalidInput
from thrifty.budget.plan import share_of_best
from thrifty.budget.resources import LATENCY, RESOURCES, Resource
from thrifty.cli.plan_preview import foresee_run
from thrifty.cli.run_request import RunRequest
from thrifty.planning.frontier import (
    ALL_RESOURCES,
    POINTS_DEFAULT,
    FrontierPoint,
    compare_points,
    frontier,
    frontier_point,
)
from thrifty.planning.upgrade import Upgrade, find_upgrades
from thrifty.planning.without_limits import best_without_limits
from thrifty.receipt import wording
from thrifty.receipt.frontier_plot import ValueCurve
from thrifty.run.asking_rule import AskingForecast

BUDGET_FACTOR_MAX = 2
"""The curve ends at twice the budget."""


@dataclass(frozen=True, slots=True)
class FrontierReport:
    """What budgets would buy."""

    over: str
    """The resource whose limit varies, or all."""
    current: FrontierPoint
    points: tuple[FrontierPoint, ...]
    upgrades: tuple[Upgrade, ...]
    best: float | None
    """What the best plan would be worth if no resource were limited. None where that is not
    proven."""
    asking: AskingForecast | None
    """Whether a run would first ask a model for steps. None where that is no question."""
    uncounted: tuple[str, ...]
    """The executors whose help the values do not count."""

    def share_of(self, point: FrontierPoint) -> float | None:
        """What part of the best a point is worth. None where that is not known."""
        return share_of_best(point.value, self.best)

    @property
    def sentences(self) -> tuple[str, ...]:
        """What the budget buys, and what more would, in sentences; at least one."""
        share = wording.describe_share(self.share_of(self.current), self.best)
        worth = f"Your budget buys {self.current.value:.1f}{share and f', {share}'}."
        uncounted = wording.sentence(wording.describe_uncounted(self.uncounted))
        told = filter(None, (worth, uncounted)) if self.current.options else ()
        return (*told, *self.upgrade_sentences)

    @property
    def upgrade_sentences(self) -> tuple[str, ...]:
        """What more would buy, in sentences; at least one."""
        if self.upgrades:
            return tuple(map(wording.describe_upgrade, self.upgrades))
        for place, point in enumerate(self.points, 1):
            gain = point.value - self.current.value
            if gain > 0:
                percent = round(100 * BUDGET_FACTOR_MAX * place / len(self.points))
                what = wording.describe_gain(*compare_points(self.current, point), gain)
                limit = wording.RESOURCE_LABELS.get(self.over, "every limit")
                return (f"No limit alone buys more. {percent}% of {limit} buys {what}.",)
        return (wording.NO_BETTER_ANSWER if self.uncounted else wording.NOTHING_GAINED,)


def plan_frontier(request: RunRequest, over: str | None, points: int | None) -> FrontierReport:
    """Plans for one budget after the other.

    Args:
        request: whose budget it is.
        over: which limit varies, as a person calls it; all in proportion when None.
        points: how many budgets to plan for.

    Raises:
        InvalidInput: that is not limited, or not so many.
    """
    foreseen, engine = foresee_run(request), request.context.engine
    problem = foreseen.problem
    names = {wording.RESOURCE_LABELS[r.name]: r.name for r, _ in problem.left.limited_resources()}
    names = {ALL_RESOURCES: ALL_RESOURCES, **names}
    if (label := over or ALL_RESOURCES) not in names:
        raise InvalidInput("over", over, f"limit it, or use one of: {', '.join(names)}")
    count = POINTS_DEFAULT if points is None else points
    cap, most = foreseen.cap_answers, BUDGET_FACTOR_MAX
    planned = frontier(problem, names[label], count, up_to=most, engine=engine, prepare=cap)
    current = frontier_point(problem, problem.left, engine, cap)
    upgrades, best = find_upgrades(problem, engine, current), best_without_limits(problem)
    return FrontierReport(
        names[label], current, planned, upgrades, best, foreseen.asking, foreseen.uncounted
    )


def value_curve(report: FrontierReport) -> ValueCurve:
    """The curve of a report: value over the limit that varies, or over the share of all limits."""
    resource = next((each for each in RESOURCES if each.name == report.over), None)
    if resource is None:
        share = 100 * BUDGET_FACTOR_MAX / len(report.points)
        amounts = [*(share * place for place in range(1, len(report.points) + 1)), 100.0]
    else:
        column, points = RESOURCES.index(resource), (*report.points, report.current)
        amounts = [float(point.budget.limits[column] or 0) for point in points]
    return ValueCurve(
        budgets=tuple(amounts[:-1]),
        values=tuple(point.value for point in report.points),
        current=(amounts[-1], report.current.value),
        label=wording.RESOURCE_LABELS[resource.name] if resource else "budget",
        show=lambda amount: _axis_label(amount, resource),
        remark=report.upgrade_sentences[0],
    )


def _axis_label(amount: float, resource: Resource | None) -> str:
    if resource is None:
        return f"{amount:.0f}%"
    # Along an axis one unit is easier to compare: no seconds beside milliseconds.
    if resource is LATENCY:
        return f"{amount:,.0f} ms"
    return wording.format_figure(round(amount), resource)
