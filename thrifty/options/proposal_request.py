"""Asks a model for extra steps, when the budget can bear the call."""

from collections.abc import Collection, Sequence
from typing import Any

from thrifty.budget import Budget, BudgetExceeded, ModelUnavailable, Spend, Step, StepOption
from thrifty.models.agent_models import ModelPrompt, Models
from thrifty.models.allowance import Allowance
from thrifty.options.proposals import Proposals, read_proposals

PROPOSAL_OPTION = StepOption(
    name="Option proposals",
    step="Option proposals",
    executor="llm",
    description="Ask the model for extra steps.",
    estimate=Spend(tokens=700, latency_ms=1500, tool_calls=1),
    value=0.0,
)
BUDGET_DIVISOR = 4
"""Proposals may take a quarter of any limit: below that, the known steps need it more."""


def skip_reason(budget: Budget) -> str:
    """Why the call is not worth it under this budget. Empty when it is."""
    for resource, limit in budget.limited_resources():
        if getattr(PROPOSAL_OPTION.estimate, resource.spend_field) * BUDGET_DIVISOR > limit:
            return (
                f"the call would take more than 1/{BUDGET_DIVISOR} of the limit on {resource.name}"
            )
    return ""


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
