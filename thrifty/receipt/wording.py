"""A receipt's and a plan's facts in plain words; the same words on every surface."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from thrifty.budget import Budget, Plan, Spend
from thrifty.budget.plain_text import single_line
from thrifty.budget.resources import (
    COST,
    RESOURCES,
    TOKENS,
    Resource,
    describe_excess,
    format_amounts,
    format_bare,
)
from thrifty.planning.problem import STEPS_LIMIT
from thrifty.receipt.receipt_data import Receipt, ReceiptLineStatus

if TYPE_CHECKING:
    from thrifty.planning.explanation import RequiredIncrease
    from thrifty.planning.upgrade import Upgrade

SHOWN_NANO_USD = 100_000
"""Where there is little room, money is shown to a hundredth of a cent."""
RESOURCE_LABELS = {"tokens": "tokens", "cost": "cost", "latency": "latency", "tool_calls": "calls"}
"""What a person calls each resource."""
LIMIT_LABELS = {**RESOURCE_LABELS, "cost": "money", "latency": "time", STEPS_LIMIT: "steps"}
"""What there could be more of."""

NAMED_MAX = 3
"""So many executors are named, and the others counted."""
NOTHING_GAINED = "No limit keeps anything better out: more budget would buy nothing."
NO_BETTER_ANSWER = "No limit keeps a better direct answer out."
"""The same where executors are there that only steps can use."""
LONGER_ANSWER = "a longer answer"
"""What a larger budget buys where the options stay the same."""
STATUS_MARKS: dict[ReceiptLineStatus, tuple[str, str]] = {
    "done": ("✓", "green"),
    "cut": ("✂", "yellow"),
    "rejected": ("✗", "yellow"),
    "failed": ("✗", "red"),
    "skipped": ("-", "yellow"),
    "stopped": ("■", "yellow"),
    "unknown": ("?", "red"),
    "replaced": ("·", "dim"),
    "dropped": ("·", "dim"),
    "overhead": ("+", "cyan"),
}
"""The mark before each line of a receipt and its colour; all but the plain ✓ have a word too."""


def describe_limits(budget: Budget) -> str:
    """A budget: "2,200 tokens, 3,500 ms, 2 calls"."""
    limits = (resource.show(limit) for resource, limit in budget.limited_resources())
    return ", ".join(limits) or "no limit"


def describe_left(left: Budget) -> str:
    """What is left of limits; money down to a hundredth of a cent."""
    tokens, cost, latency, calls = left.limits
    shown = None if cost is None else round_down_usd(cost)
    return describe_limits(Budget.of_limits((tokens, shown, latency, calls)))


def describe_spend(spend: Spend) -> str:
    """A spend: "512 tokens, 980 ms, 1 call"; resources of which nothing was used are left out."""
    pairs = zip(RESOURCES, spend.amounts, strict=True)
    return ", ".join(resource.show(amount) for resource, amount in pairs if amount) or "no spend"


def round_up_usd(nano_usd: int) -> int:
    """Up: what was spent never looks smaller than it is."""
    return -(-nano_usd // SHOWN_NANO_USD) * SHOWN_NANO_USD


def round_down_usd(nano_usd: int) -> int:
    """Down: what is left never looks larger than it is."""
    return nano_usd // SHOWN_NANO_USD * SHOWN_NANO_USD


def format_amount(amount: int, resource: Resource) -> str:
    """An amount with its unit; money to a hundredth of a cent."""
    return resource.show(round_up_usd(amount) if resource is COST else amount)


def format_figure(amount: int, resource: Resource) -> str:
    """As `format_amount`, without the unit where the resource's name says it: "2,200", "980 ms"."""
    return format_bare(round_up_usd(amount) if resource is COST else amount, resource)


def describe_verdict(receipt: Receipt) -> str:
    """How the run ended and whether it kept its budget, in a sentence or two."""
    excess = receipt.budget.exceeded_by(receipt.spent)
    kept = "OVER BUDGET" if excess else "within budget"
    # What a limit was passed by is the reason, if anything is.
    why = describe_excess(excess) if excess else receipt.halt_reason
    told = [single_line(reason).rstrip(".") for reason in (why, *receipt.warnings) if reason]
    reasons = f": {'; '.join(told)}" if told else ""
    return f"{_describe_end(receipt)}, {kept}{reasons}."


def _describe_end(receipt: Receipt) -> str:
    if receipt.status == "halted":
        return "Halted"
    if count := len(receipt.warnings):
        return f"Done with {count} warning{'' if count == 1 else 's'}"
    return "Done offline" if receipt.is_offline else "Done"


def describe_payer(receipt: Receipt) -> str:
    """Who pays for the run, where that is an account above its own."""
    return f"Charged to the account {single_line(receipt.account)}."


def describe_binding(receipt: Receipt) -> str:
    """Which limits kept something better out. Empty where a model was what was missing."""
    if receipt.cause == "price":
        return "The limit on cost kept something better out."
    if receipt.cause == "model" and not receipt.bound_by:
        return ""  # the reason of the halt says what was missing
    if not receipt.bound_by:
        if receipt.uncounted:
            return "No limit kept a better direct answer out."
        more = ", but no model was at hand" if receipt.is_offline else ""
        return f"No limit kept anything better out{more}."
    named = join_names([LIMIT_LABELS.get(name, name) for name in receipt.bound_by])
    # A halt has said it already.
    told = () if receipt.halt_reason else receipt.bound_by_accounts
    accounts = "; ".join(map(single_line, told))
    return f"More {named} would have bought something better{accounts and f': {accounts}'}."


