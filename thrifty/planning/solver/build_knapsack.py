"""Builds the knapsack model that the engines solve from the problem as people state it.

What no plan can contain is left out here, and so is what no best plan needs: an option that
another option of its step beats in value and in every resource (dominance; H. Kellerer,
U. Pferschy, D. Pisinger, "Knapsack Problems", 2004, section 11.2.1).
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from itertools import chain, islice
from math import gcd
from operator import le

from thrifty.planning.problem import Problem
from thrifty.planning.solver.constraint_matrix import ConstraintMatrix, OptionColumn
from thrifty.planning.solver.knapsack import MICRO, KnapsackModel
from thrifty.planning.solver.knapsack_item import KnapsackItem, make_tuples
from thrifty.planning.solver.packed_rows import is_no_wider

DOMINATORS_MAX = 40
"""With how many of the better options of its step an option is compared."""


def build_knapsack(problem: Problem, matrix: ConstraintMatrix | None = None) -> KnapsackModel:
    """The model of a problem; the order of its steps and options has no influence."""
    matrix = matrix or ConstraintMatrix(problem)
    done = {step.name for step in problem.done}
    steps = {step.name: step for step in problem.steps if step.name not in done}
    requires = {
        name: {r for r in step.requires if r not in done} if step.requires else ()
        for name, step in steps.items()
    }
    penalty = round(problem.diversity_penalty * MICRO)
    repeats = Counter([step.topic for step in problem.done])
    offers: Mapping[str, Sequence[OptionColumn]] = {
        step.name: _drop_dominated(matrix, group, penalty * repeats[step.topic])
        for step, group in zip(problem.steps, matrix.columns_by_step, strict=True)
        if step.name in steps
    }
    offers = _keep_reachable(offers, requires)
    required = with_requirements([name for name, step in steps.items() if step.required], requires)
    offers = _keep_short_chains(offers, requires, required, problem.max_steps)
    missing = sorted(required - offers.keys())
    impossible = _describe_impossible(problem, matrix, missing[0]) if missing else ""
    names = sorted(offers)  # so that the order of a recipe has no say
    topics = _number_shared_topics([steps[name].topic for name in names])
    penalty = penalty if max(topics, default=-1) >= 0 else 0  # unshared, none is repeated
    unit = gcd(penalty, *[offer[0] for name in names for offer in offers[name]]) or 1
    number = {name: i for i, name in enumerate(names)}
    follows = {name: number.keys() & steps[name].follows for name in names if steps[name].reads}
    return KnapsackModel(
        items=_build_items([offers[name] for name in names], unit),
        requires=_number_names({name: requires[name] for name in names}, number),
        is_required=tuple([name in required for name in names]),
        topics=topics,
        is_revision=tuple([steps[name].role == "revision" for name in names]),
        row_names=matrix.row_names,
        capacities=matrix.capacities,
        max_steps=min(problem.max_steps, len(names)),
        penalty=penalty // unit,
        unit_micro=unit,
        makespan_limit=matrix.makespan_limit,
        impossible=impossible,
        follows=_number_names({name: follows.get(name, requires[name]) for name in names}, number),
    )


def _number_names(
    names_of: Mapping[str, Collection[str]], number: Mapping[str, int]
) -> tuple[tuple[int, ...], ...]:
    return tuple([tuple(sorted([number[name] for name in names])) for names in names_of.values()])


def _describe_impossible(problem: Problem, matrix: ConstraintMatrix, name: str) -> str:
    """That a required step does not fit, and by how much where none of its options does alone."""
    offered = zip(problem.steps, matrix.columns_by_step, strict=True)
    nearest = matrix.describe_nearest(
        chain.from_iterable(group for step, group in offered if step.name == name)
    )
    said = f"the required step {name!r} does not fit in what is left"
    return f"{said}: {nearest}" if nearest else said


def _drop_dominated(
    matrix: ConstraintMatrix, columns: Sequence[OptionColumn], repeated: int
) -> Sequence[OptionColumn]:
    """Drops a step's options that do not fit alone or are dominated; the most valuable come first.

    What finished steps on their topic take off their value is `repeated`.
    """
    fitting = sorted([offer for offer in columns if offer[2] not in matrix.oversized])
    if repeated:
        fitting = [(offer[0] + repeated, *offer[1:]) for offer in fitting]
    # A schedule may get longer when a step gets shorter, so there nothing is dominated.
    return fitting if matrix.makespan_limit or len(fitting) < 2 else _undominated_columns(fitting)


def _build_items(
    groups: Sequence[Sequence[OptionColumn]], unit: int
) -> tuple[tuple[KnapsackItem, ...], ...]:
    """Makes the options of each step items, their values in units."""
    offers = list(chain.from_iterable(groups))
    if not offers:
        return ()
    values, spends, names, amounts, variances = zip(*offers, strict=True)
    steps = [step for step, group in enumerate(groups) for _ in group]
    units = [-value // unit for value in values]
    items = make_tuples(KnapsackItem, steps, units, amounts, variances, spends, names)
    return tuple([tuple(islice(items, len(group))) for group in groups])


def _undominated_columns(columns: Sequence[OptionColumn]) -> list[OptionColumn]:
    """The options, best first, without those of which an earlier one takes no more of anything."""
    kept: list[OptionColumn] = []
    for offer in columns:
        _, _, _, amounts, variances = offer
        for _, _, _, least, narrowest in kept[-DOMINATORS_MAX:]:
            if all(map(le, least, amounts)) and is_no_wider(narrowest, variances):
                break
        else:
            kept.append(offer)
    return kept


def _keep_reachable(
    columns_of: Mapping[str, Sequence[OptionColumn]], requires: Mapping[str, Collection[str]]
) -> dict[str, Sequence[OptionColumn]]:
    """Keeps the steps that have an option and whose requirements all have one; no circles.

    Each stands after those that it requires then, as the length of chains needs it.
    """
    followers: dict[str, list[str]] = {}
    missing: dict[str, int] = {}
    for name, before in requires.items():
        if before:
            missing[name] = len(before)
            for requirement in before:
                followers.setdefault(requirement, []).append(name)
    reached = [name for name, group in columns_of.items() if group and name not in missing]
    for name in reached:
        for follower in followers.get(name, ()):
            missing[follower] -= 1
            if not missing[follower] and columns_of[follower]:
                reached.append(follower)
    return {name: columns_of[name] for name in reached}


def _keep_short_chains(
    columns_of: Mapping[str, Sequence[OptionColumn]],
    requires: Mapping[str, Collection[str]],
    required: Collection[str],
    max_steps: int,
) -> Mapping[str, Sequence[OptionColumn]]:
    """Drops each step that, with all it requires, has more steps than a plan may have.

    Each step stands after those that it requires. The required ones stay in any case.
    """
    if max_steps >= len(columns_of):
        return columns_of
    together: dict[str, int] = {}
    for i, name in enumerate(columns_of):
        bits = 1 << i
        for requirement in requires[name]:
            bits |= together[requirement]
        together[name] = bits
    return {
        name: group
        for name, group in columns_of.items()
        if name in required or together[name].bit_count() <= max_steps
    }


def with_requirements(names: Collection[str], requires: Mapping[str, Collection[str]]) -> set[str]:
    """The steps and everything they require, however far back."""
    found = set(names)
    queue = list(names)
    for name in queue:
        for requirement in requires.get(name, ()):
            if requirement not in found:
                found.add(requirement)
                queue.append(requirement)
    return found


def _number_shared_topics(topics: Sequence[str]) -> tuple[int, ...]:
    """A number for each topic that several steps share; -1 for a topic of one step alone."""
    counts = Counter(topics)
    numbers: dict[str, int] = {}
    return tuple(
        [numbers.setdefault(topic, len(numbers)) if counts[topic] > 1 else -1 for topic in topics]
    )
