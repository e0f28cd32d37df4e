"""Beam search: the tutorial's planner done right, kept as the named baseline.

Plans grow by one option at a time and the best few of each size survive. Two things differ
from the tutorial: options of one step exclude each other, and the orders in which one set of
options can be put together are one candidate, not many.

Reference: B. T. Lowerre, "The HARPY speech recognition system", 1976 (beam search).
"""

from collections.abc import Iterator

from thrifty.planning.model import Item, Model
from thrifty.planning.result import STOP_NEVER, Found, Stop

BEAM_WIDTH = 12


Chosen = tuple[Item, ...]
"""Items in the order of their steps: one form for every order of adding them."""


def search_by_beam(model: Model, stop: Stop = STOP_NEVER, beam_width: int = BEAM_WIDTH) -> Found:
    """The best plan that the beam meets; fits what is left, but need not be the best there is."""
    best: Chosen | None = () if model.is_plan(()) else None
    beam: list[Chosen] = [()]
    nodes = 0
    for _ in range(model.max_steps):
        grown = {new for old in beam for new in _grow(model, old)}
        nodes += len(grown)
        beam = sorted(grown, key=model.rank)[:beam_width]
        plans = [chosen for chosen in beam if model.is_plan(chosen)]
        best = min([*plans, *([best] if best is not None else [])], key=model.rank, default=None)
        if not beam or stop.is_over():
            break
    bound = model.value_max
    if best is None:
        return Found((), bound, nodes, is_proven=False, is_plan=False)
    return Found(best, max(bound, model.worth(best)), nodes, is_proven=False)


def _grow(model: Model, old: Chosen) -> Iterator[Chosen]:
    """Every candidate with one option more that still fits."""
    present = {item.step for item in old}
    for step, options in enumerate(model.items):
        if step in present or not present.issuperset(model.requires[step]):
            continue
        for item in options:
            chosen = tuple(sorted((*old, item)))
            if min(model.room(chosen), default=0) >= 0:
                yield chosen
