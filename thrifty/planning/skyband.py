"""Options that enough others beat, left out where a plan has few steps of many.

Take a plan of at most k steps with an option that k others beat, all on different topics. At least
one of these is not in the plan, and neither is its topic: in the other's place it would be better.
What fewer than k others beat is called a k-skyband: D. Papadias, Y. Tao, G. Fu, B. Seeger,
"Progressive skyline computation in database systems", ACM Transactions on Database Systems 30
(2005).
"""

from itertools import chain

from thrifty.planning.core import Branch, Core, closed
from thrifty.planning.model import Model
from thrifty.planning.rows import Rows, Variances, none_wider


def skyband(model: Model, rows: Rows, core: Core) -> Core | None:
    """A core without the options that the best of its plans cannot have.

    Only what requires nothing beats others, and only what nothing requires is beaten.

    Returns:
        The core; None when it has no plan.
    """
    # A schedule may get longer when a step gets shorter, so there no option beats another.
    if model.clock:
        return core
    kept = _unbeaten(model, rows, core)
    smaller = [
        position._replace(branches=branches)
        for position in core
        if (branches := tuple([b for b in position.branches if b.item.name in kept]))
    ]
    return closed(model, smaller)


def _unbeaten(model: Model, rows: Rows, core: Core) -> set[str]:
    """The names of the options that stay."""
    held = {step for position in core for step in model.requires[position.step]}
    held |= {position.step for position in core if position.needed}
    guards, steps = rows.guards, model.max_steps
    kept: set[str] = set()
    better: dict[frozenset[int], list[tuple[int, int, Variances]]] = {}
    """By the rows that they use, the loads, topics and variances of those that may beat others."""
    for branch in sorted([b for position in core for b in position.branches], key=_rank):
        item, room = branch.item, branch.load | guards
        used = frozenset([row for row, amount in enumerate(item.amounts) if amount])
        if item.step not in held:
            groups = [group for rows_used, group in better.items() if rows_used <= used]
            others = chain.from_iterable(groups)
            beating = [other for other in others if (room - other[0]) & guards == guards]
            if rows.is_risky:
                beating = [other for other in beating if none_wider(other[2], item.variances)]
            if len({topic for _, topic, _ in beating}) >= steps:
                continue
        kept.add(item.name)
        if not model.requires[item.step]:
            topic = model.topics[item.step]
            group = better.setdefault(used, [])
            group.append((branch.load, topic if topic >= 0 else ~item.step, item.variances))
    return kept


def _rank(branch: Branch) -> tuple[int, tuple[int, ...], str]:
    """Most value first, then the lower spend, then names, as between plans."""
    return -branch.item.value, branch.item.spend, branch.item.name
