"""The four resources that a budget limits, in the order in which they are always shown."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from thrifty.budget.dollars import format_usd


class Resource(NamedTuple):
    """One thing that a run uses up."""

    name: str
    """The word for it: tokens, cost, latency, tool_calls."""
    spend_field: str
    """Its field in a `Spend`, named with its unit."""
    limit_field: str
    """Its field in a `Budget`."""
    show: Callable[[int], str]
    """An amount of it, for a person."""


def _count_formatter(unit: str) -> Callable[[int], str]:
    return lambda count: f"{count:,} {unit if count == 1 else unit + 's'}"


def _format_latency(ms: int) -> str:
    return f"{ms:,} ms" if ms < 10_000 else f"{ms / 1000:,.1f} s"


TOKENS = Resource("tokens", "tokens", "max_tokens", _count_formatter("token"))
COST = Resource("cost", "cost_nano_usd", "max_cost_usd", format_usd)
LATENCY = Resource("latency", "latency_ms", "max_latency_ms", _format_latency)
TOOL_CALLS = Resource("tool_calls", "tool_calls", "max_tool_calls", _count_formatter("call"))

RESOURCES = (TOKENS, COST, LATENCY, TOOL_CALLS)


def format_bare(amount: int, resource: Resource) -> str:
    """An amount beside its resource's name, or another of its kind: a count without its unit."""
    return f"{amount:,}" if resource in (TOKENS, TOOL_CALLS) else resource.show(amount)


def format_amounts(amounts: Mapping[str, int]) -> str:
    """Amounts by the names of their resources, for a person: "412 tokens, 1 call"."""
    return ", ".join([r.show(amounts[r.name]) for r in RESOURCES if r.name in amounts])


def describe_excess(excess: Mapping[str, int]) -> str:
    """What is too much, for a person: "412 tokens over the limit"."""
    return f"{format_amounts(excess)} over the limit"