def describe_increase(entry: RequiredIncrease) -> str:
    """What would bring an option in: "Risk register (LLM) comes in with 381 tokens more"."""
    ways = " or ".join(format_amounts({name: amount}) for name, amount in entry.increase.items())
    return f"{single_line(entry.option)} comes in with {ways} more"


def describe_upgrade(upgrade: Upgrade) -> str:
    """What more would buy: "The next 381 tokens buy Risk register (LLM), +4.0."."""
    resource = next(each for each in RESOURCES if each.name == upgrade.resource)
    verb = "buys" if resource is COST or upgrade.increase == 1 else "buy"
    gain = describe_gain(upgrade.adds, upgrade.drops, upgrade.gain)
    return f"The next {format_amount(upgrade.increase, resource)} {verb} {gain}."


def describe_gain(adds: Sequence[str], drops: Sequence[str], gain: float) -> str:
    """What a better plan brings: "Risk register (LLM) in place of Risk register (local), +4.0"."""
    place = f" in place of {join_names(drops)}" if drops else ""
    better = "a better plan" if drops else LONGER_ANSWER
    return f"{join_names(adds) or better}{place}, {gain:+.1f}"


def join_names(names: Sequence[str]) -> str:
    """Names in a sentence: "tokens, cost and calls"."""
    *others, last = [single_line(name) for name in names] or [""]
    return f"{', '.join(others)} and {last}" if others else last


def describe_plan(plan: Plan) -> str:
    """A plan in one sentence: its size, its worth, and how sure it is to be the best."""
    if not plan.chosen:
        return single_line(plan.note) or "Nothing that could be done fits in the budget."
    count = len(plan.chosen)
    worth = f"{count} {'step' if count == 1 else 'steps'} worth {plan.value:.1f}"
    share = describe_share(plan.share, plan.best)
    if plan.chance is not None:
        chance = sentence(describe_chance(plan.chance))
        told = f"{worth}{share and f', {share}'}. {chance} The budget holds in any case."
    elif plan.status == "optimal" or plan.value >= plan.bound:  # a bound that is met proves it
        told = f"{worth}, the most that fits{share and f', and {share}'}."
    else:
        most = f"not proven best, but none that fits is worth more than {plan.bound:.1f}"
        told = f"{worth}{share and f', {share}'}; {most}."
    return f"{told} {sentence(describe_uncounted(plan.uncounted))}".rstrip()


def describe_worth(receipt: Receipt) -> str:
    """What the result is worth, and its share of the best, in a sentence. Empty without a result.

    Where it has all of that, what is told of limits says so.
    """
    if not receipt.has_result:
        return ""
    is_cut = any(line.status == "cut" for line in receipt.lines)
    share = "" if receipt.share == 1.0 else describe_share(receipt.share, receipt.best)
    told = f"Worth {'at most ' if is_cut else ''}{receipt.value:.1f}{share and f', {share}'}."
    return f"{told} {sentence(describe_uncounted(receipt.uncounted))}".rstrip()


def describe_uncounted(names: Sequence[str]) -> str:
    """That a value does not count what only steps can use. Empty without any."""
    if not names:
        return ""
    more = len(names) - NAMED_MAX
    named = [*map(repr, names[:NAMED_MAX]), *([f"{more:,} more"] if more > 0 else [])]
    return f"what {join_names(named)} would bring is not counted"


def describe_chance(chance: float | None) -> str:
    """How likely a plan is to fit that has no margin. Empty where it has one."""
    if chance is None:
        return ""
    return f"there is no room for a margin, so it fits in about {chance:.0%} of cases"


def sentence(clause: str) -> str:
    """A clause as a sentence of its own. Empty as it is."""
    return f"{clause[:1].upper()}{clause[1:]}." if clause else ""


def describe_share(share: float | None, best: float | None) -> str:
    """What part of the best a value is: "98% of the best without limits (79.0)". Empty where that
    is not known."""
    if share is None or best is None:
        return ""
    if share == 1.0:
        return "as much as without limits"
    return f"{format_share(share)} of the best without limits ({best:.1f})"


def format_share(share: float) -> str:
    """A share as whole percents, of which all and nothing are exact."""
    percent = round(100 * share)
    if share < 1.0 and percent == 100:
        return "over 99%"
    return "under 1%" if share > 0.0 and percent == 0 else f"{percent}%"


def describe_asking(model: str, most: Spend | None, reason: str) -> str:
    """What a run would do about steps before it plans.

    Args:
        model: which one it would ask.
        most: what that can take at most. None where it would not ask.
        reason: why it would not.
    """
    if most is None:
        return f"A run asks no model for the steps of the task: {single_line(reason)}."
    cost = [format_amount(most.cost_nano_usd, COST)] if most.cost_nano_usd else []
    takes = join_names([format_amount(most.tokens, TOKENS), *cost])
    asks = f"A run first asks {single_line(model)} for the steps of the task"
    return f"{asks}, which takes at most {takes}. Then it may choose another plan."


def group_by_reason(reasons_and_names: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Names that have the same reason in one text: (reason, names), in the order of the first."""
    names: dict[str, list[str]] = {}
    for reason, name in reasons_and_names:
        names.setdefault(single_line(reason), []).append(single_line(name))
    return [(reason, ", ".join(members)) for reason, members in names.items()]
