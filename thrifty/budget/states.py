"""The nouns of the library as plain data: in the state of a graph, in a checkpoint, in JSON.

Each is what the `to_state` of its class writes and its `from_state` reads.
"""

from typing import Any

from typing_extensions import TypedDict


class SpendState(TypedDict):
    """A `Spend` as plain data."""

    tokens: int
    cost_nano_usd: int
    latency_ms: int
    tool_calls: int


class BudgetState(TypedDict, total=False):
    """A `Budget` as plain data. Money may stand in dollars (as people write it) or, exact to
    the last digit, in nano-USD (as `to_state` writes it), not in both."""

    max_tokens: int | None
    max_cost_usd: float | None
    max_cost_nano_usd: int | None
    max_latency_ms: int | None
    max_tool_calls: int | None


class CheckResultState(TypedDict):
    """A `CheckResult` as plain data."""

    check: str
    passed: bool | None
    reason: str
    spend: SpendState


class CascadeState(TypedDict):
    """A `Cascade` as plain data."""

    first: str
    then: str
    check: str
    chance: float
    bill_ratio: float


class OptionState(TypedDict):
    """A `StepOption` as plain data."""

    name: str
    step: str
    executor: str
    description: str
    estimate: SpendState
    spread: float
    value: float
    payload: dict[str, Any]
    output_tokens: int | None
    quality: float | None
    cascade: CascadeState | None


class StepState(TypedDict):
    """A `Step` as plain data."""

    name: str
    options: list[OptionState]
    requires: list[str]
    reads: list[str] | None
    topic: str
    role: str
    required: bool
    kind: str
    check: str


class LeftOutState(TypedDict):
    """A `LeftOut` as plain data."""

    option: str
    step: str
    reason: str
    short_of: list[str]


class PlanState(TypedDict):
    """A `Plan` as plain data."""

    status: str
    engine: str
    chosen: list[OptionState]
    value: float
    bound: float
    left_out: list[LeftOutState]
    note: str
    best: float | None
    chance: float | None
    uncounted: list[str]
    nodes: int
    share: float | None


class OutcomeState(TypedDict):
    """An `Outcome` as plain data."""

    option: OptionState
    status: str
    text: str
    actual: SpendState
    reason: str
    disables: str
    short_of: list[str]
    is_unanswered: bool
    started_ms: int | None
    ended_ms: int | None
    data: Any
    checks: list[CheckResultState]


class DecisionState(TypedDict):
    """A `Decision` as plain data."""

    kind: str
    reason: str
    at_ms: int
