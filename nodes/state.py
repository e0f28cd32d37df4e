"""What the nodes pass on to each other: plain data only, so that any checkpointer can keep it.

Who writes a channel stands beside it. Every node names the part that it reads, and `RunFacts` is
the part that several read.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, NotRequired

from langchain_core.messages import AnyMessage
from langgraph.graph.message import add_messages
from pydantic import Field
from typing_extensions import TypedDict

from thrifty.budget.states import PlanState, SpendState
from thrifty.executors.results import ResultState
from thrifty.receipt.receipt_data import ReceiptState
from thrifty.run.assignment import AssignmentState
from thrifty.run.facts import RunFacts


class BudgetForm(TypedDict):
    """The limits of this run. A limit that is left out or null does not limit."""

    max_tokens: NotRequired[
        Annotated[int | None, Field(title="Tokens", description="Input and output together.", ge=0)]
    ]
    max_cost_usd: NotRequired[
        Annotated[float | None, Field(title="Cost (USD)", description="In dollars.", ge=0)]
    ]
    max_latency_ms: NotRequired[
        Annotated[int | None, Field(title="Latency (ms)", description="Active time.", ge=0)]
    ]
    max_tool_calls: NotRequired[
        Annotated[int | None, Field(title="Calls", description="To models and tools.", ge=0)]
    ]
    max_cost_nano_usd: NotRequired[
        Annotated[int | None, Field(title="Cost (nano-USD)", description="Instead of dollars.")]
    ]


class Input(TypedDict):
    """What a run starts from: a task, or messages of which the last human one is the task."""

    task: NotRequired[
        Annotated[
            str | None,
            Field(title="Task", description="What is to be done: any task, in any language."),
        ]
    ]
    messages: NotRequired[
        Annotated[
            list[AnyMessage],
            Field(
                title="Messages",
                description="A conversation, without a task: its last human message is it.",
            ),
            add_messages,
        ]
    ]
    budget: NotRequired[
        Annotated[
            BudgetForm | None,
            Field(title="Budget", description="Limits of this run, instead of the agent's own."),
        ]
    ]
    documents: NotRequired[
        Annotated[
            dict[str, str] | None,
            Field(title="Documents", description="Texts by name, which are read whole."),
        ]
    ]
    words: NotRequired[
        Annotated[
            int | None,
            Field(title="Words", description="About how long the answer is to be.", ge=1),
        ]
    ]
    run_id: NotRequired[
        Annotated[str | None, Field(title="Run id", description="A name of your own for the run.")]
    ]


Direction = Literal["route", "plan", "approve", "finish"]
"""A node that follows where there is a choice."""

Status = Literal["running", "done", "halted"]


class State(RunFacts):
    """Everything a run knows. The money itself is in the ledger, and `spend` is a view of it."""

    messages: Annotated[list[AnyMessage], add_messages]
    """In: the conversation. Out: the draft, by `finish`."""
    task: str | None
    """By the caller. Taken out by `generate_options`, so that no run inherits it."""
    budget: BudgetForm | None
    """As `task`."""
    documents: dict[str, str] | None
    """As `task`. The run keeps them among its results."""
    words: int | None
    """As `task`."""
    run_id: str | None
    """As `task`."""
    first_plan: PlanState | None
    """The plan as first made, by `plan`. None as long as it is in force."""
    assignments: list[AssignmentState]
    """What runs next, side by side, by `route`."""
    seen: int
    """How many outcomes the last spend check has seen, by `check_spend`."""
    direction: Direction
    """Where to go next, by `plan`, `check_spend` and `approve`."""
    is_approved: bool
    """Whether the plan may be carried out, by `generate_options` and `approve`."""
    kept_out: dict[str, dict[str, str]]
    """By the names of options, the limits that kept them out of a plan, each with the account above
    the run's that set it, in words (empty for the run's own budget), by `plan` and `route`. By
    `generate_options`, those that did not hold the whole conversation."""
    halt_reason: str
    """Why the run ends before its plan is complete, by `plan`, `check_spend` and `approve`. At the
    end, why it is halted, by `finish`."""
    status: Status
    """By `generate_options` and `finish`."""
    draft: str
    """By `finish`."""
    structured: Any
    """The answer in the shape that the deployment wants, as plain data, by `finish`. None where
    no answer had it, or none is wanted."""
    answer: str
    """By `finish`."""
    receipt: ReceiptState
    """By `finish`."""


def additions(**channels: Sequence[Any]) -> dict[str, Any]:
    """What is added to channels that grow, without those to which nothing is.

    LangGraph writes the whole channel into the checkpoint again for each one, even an empty one.
    """
    return {channel: list(added) for channel, added in channels.items() if added}


class Output(TypedDict):
    """What a run hands back."""

    answer: str
    draft: str
    results: dict[str, ResultState]
    structured: Any
    status: Status
    halt_reason: str
    spend: SpendState
    plan: PlanState
    receipt: ReceiptState
    messages: Annotated[list[AnyMessage], add_messages]
