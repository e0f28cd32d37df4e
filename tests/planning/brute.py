"""The best plan by trying every set: slow, and too simple to be wrong.

Shares nothing with the planner but the makespan, which has tests of its own.
"""

from dataclasses import replace
from fractions import Fraction
from itertools import product

from thrifty.budget import Step, StepOption
from thrifty.budget.resources import RESOURCES
from thrifty.planning.problem import Problem
from thrifty.planning.risk import margin_for_risk
from thrifty.planning.solver.build_knapsack import build_knapsack

Rank = tuple[Fraction, tuple[int, ...], list[str]]


def brute_force(problem: Problem) -> tuple[Rank, set[str]] | None:
    """Rank (lowest is best) and names of the best plan; None when there is none."""
    done = {step.name for step in problem.done}
    steps = [step for step in problem.steps if step.name not in done]
    plans = []
    for combination in product(*[(None, *step.options) for step in steps]):
        chosen = [option for option in combination if option]
        if is_plan(problem, chosen):
            plans.append((rank(problem, chosen), {option.name for option in chosen}))
    return min(plans, key=lambda plan: plan[0], default=None)


def plans_by_increase(problem: Problem) -> list[tuple[int, Fraction, set[str]]]:
    """Every plan that more tokens would allow: how many more it takes, its value, its names."""
    tokens = problem.left.max_tokens
    assert tokens is not None
    done = {step.name for step in problem.done}
    steps = [step for step in problem.steps if step.name not in done]
    unlimited = replace(problem, left=replace(problem.left, max_tokens=None))
    overdrawn = min(0, tokens - problem.spent.tokens - problem.kept_back.tokens)
    found = []
    for combination in product(*[(None, *step.options) for step in steps]):
        chosen = [option for option in combination if option]
        if is_plan(unlimited, chosen):
            lack = lacks(problem, chosen).get("tokens", 0)
            more = lack - overdrawn if lack else 0
            found.append((more, -rank(problem, chosen)[0], {option.name for option in chosen}))
    return found


def rank(problem: Problem, chosen: list[StepOption]) -> Rank:
    """Most value first, then lower spend in the order of resources, then names."""
    topic_of = {step.name: step.topic for step in (*problem.steps, *problem.done)}
    topics = [step.topic for step in problem.done]
    value = Fraction(0)
    for option in chosen:
        repeats = topics.count(topic_of[option.step])
        value += micro(option.value) - repeats * micro(problem.diversity_penalty)
        topics.append(topic_of[option.step])
    spend = tuple(sum(o.estimate.amounts[i] for o in chosen) for i in range(4))
    return -value, spend, sorted(option.name for option in chosen)


def micro(value: float) -> Fraction:
    return Fraction(round(value * 1_000_000), 1_000_000)


def is_plan(problem: Problem, chosen: list[StepOption]) -> bool:
    present = {o.step for o in chosen} | {step.name for step in problem.done}
    by_name = {step.name: step for step in problem.steps}
    if len(chosen) > problem.max_steps:
        return False
    if any(not present.issuperset(by_name[option.step].requires) for option in chosen):
        return False
    if not keeps_roles(problem, chosen):
        return False
    known = (*problem.steps, *problem.lost)
    missing = [s for s in known if s.required and s.name not in present]
    if any(step not in excused(problem, chosen) for step in missing):
        return False
    return all(holds(problem, chosen, place) for place in range(4))


def keeps_roles(problem: Problem, chosen: list[StepOption]) -> bool:
    """Whether the plan has one answer or else sections, and no material that nobody reads."""
    names = {option.step for option in chosen}
    steps = [step for step in problem.steps if step.name in names]
    answers = [step for step in (*steps, *problem.done) if step.role == "answer"]
    open_answers = [step for step in steps if step.role == "answer"]
    if open_answers and len(answers) > 1:
        return False
    if answers and any(excludes(answers, step) for step in steps if step not in answers):
        return False
    return not any(is_unread(problem, step, steps) for step in steps)


def excludes(answers: list[Step], step: Step) -> bool:
    """Whether an answer leaves no place for a step."""
    if step.role == "revision":
        return not any(answer.name in named_by(step) for answer in answers)
    return step.role in ("answer", "section")


def is_unread(problem: Problem, step: Step, chosen: list[Step]) -> bool:
    """Whether a material is there for readers of which none is chosen."""
    known = (*problem.steps, *problem.done, *problem.lost)
    readers = [s for s in known if step.name in named_by(s) - {s.name}]
    is_bound = step.role == "material" and not step.required and bool(readers)
    return is_bound and not any(reader in chosen for reader in readers)


def excused(problem: Problem, chosen: list[StepOption]) -> list[Step]:
    """The steps that need not be there beside the plan's answer, required or not."""
    names = {option.step for option in chosen}
    done = [step for step in problem.done if step.role == "answer"]
    planned = [step for step in problem.steps if step.name in names and step.role == "answer"]
    known = (*problem.steps, *problem.lost)
    excluded = [s for s in known if (done or planned) and excludes(done or planned, s)]
    # Of answers that are all still to be done, each that is required is meant.
    return [step for step in excluded if done or step.role != "answer"]


def named_by(step: Step) -> set[str]:
    """What a step requires or reads."""
    return {*step.requires, *(step.reads or ())}


def holds(problem: Problem, chosen: list[StepOption], place: int) -> bool:
    """Whether one limit holds with the chance asked for."""
    limit = limit_of(problem, place)
    if limit is None:
        return True
    used = use_of(problem, chosen, place)
    # used + margin <= limit, without a root
    return used <= limit and (limit - used) ** 2 >= squared_margin(problem, chosen, place)


def limit_of(problem: Problem, place: int) -> int | None:
    """What a plan may use of a resource."""
    limit = problem.left.limits[place]
    if limit is None:
        return None
    return max(0, limit - problem.spent.amounts[place] - problem.kept_back.amounts[place])


def use_of(problem: Problem, chosen: list[StepOption], place: int) -> int:
    """What a set of options is estimated to use of a resource."""
    if place == 2 and problem.concurrency > 1:
        return makespan_of(problem, chosen)
    return sum(option.estimate.amounts[place] for option in chosen)


def squared_margin(problem: Problem, chosen: list[StepOption], place: int) -> Fraction:
    """The square of what is kept free of a resource."""
    if place == 3:
        return Fraction(0)
    z = Fraction(margin_for_risk(problem.risk).z_milli, 1000)
    spreads = [Fraction(round(o.spread * 1000), 1000) * o.estimate.amounts[place] for o in chosen]
    return z**2 * sum(s * s for s in spreads)


def lacks(problem: Problem, chosen: list[StepOption]) -> dict[str, int]:
    """By how much a set of options passes each limit, its margin included."""
    found = {}
    for place, resource in enumerate(RESOURCES):
        if (limit := limit_of(problem, place)) is not None:
            squared, reserve = squared_margin(problem, chosen, place), 0
            while reserve**2 < squared:
                reserve += 1
            found[resource.name] = use_of(problem, chosen, place) + reserve - limit
    return {name: amount for name, amount in found.items() if amount > 0}


def makespan_of(problem: Problem, chosen: list[StepOption]) -> int:
    model = build_knapsack(problem)
    names = {option.name for option in chosen}
    items = [item for group in model.items for item in group if item.name in names]
    # An option that does not even fit alone is in no model, and in no plan.
    return model.makespan(items) if len(items) == len(chosen) else 10**15
