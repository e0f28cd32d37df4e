"""Asks a model for extra steps, where the plan loses nothing by it."""

from collections.abc import Callable, Collection, Sequence
from typing import Any

from thrifty.budget import (
    Budget,
    BudgetExceeded,
    ModelUnavailable,
    Plan,
    Spend,
    Step,
    StepOption,
)
from thrifty.models.calls.allowance import Allowance
from thrifty.models.roles.agent_models import ModelPrompt, Models
from thrifty.options.proposals import Proposals, read_proposals

PROPOSAL_OPTION = StepOption(
    name="Option proposals",
    step="Option proposals",
    executor="llm",
    description="Ask the model for extra steps.",
    estimate=Spend(tokens=700, latency_ms=1500, tool_calls=1),
    value=0.0,
)


def skip_reason(left: Budget, worst_case: Spend, make_plan: Callable[[Budget], Plan]) -> str:
    """Why the call is not worth it: what it may take would cost the plan more. Empty when it is.

    Args:
        left: what may be spent.
        worst_case: the most that the call may take.
        make_plan: plans the known steps with what is left.
    """
    without = make_plan(left)
    beside = make_plan(left.left_after(worst_case))
    if beside.value >= without.value:
        return ""
    return (
        f"with what the call may take, the plan would be worth {beside.value:.1f} "
        f"and not {without.value:.1f}"
    )


def describe_steps(steps: Sequence[Step]) -> str:
    """The known steps as a prompt shows them."""
    return "\n".join(f"- {step.name}: {step.options[0].description}" for step in steps)


def describe_values(steps: Sequence[Step]) -> str:
    """The range of the known values as a prompt shows it."""
    known = [option.value for step in steps for option in step.options]
    return f"{min(known):g} to {max(known):g}"


def request_proposals(
    prompt: ModelPrompt,
    models: Models,
    allowance: Allowance,
    known: Sequence[Step],
    executors: Collection[str],
    config: Any = None,
) -> Proposals:
    """Asks, and reads the answer as hostile input. A failure is a remark and no steps."""
    try:
        reply = models.ask(prompt, allowance, config)
    except (BudgetExceeded, ModelUnavailable) as error:
        return Proposals((), (f"extra steps could not be had: {error}",))
    return read_proposals(reply.arguments, known, executors)
