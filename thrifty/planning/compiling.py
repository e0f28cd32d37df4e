"""From the problem as people state it to the model that the engines search.

What no plan can contain is left out here, and so is what no best plan needs: an option that
another option of its step beats in value and in every resource (dominance; H. Kellerer,
U. Pferschy, D. Pisinger, "Knapsack Problems", 2004, section 11.2.1).
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from itertools import repeat
from math import gcd
from operator import le

from thrifty.budget.step import Step
from thrifty.planning.measure import Measure
from thrifty.planning.model import MICRO, Item, Model
from thrifty.planning.problem import Problem

WINDOW = 40
"""With how many of the better options of its step an option is compared."""


def build_model(problem: Problem, measure: Measure | None = None) -> Model:
    """The model of a problem; the order of its steps and options has no influence.

    Args:
        problem: what is to be planned.
        measure: the problem's measure, if it is at hand.
    """
    measure = measure or Measure(problem)
    done = {step.name for step in problem.done}
    steps = {step.name: step for step in problem.steps if step.name not in done}
    requires = {name: _open(step.requires, done) for name, step in steps.items()}
    penalty = round(problem.diversity_penalty * MICRO)
    repeats = Counter([step.topic for step in problem.done])
    items: Mapping[str, Sequence[Item]] = {
        name: _items(measure, step, penalty * repeats[step.topic]) for name, step in steps.items()
    }
    items = _reachable(items, requires)
    required = _closure([name for name, step in steps.items() if step.required], requires)
    items = _short(items, requires, required, problem.max_steps)
    missing = sorted(required - items.keys())
    names = sorted(items)
    topics = _shared_topics([steps[name].topic for name in names])
    penalty = penalty if max(topics, default=-1) >= 0 else 0
    unit = gcd(penalty, *[item.value for name in names for item in items[name]]) or 1
    number = {name: i for i, name in enumerate(names)}
    return Model(
        items=tuple([_numbered(items[name], i, unit) for i, name in enumerate(names)]),
        requires=tuple([tuple(sorted([number[r] for r in requires[name]])) for name in names]),
        required=tuple([name in required for name in names]),
        topics=topics,
        revisions=tuple([steps[name].role == "revision" for name in names]),
        rows=measure.names,
        capacities=measure.capacities,
        max_steps=min(problem.max_steps, len(names)),
        penalty=penalty // unit,
        unit_micro=unit,
        clock=measure.clock,
        impossible=f"the required step {missing[0]!r} does not fit in what is left"
        if missing
        else "",
    )


def _open(requires: Collection[str], done: Collection[str]) -> Collection[str]:
    """The requirements that are not done, each once."""
    return {name for name in requires if name not in done} if requires else ()


def _items(measure: Measure, step: Step, repeated: int) -> list[Item]:
    """The options of a step that fit alone and are not dominated, the most valuable first."""
    items = [item for option in step.options if measure.fits(item := measure.item(option))]
    if repeated:
        items = [item._replace(value=item.value - repeated) for item in items]
    if len(items) < 2:
        return items
    items.sort(key=lambda item: (-item.value, item.spend, item.name))
    # A schedule may get longer when a step gets shorter, so there nothing is dominated.
    return items if measure.clock else undominated(items)


def _numbered(items: Sequence[Item], step: int, unit: int) -> tuple[Item, ...]:
    """The items of a step with its number, their values in units."""
    return tuple(
        [
            Item(step, value // unit, amounts, variances, spend, name)
            for _, value, amounts, variances, spend, name in items
        ]
    )


def undominated(items: Sequence[Item]) -> list[Item]:
    """The items, best first, without those that an earlier one beats."""
    kept: list[Item] = []
    for item in items:
        if not any(map(_beats, kept[-WINDOW:], repeat(item))):
            kept.append(item)
    return kept


def _beats(better: Item, item: Item) -> bool:
    """Whether `better`, no less valuable and earlier by rank, takes no more of anything."""
    if not all(map(le, better.amounts, item.amounts)):
        return False
    if not better.variances:
        return True
    return bool(item.variances) and all(map(le, better.variances, item.variances))


def _reachable(
    items: Mapping[str, Sequence[Item]], requires: Mapping[str, Collection[str]]
) -> dict[str, Sequence[Item]]:
    """The steps that have an item, and so has everything they require; no circles."""
    followers: dict[str, list[str]] = {name: [] for name in items}
    missing = {name: len(before) for name, before in requires.items()}
    for name, before in requires.items():
        for requirement in before:
            if requirement in followers:
                followers[requirement].append(name)
    reached = [name for name in items if not missing[name] and items[name]]
    for name in reached:
        for follower in followers[name]:
            missing[follower] -= 1
            if not missing[follower] and items[follower]:
                reached.append(follower)
    return {name: items[name] for name in reached}


def _short(
    items: Mapping[str, Sequence[Item]],
    requires: Mapping[str, Collection[str]],
    required: Collection[str],
    max_steps: int,
) -> Mapping[str, Sequence[Item]]:
    """The steps that, with all they require, are not more than a plan may have.

    Args:
        items: every step after those that it requires.
        requires: what steps require.
        required: the steps that stay in any case.
        max_steps: what a plan may have.
    """
    if max_steps >= len(items):
        return items
    together: dict[str, int] = {}
    for i, name in enumerate(items):
        bits = 1 << i
        for requirement in requires[name]:
            bits |= together[requirement]
        together[name] = bits
    return {
        name: group
        for name, group in items.items()
        if name in required or together[name].bit_count() <= max_steps
    }


def _closure(names: Collection[str], requires: Mapping[str, Collection[str]]) -> set[str]:
    """The steps and everything they require, however far back."""
    found = set(names)
    queue = list(names)
    for name in queue:
        for requirement in requires.get(name, ()):
            if requirement not in found:
                found.add(requirement)
                queue.append(requirement)
    return found


def _shared_topics(topics: Sequence[str]) -> tuple[int, ...]:
    """A number for each topic that several steps share; -1 for a topic of one step alone."""
    counts = Counter(topics)
    numbers: dict[str, int] = {}
    return tuple(
        [numbers.setdefault(topic, len(numbers)) if counts[topic] > 1 else -1 for topic in topics]
    )
