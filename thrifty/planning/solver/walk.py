"""The order in which a search walks through a core, and what lies ahead of each place in it.

A small core is walked as it is sorted. In a large one of which a plan has few steps, thousands of
plans differ by trifles, and prices do not tell how many heavy options fit: 400 tokens that are
left are worth something to a bound even where no option takes so few. So there the heavy options
come first, in blocks of one weight: a block of which none fits is passed over as a whole, and what
is left when no heavy option fits needs no price to be bounded.
"""

from bisect import insort
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from operator import sub
from typing import NamedTuple

from thrifty.planning.solver.core import Core, CoreItem, CoreStep, count_items
from thrifty.planning.solver.knapsack import KnapsackModel
from thrifty.planning.solver.knapsack_item import KnapsackItem
from thrifty.planning.solver.packed_rows import PackedRows, Variances
from thrifty.planning.solver.suffix_bounds import SuffixBounds

LARGE = 70
"""From so many items on, a core is large."""
LAST = (8, 32, 24)
"""How many places are the last of a walk: so many, one more for so many places, at most so many.
Where the number of steps limits a plan, none: there it is not the rows that are full."""
FEW = 20
"""A plan of no more steps is limited by them."""
BLOCK = 32
"""So many places, at most, are passed over at once."""
NEEDED = 0
"""The weight of steps that every plan must have: they come before all others."""

Part = tuple[int, CoreStep]
"""A weight, and a position with its options of that weight."""
Gain = tuple[bool, float, int]
"""What a place can add: whether it must be, how much, and which step it is."""
Ahead = Mapping[int, Sequence[float]]
"""For a number of steps and a place, the most that so many steps can add from there on."""


class Place(NamedTuple):
    """A step with options that may be chosen there; a step can have several places.

    Steps are sets of bits: a step's bit is that of its last place.
    """

    step: int
    before: int
    """All places before it."""
    requires: int
    rivals: int
    """The steps that share its topic."""
    branches: tuple[CoreItem, ...]
    """Best worth first."""
    paid: float
    """As of a position."""


class Least(NamedTuple):
    """What each option of some places takes, or more."""

    load: int
    """Packed; zero says nothing."""
    variances: Variances


class Walk(NamedTuple):
    """A core in the order of its places."""

    places: Sequence[Place]
    needed: int
    """The steps that every plan must have."""
    tops: Ahead
    """What steps can add at the root's prices."""
    mosts: Ahead
    """What steps can add at no price at all."""
    lightest: Sequence[Least]
    """What options take from each place to the end of its block; empty without blocks."""
    ends: Sequence[int]
    """The end of each place's block; up to there, no option has a better worth."""
    tail: SuffixBounds
    """What the last places can add to what is left of a row."""


def walk(model: KnapsackModel, rows: PackedRows, core: Core) -> Walk:
    """The walk through a core.

    Args:
        model: the problem.
        rows: its rows.
        core: what is left of it to decide.
    """
    is_weighed = count_items(core) >= LARGE and model.max_steps <= FEW
    return _by_weight(model, rows, core) if is_weighed else _as_sorted(model, rows, core)


def _as_sorted(model: KnapsackModel, rows: PackedRows, core: Core) -> Walk:
    places = _places(model, core)
    gains, steps, count = list(map(_gain, core)), model.max_steps, len(core) + 1
    tops = _Windows(gains) if steps < len(core) else _all_ahead(gains, steps)
    mosts = _all_ahead(list(map(_value, core)), steps)
    tail = SuffixBounds(rows, core, _last(count) if steps > FEW else 0)
    return Walk(places, _needed(core, places), tops, mosts, (), range(1, count + 1), tail)


def _by_weight(model: KnapsackModel, rows: PackedRows, core: Core) -> Walk:
    parts = sorted(_parts(model, core), key=_heaviest_first)
    positions = [position for _, position in parts]
    places = _places(model, positions)
    tops = _most_ahead([(p.needed, _gain(p), p.step) for p in positions], model.max_steps)
    values = [(p.needed, _value(p), p.step) for p in positions]
    mosts = _most_ahead(values, model.max_steps)
    lightest, ends = _blocks(rows, parts)
    tail = SuffixBounds(rows, positions, 0)
    return Walk(places, _needed(positions, places), tops, mosts, lightest, ends, tail)


def _parts(model: KnapsackModel, core: Core) -> Iterator[Part]:
    """The positions, each once for every weight that its options have."""
    for position in core:
        if position.needed:
            yield NEEDED, position
            continue
        weights: dict[int, list[CoreItem]] = {}
        for branch in position.items:
            weights.setdefault(_weight(model, branch.item), []).append(branch)
        for weight, branches in weights.items():
            yield weight, position._replace(items=tuple(branches))


