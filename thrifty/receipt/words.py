"""A receipt's and a plan's facts in plain words; the same words on every surface."""

from collections.abc import Iterable

from thrifty.budget import Budget, Plan, Spend
from thrifty.budget.plain_text import plain
from thrifty.budget.resources import RESOURCES
from thrifty.planning.reasons import over
from thrifty.receipt.record import Receipt

LABELS = {"tokens": "tokens", "cost": "cost", "latency": "latency", "tool_calls": "calls"}
"""What a person calls each resource."""


def one_line(text: str) -> str:
    """Text from outside as one harmless line."""
    return " ".join(plain(text).split())


def limits(budget: Budget) -> str:
    """A budget: "2,200 tokens, 3,500 ms, 2 calls"."""
    return ", ".join(resource.show(limit) for resource, limit in budget.limited()) or "no limit"


def amounts(spend: Spend) -> str:
    """A spend: "512 tokens, 980 ms, 1 call"; resources of which nothing was used are left out."""
    pairs = zip(RESOURCES, spend.amounts, strict=True)
    return ", ".join(resource.show(amount) for resource, amount in pairs if amount) or "no spend"


def verdict(receipt: Receipt) -> str:
    """How the run ended and whether it kept its budget, in a sentence or two."""
    ended = "Done" if receipt.status == "done" else "Halted"
    if excess := receipt.budget.exceeded_by(receipt.spent):
        return f"{ended}, OVER BUDGET: {over(excess)}."
    why = one_line(receipt.halt_reason).rstrip(".")
    return f"{ended}, within budget{f': {why}' if why else ''}."


def binding(receipt: Receipt) -> str:
    """Which limits kept something better out."""
    if not receipt.bound_by:
        return "No limit kept anything better out."
    *others, last = (LABELS.get(name, one_line(name)) for name in receipt.bound_by)
    named = f"{', '.join(others)} and {last}" if others else last
    return f"More {named} would have bought something better."


def headline(plan: Plan) -> str:
    """A plan in one sentence: its size, its worth, and how sure it is to be the best."""
    if not plan.chosen:
        return one_line(plan.note) or "Nothing that could be done fits in the budget."
    count = len(plan.chosen)
    worth = f"{count} {'step' if count == 1 else 'steps'} worth {plan.value:.1f}"
    if plan.status == "optimal" or plan.value >= plan.bound:
        return f"{worth}, the most that fits."
    return f"{worth}; not proven best, but none is worth more than {plan.bound:.1f}."


def together(reasons_and_names: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Names that have the same reason in one text: (reason, names), in the order of the first."""
    names: dict[str, list[str]] = {}
    for reason, name in reasons_and_names:
        names.setdefault(one_line(reason), []).append(one_line(name))
    return [(reason, ", ".join(members)) for reason, members in names.items()]
