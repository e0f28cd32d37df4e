"""What one run may change, from Python, Studio or an assistant's settings.

Anyone who can reach a server can set these, so nothing here names an address, a key or a
price: those are the deployment's (`thrifty/settings.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from thrifty.budget import Budget, InvalidInput
from thrifty.budget.option import NAME_MAX
from thrifty.executors.protocol import Work
from thrifty.models.roles.agent_models import ModelPrompt
from thrifty.models.roles.model_role import ModelRole
from thrifty.options.recipe import STEPS_MAX
from thrifty.planning.engines import ENGINE_DEFAULT, EngineName
from thrifty.planning.problem import (
    DIVERSITY_PENALTY_DEFAULT,
    RISK_DEFAULT,
    RISK_MAX,
    RISK_MIN,
)
from thrifty.prompts import load_prompt
from thrifty.prompts.step_prompt import step_prompt

PROMPT_SUFFIX = "_prompt"


def _setting(default: Any, title: str, *nodes: str, kind: str = "", **extra: Any) -> Any:
    """A field with its title, the nodes at which Studio shows it, and how it does."""
    shown: dict[str, Any] = {"langgraph_nodes": [*nodes]} if nodes else {}
    shown |= {"langgraph_type": kind} if kind else {}
    return Field(default, title=title, json_schema_extra=shown or None, **extra)


def _prompt(name: str, node: str) -> Any:
    return _setting(load_prompt(name), f"Prompt: {name}", node, kind="prompt", max_length=20_000)


class Context(BaseModel):
    """The settings of a run."""

    # Studio and the servers' schemas describe each field by the sentence below it.
    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True
    )

    max_tokens: int | None = _setting(None, "Token limit", ge=0, le=10**9)
    """Input and output together, when the input has no budget."""
    max_cost_usd: float | None = _setting(None, "Cost limit (USD)", ge=0, le=10**6)
    """Dollars, when the input has no budget."""
    max_latency_ms: int | None = _setting(None, "Latency limit (ms)", ge=0, le=10**9)
    """Active time, when the input has no budget."""
    max_tool_calls: int | None = _setting(None, "Call limit", ge=0, le=10**6)
    """Calls to models and tools, when the input has no budget."""
    model: str = _setting("", "Model role", "generate_options", "run_llm", max_length=40)
    """Which model does what names none; empty, `strong`, and `cheap` to ask for extra steps."""
    recipe: str = _setting("", "Recipe", "generate_options", max_length=NAME_MAX)
    """The recipe to follow, or `answer` for a direct answer; empty, what the task asks for."""
    trim: Literal["oldest", "never"] = _setting("oldest", "Long conversation", "generate_options")
    """When not all of it fits in the budget: leave out the oldest messages, or refuse the run."""
    propose_options: bool = _setting(True, "Ask for extra steps", "generate_options")
    """Ask a model for 3 to 5 more steps of a recipe, where the plan loses nothing by the call."""
    plan_steps: Literal["auto", "always", "never"] = _setting(
        "auto", "Take a task apart", "generate_options"
    )
    """Ask a model for the steps of a task that is answered directly: where they can pay, always
    where a direct answer fits beside the call, or never."""
    check_results: bool = _setting(True, "Check results", "check_spend")
    """Check what was written, and let somebody else try once more where that is worth its price."""
    cascades: bool = _setting(True, "Plan second attempts", "plan")
    """Plan a cheap attempt with a better one for what fails its check, where a step has a check."""
    engine: EngineName = _setting(ENGINE_DEFAULT, "Planner", "plan")
    """Which planner chooses; `docs/planning.md` compares them."""
    max_steps: int | None = _setting(None, "Most steps", "plan", ge=0, le=STEPS_MAX)
    """The most steps that a plan may have; unset, as many as the recipe says, or else 12."""
    diversity_penalty: float = _setting(
        DIVERSITY_PENALTY_DEFAULT, "Diversity penalty", "plan", ge=0, le=1_000
    )
    """What two steps on one topic take off the value of a plan."""
    risk: float = _setting(RISK_DEFAULT, "Risk", "plan", ge=RISK_MIN, le=RISK_MAX)
    """The chance, at most, that a plan outgrows a limit; 0.5 leaves no margin."""
    max_concurrency: int = _setting(1, "Side by side", "route", ge=1, le=64)
    """How many independent steps may run at once; 1 is one after another."""
    on_drift: Literal["replan", "halt", "ask"] = _setting("replan", "On drift", "check_spend")
    """When the rest of the plan no longer fits: plan anew, halt, or ask a person."""
    approve_plan: bool = _setting(False, "Approve the plan", "plan")
    """Show the plan to a person, and wait, before anything is spent."""
    max_replans: int = _setting(10, "Most new plans", "check_spend", ge=0, le=100)
    """How often a run plans anew because of what it has spent."""
    learn: bool = _setting(True, "Learn from bills", "generate_options", "finish")
    """Keep what steps came to in the agent's store, and estimate by it."""
    outline_prompt: str = _prompt("outline", "run_llm")
    """Writes the outline of a proposal. Names in double braces are filled in."""
    risks_prompt: str = _prompt("risks", "run_llm")
    """Writes the risk register of a proposal. Names in double braces are filled in."""
    timeline_prompt: str = _prompt("timeline", "run_llm")
    """Writes the timeline of a proposal. Names in double braces are filled in."""
    generic_prompt: str = _prompt("generic", "run_llm")
    """Does any other step of a recipe. Names in double braces are filled in."""
    polish_prompt: str = _prompt("polish", "run_llm")
    """Revises what a recipe's steps have written. Names in double braces are filled in."""
    decompose_prompt: str = _prompt("decompose", "generate_options")
    """Asks for the steps of a task. Names in double braces are filled in."""
    propose_prompt: str = _prompt("propose", "generate_options")
    """Asks for extra steps of a recipe. Names in double braces are filled in."""

    def __init__(self, **fields: Any) -> None:
        """Checks the fields. LangGraph calls this too, with what a caller or a server was given.

        Raises:
            InvalidInput: a field is unknown, of the wrong type, or out of its bounds.
        """
        try:
            super().__init__(**fields)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            field = ".".join(str(part) for part in ("context", *first["loc"]))
            remedy = _remedy(first["type"], first["msg"])
            raise InvalidInput(field, first["input"], remedy) from None

    @classmethod
    def of(cls, given: object) -> Context:
        """The context of a run, however it arrives.

        A server hands over an instance, a run without one None, and a parent graph its own
        context unconverted: of that only the fields are read that are named like ours.

        Raises:
            InvalidInput: a field has a value that is out of its bounds.
        """
        if isinstance(given, cls):
            return given
        if isinstance(given, Mapping):
            return cls(**{k: v for k, v in given.items() if k in cls.model_fields})
        return cls(
            **{k: getattr(given, k) for k in cls.model_fields if given and hasattr(given, k)}
        )

    @property
    def budget(self) -> Budget | None:
        """The limits set here. None when there are none."""
        budget = Budget(
            self.max_tokens, self.max_cost_usd, self.max_latency_ms, self.max_tool_calls
        )
        return None if budget.is_unlimited else budget

    @property
    def prompts(self) -> dict[str, str]:
        """The text of every prompt, by its name."""
        fields = (field for field in Context.model_fields if field.endswith(PROMPT_SUFFIX))
        return {field.removesuffix(PROMPT_SUFFIX): getattr(self, field) for field in fields}

    def step_prompt(self, work: Work, role: ModelRole) -> ModelPrompt:
        """What a model is sent for a piece of work: the same where it is counted and sent."""
        return step_prompt(work, role, self.prompts)


def context_of_roles(names: Sequence[str]) -> type[Context]:
    """The context of a deployment, whose form offers the model roles that it has."""
    role = deepcopy(Context.model_fields["model"])
    extra = role.json_schema_extra
    shown: dict[str, Any] = {**extra} if isinstance(extra, dict) else {}
    role.json_schema_extra = {**shown, "enum": ["", *names]}
    field: Any = (str, role)
    return create_model(Context.__name__, __base__=Context, __doc__=Context.__doc__, model=field)


def _remedy(kind: str, message: str) -> str:
    if kind == "extra_forbidden":
        return f"known fields: {', '.join(Context.model_fields)}"
    return message.replace("Input should", "it should", 1)