def _weight(model: KnapsackModel, item: KnapsackItem) -> int:
    """Of how many items like this one there is room for; the fewer, the heavier it is."""
    pairs = zip(item.amounts, model.capacities, strict=True)
    return min([model.max_steps, *[capacity // amount for amount, capacity in pairs if amount]])


def _heaviest_first(part: Part) -> tuple[int, float]:
    weight, position = part
    return weight, 0.0 if position.needed else -position.items[0].reduced_value


def _blocks(rows: PackedRows, parts: Sequence[Part]) -> tuple[list[Least], list[int]]:
    """What is the least from each place to the end of its block, and the end of that block."""
    nothing = Least(0, rows.no_variances)
    lightest, ends = [nothing], [len(parts) + 1]
    last, amounts, variances = NEEDED, rows.no_variances, rows.no_variances
    for i, (weight, position) in reversed(list(enumerate(parts))):
        is_new = weight != last or weight == NEEDED or ends[-1] - i > BLOCK
        items = [branch.item for branch in position.items]
        takes = [item.amounts for item in items]
        adds = [item.variances or rows.no_variances for item in items]
        amounts = _least(takes if is_new else [amounts, *takes])
        variances = _least(adds if is_new else [variances, *adds])
        lightest.append(nothing if weight == NEEDED else Least(rows.pack(amounts), variances))
        ends.append(i + 1 if is_new else ends[-1])
        last = weight
    return lightest[::-1], ends[::-1]


def _least(columns: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """The least of each row."""
    return tuple(map(min, zip(*columns, strict=True)))


def _gain(position: CoreStep) -> float:
    """The most that a position adds at all prices."""
    worth = position.items[0].reduced_value
    return worth if position.needed else max(0.0, worth)


def _value(position: CoreStep) -> float:
    """The most that a position adds at no price."""
    value = max([branch.value for branch in position.items])
    return value if position.needed else max(0.0, value)


def _all_ahead(gains: Sequence[float], steps: int) -> Ahead:
    """What all places from each on add together, however many steps are to come."""
    sums = list(accumulate(reversed(gains), initial=0.0))[::-1]
    return dict.fromkeys(range(steps + 1), sums)


class _Windows(dict[int, Sequence[float]]):
    """What the next steps add where the best come first, worked out when asked for."""

    def __init__(self, gains: Sequence[float]) -> None:
        self.sums = list(accumulate(gains, initial=0.0))

    def __missing__(self, steps: int) -> Sequence[float]:
        sums = self.sums
        last = sums[-1]
        window = [*map(sub, sums[steps:], sums), *[last - s for s in sums[-steps:]]]
        self[steps] = window
        return window


def _last(count: int) -> int:
    """How many of so many places are the last."""
    least, places, most = LAST
    return min(most, least + count // places)


def _most_ahead(gains: Sequence[Gain], steps: int) -> Ahead:
    """What up to so many steps add from each place on: what must be, and the best of the rest."""
    best: list[Gain] = []
    rows = [[0.0] * (steps + 1)]
    for gain in reversed(gains):
        same = [other for other in best if other[2] == gain[2]]
        if not same or same[0] < gain:
            if same:
                best.remove(same[0])
            insort(best, gain)
            del best[:-steps]
        sums = list(accumulate([amount for _, amount, _ in reversed(best)], initial=0.0))
        sums = sums[: steps + 1]
        rows.append(sums + sums[-1:] * (steps + 1 - len(sums)))
    return dict(enumerate(zip(*reversed(rows), strict=True)))


def _needed(positions: Sequence[CoreStep], places: Sequence[Place]) -> int:
    pairs = zip(positions, places, strict=True)
    return sum({place.step for position, place in pairs if position.needed})


def _places(model: KnapsackModel, positions: Sequence[CoreStep]) -> list[Place]:
    """The positions with their relations as bits."""
    bits = {position.step: 1 << i for i, position in enumerate(positions)}
    members: dict[int, int] = {-1: 0}
    for step, bit in bits.items():
        if (topic := model.topics[step]) >= 0:
            members[topic] = members.get(topic, 0) | bit
    return [
        Place(
            bits[position.step],
            (1 << i) - 1,
            sum([bits[r] for r in model.requires[position.step]]),
            members[model.topics[position.step]],
            position.items,
            position.net_payment,
        )
        for i, position in enumerate(positions)
    ]
