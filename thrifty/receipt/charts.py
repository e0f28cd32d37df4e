"""The geometry of a receipt's charts: pure arithmetic, in percent of a chart's width and height."""

from itertools import pairwise
from typing import NamedTuple

from thrifty.budget.decision import DecisionKind
from thrifty.budget.resources import LATENCY, RESOURCES, Resource
from thrifty.receipt.receipt_data import Receipt, ReceiptLine

MARKED_DECISIONS: dict[DecisionKind, str] = {
    "replan": "↻",
    "downgrade": "↓",
    "fallback": "↪",
    "check": "✗",
    "escalate": "⤴",
    "overrun": "!",
    "skip": "-",
    "ask": "?",
    "halt": "■",
}
"""The decisions that are marked on the timeline. The others every run makes."""
TICKS_MIN = 2
MARKS_APART_MIN = 4.0
"""Marks closer together than this, in percent, are shown as one."""


class Gauge(NamedTuple):
    """A resource: how much of its limit was planned and used."""

    resource: Resource
    limit: int | None
    planned: int
    used: int

    @property
    def used_share(self) -> float:
        return percent_of(self.used, self.limit)

    @property
    def planned_share(self) -> float:
        return percent_of(self.planned, self.limit)

    @property
    def left(self) -> int:
        return max(0, (self.limit or 0) - self.used)

    @property
    def is_over(self) -> bool:
        return self.limit is not None and self.used > self.limit


class TimelineRow(NamedTuple):
    """A line on the timeline."""

    line: ReceiptLine
    start: float | None
    """When the step was begun; None when it never was."""
    width: float = 0.0
    """How long the step took."""
    planned_width: float = 0.0
    """How long the step was expected to take."""


class DecisionMark(NamedTuple):
    """A mark on the timeline: one or more decisions that changed the run."""

    at: float
    kinds: tuple[DecisionKind, ...]


class AxisTick(NamedTuple):
    """A label below a time axis."""

    at: float
    label: str
    """In one unit for the whole axis."""


class GaugeSegment(NamedTuple):
    """What one line has used of a resource."""

    line: int
    """Its place among the receipt's lines."""
    start: float
    width: float


class SpendStair(NamedTuple):
    """A flat piece of a spend curve: from one payment to the next, at the height paid so far."""

    start: float
    width: float
    height: float
    rise: float
    """How much of the height was paid at its start."""


class SpendCurve(NamedTuple):
    """The spending of a resource over the time of a run, as a step function."""

    gauge: Gauge
    limit_height: float | None
    stairs: tuple[SpendStair, ...]


def percent_of(amount: int, whole: int | None) -> float:
    """A part in percent, from 0 to 100; all of nothing is 100 percent when there is something."""
    if not whole:
        return 100.0 if amount and whole is not None else 0.0
    return min(100.0, 100.0 * amount / whole)


def gauges(receipt: Receipt) -> tuple[Gauge, ...]:
    """One for each resource that is limited, planned or used."""
    budget, planned, spent = receipt.budget, receipt.planned, receipt.spent
    every = map(Gauge, RESOURCES, budget.limits, planned.amounts, spent.amounts)
    return tuple(g for g in every if g.limit is not None or g.planned or g.used)


def end_ms(receipt: Receipt) -> int:
    """The right edge of every time axis: all that was done, or was expected to take as long."""
    begun = [line for line in receipt.lines if line.started_ms is not None]
    ends = [max(line.ended_ms or 0, _expected_end(line)) for line in begun]
    return max(1, receipt.spent.latency_ms, *ends, *(d.at_ms for d in receipt.decisions))


def timeline_rows(receipt: Receipt) -> tuple[TimelineRow, ...]:
    """Every line, in the order of the receipt."""
    return tuple(_timeline_row(line, end_ms(receipt)) for line in receipt.lines)


def _timeline_row(line: ReceiptLine, end: int) -> TimelineRow:
    if line.started_ms is None or line.ended_ms is None:
        return TimelineRow(line, None)
    planned_ms = line.planned.latency_ms if line.planned else 0
    width = percent_of(line.ended_ms - line.started_ms, end)
    return TimelineRow(line, percent_of(line.started_ms, end), width, percent_of(planned_ms, end))


def decision_marks(receipt: Receipt) -> tuple[DecisionMark, ...]:
    """Where the run replanned, downgraded, skipped, asked or halted; neighbours as one."""
    marks: list[DecisionMark] = []
    shown = [each for each in receipt.decisions if each.kind in MARKED_DECISIONS]
    for decision in sorted(shown, key=lambda each: each.at_ms):
        mark = DecisionMark(percent_of(decision.at_ms, end_ms(receipt)), (decision.kind,))
        if marks and mark.at - marks[-1].at < MARKS_APART_MIN:
            at, kinds = marks.pop()
            mark = DecisionMark(at, tuple(dict.fromkeys((*kinds, decision.kind))))
        marks.append(mark)
    return tuple(marks)


def axis_ticks(end: int) -> tuple[AxisTick, ...]:
    """Round times from nothing to the end: three to five of them, where there are so many."""
    steps = (factor * 10**power for power in range(len(str(end))) for factor in (1, 2, 5))
    step = max((step for step in steps if end // step >= TICKS_MIN), default=1)
    unit, name = (1_000, "s") if step >= 1_000 else (1, "ms")
    return tuple(
        AxisTick(percent_of(ms, end), f"{ms // unit:,} {name}") for ms in range(0, end + 1, step)
    )


def gauge_segments(receipt: Receipt, gauge: Gauge) -> tuple[GaugeSegment, ...]:
    """Where a resource went, line by line, against its limit or, without one, all that was used."""
    column = RESOURCES.index(gauge.resource)
    whole = max(gauge.limit or 0, sum(line.actual.amounts[column] for line in receipt.lines))
    segments, used = [], 0
    for place, line in enumerate(receipt.lines):
        if amount := line.actual.amounts[column]:
            segments.append(GaugeSegment(place, percent_of(used, whole), percent_of(amount, whole)))
            used += amount
    return tuple(segments)


def spend_curves(receipt: Receipt) -> tuple[SpendCurve, ...]:
    """One for each resource but time, whose axis they share."""
    return tuple(_spend_curve(receipt, g) for g in gauges(receipt) if g.resource is not LATENCY)


def _spend_curve(receipt: Receipt, gauge: Gauge) -> SpendCurve:
    column, end = RESOURCES.index(gauge.resource), end_ms(receipt)
    top = max(1, gauge.limit or 0, gauge.used)  # an overrun has to fit in the picture
    paid: dict[int, int] = {0: 0}  # a curve starts at nothing, when the run does
    for line in receipt.lines:
        at_ms = line.ended_ms or 0
        paid[at_ms] = paid.get(at_ms, 0) + line.actual.amounts[column]
    times = sorted(paid)
    stairs, used = [], 0
    for at_ms, next_ms in pairwise([*times, max(times[-1], receipt.spent.latency_ms)]):
        used += paid[at_ms]
        start, width = percent_of(at_ms, end), percent_of(next_ms - at_ms, end)
        stairs.append(SpendStair(start, width, percent_of(used, top), percent_of(paid[at_ms], top)))
    limit_height = None if gauge.limit is None else percent_of(gauge.limit, top)
    return SpendCurve(gauge, limit_height, tuple(stairs))


def _expected_end(line: ReceiptLine) -> int:
    return (line.started_ms or 0) + (line.planned.latency_ms if line.planned else 0)
