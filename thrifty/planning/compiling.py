"""From the problem as people state it to the model that the engines search.

What no plan can contain is left out here, and so is what no best plan needs: an option that
another option of its step beats in value and in every resource (dominance; H. Kellerer,
U. Pferschy, D. Pisinger, "Knapsack Problems", 2004, section 11.2.1).
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from itertools import chain, islice
from math import gcd
from operator import le

from thrifty.planning.measure import Figures, Measure
from thrifty.planning.model import MICRO, Item, Model, at_once
from thrifty.planning.problem import Problem
from thrifty.planning.rows import none_wider

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
    requires = {
        name: {r for r in step.requires if r not in done} if step.requires else ()
        for name, step in steps.items()
    }
    penalty = round(problem.diversity_penalty * MICRO)
    repeats = Counter([step.topic for step in problem.done])
    offers: Mapping[str, Sequence[Figures]] = {
        step.name: _worthwhile(measure, group, penalty * repeats[step.topic])
        for step, group in zip(problem.steps, measure.offers, strict=True)
        if step.name in steps
    }
    offers = _reachable(offers, requires)
    required = _closure([name for name, step in steps.items() if step.required], requires)
    offers = _short(offers, requires, required, problem.max_steps)
    missing = sorted(required - offers.keys())
    names = sorted(offers)
    topics = _shared_topics([steps[name].topic for name in names])
    penalty = penalty if max(topics, default=-1) >= 0 else 0
    unit = gcd(penalty, *[offer[0] for name in names for offer in offers[name]]) or 1
    number = {name: i for i, name in enumerate(names)}
    return Model(
        items=_items([offers[name] for name in names], unit),
        requires=tuple(
            [
                tuple(sorted([number[r] for r in requires[name]])) if requires[name] else ()
                for name in names
            ]
        ),
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


def _worthwhile(measure: Measure, offers: Sequence[Figures], repeated: int) -> Sequence[Figures]:
    """The options of a step that fit alone and are not dominated, the most valuable first.

    Args:
        measure: the problem's measure.
        offers: the options.
        repeated: what their topic takes off their value.
    """
    fitting = sorted([offer for offer in offers if offer[2] not in measure.barred])
    if repeated:
        fitting = [(offer[0] + repeated, *offer[1:]) for offer in fitting]
    # A schedule may get longer when a step gets shorter, so there nothing is dominated.
    return fitting if measure.clock or len(fitting) < 2 else _undominated(fitting)


def _items(groups: Sequence[Sequence[Figures]], unit: int) -> tuple[tuple[Item, ...], ...]:
    """The options of each step as items, their values in units."""
    offers = list(chain.from_iterable(groups))
    if not offers:
        return ()
    values, spends, names, amounts, variances = zip(*offers, strict=True)
    steps = [step for step, group in enumerate(groups) for _ in group]
    units = [-value // unit for value in values]
    items = at_once(Item, steps, units, amounts, variances, spends, names)
    return tuple([tuple(islice(items, len(group))) for group in groups])


def _undominated(offers: Sequence[Figures]) -> list[Figures]:
    """The options, best first, without those of which an earlier one takes no more of anything."""
    kept: list[Figures] = []
    for offer in offers:
        _, _, _, amounts, variances = offer
        for _, _, _, least, narrowest in kept[-WINDOW:]:
            if all(map(le, least, amounts)) and none_wider(narrowest, variances):
                break
        else:
            kept.append(offer)
    return kept


def _reachable(
    offers: Mapping[str, Sequence[Figures]], requires: Mapping[str, Collection[str]]
) -> dict[str, Sequence[Figures]]:
    """The steps that have an option, and so has everything they require; no circles."""
    followers: dict[str, list[str]] = {}
    missing: dict[str, int] = {}
    for name, before in requires.items():
        if before:
            missing[name] = len(before)
            for requirement in before:
                followers.setdefault(requirement, []).append(name)
    reached = [name for name, group in offers.items() if group and name not in missing]
    for name in reached:
        for follower in followers.get(name, ()):
            missing[follower] -= 1
            if not missing[follower] and offers[follower]:
                reached.append(follower)
    return {name: offers[name] for name in reached}


def _short(
    offers: Mapping[str, Sequence[Figures]],
    requires: Mapping[str, Collection[str]],
    required: Collection[str],
    max_steps: int,
) -> Mapping[str, Sequence[Figures]]:
    """The steps that, with all they require, are not more than a plan may have.

    Args:
        offers: every step after those that it requires.
        requires: what steps require.
        required: the steps that stay in any case.
        max_steps: what a plan may have.
    """
    if max_steps >= len(offers):
        return offers
    together: dict[str, int] = {}
    for i, name in enumerate(offers):
        bits = 1 << i
        for requirement in requires[name]:
            bits |= together[requirement]
        together[name] = bits
    return {
        name: group
        for name, group in offers.items()
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
