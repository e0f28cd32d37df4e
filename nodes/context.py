"""What one run may change, from Python, Studio or an assistant's settings.

Anyone who can reach a server can set these, so nothing here names an address, a key or a
price: those are the deployment's (`thrifty/settings.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from thrifty.budget import Budget, InvalidInput
from thrifty.planning.engines import ENGINE_DEFAULT, EngineName
from thrifty.planning.problem import (
    DIVERSITY_PENALTY_DEFAULT,
    MAX_STEPS_DEFAULT,
    RISK_DEFAULT,
    RISK_MAX,
    RISK_MIN,
)
from thrifty.prompts import load_prompt

LLM_NODES: list[JsonValue] = ["run_llm"]
PROMPT_SUFFIX = "_prompt"


def _prompt(name: str, nodes: list[JsonValue], use: str) -> Any:
    return Field(
        default=load_prompt(name),
        title=f"Prompt: {name}",
        description=f"{use} Names in double braces are filled in.",
        max_length=20_000,
        json_schema_extra={"langgraph_nodes": nodes, "langgraph_type": "prompt"},
    )


class Context(BaseModel):
    """The settings of a run."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    max_tokens: int | None = Field(
        None, ge=0, le=10**9, title="Token limit", description="Used when the input has no budget."
    )
    max_cost_usd: float | None = Field(
        None, ge=0, le=10**6, title="Cost limit (USD)", description="As above, in dollars."
    )
    max_latency_ms: int | None = Field(
        None, ge=0, le=10**9, title="Latency limit (ms)", description="As above, active time."
    )
    max_tool_calls: int | None = Field(
        None, ge=0, le=10**6, title="Call limit", description="As above, calls to models and tools."
    )
    model: str = Field(
        "gpt-5",
        min_length=1,
        max_length=200,
        title="Model",
        description="The model that writes sections and revises the draft.",
        json_schema_extra={"langgraph_nodes": LLM_NODES},
    )
    effort: Literal["auto", "none", "minimal", "low", "medium", "high"] = Field(
        "auto",
        title="Reasoning effort",
        description="`auto` is low for models that reason, and nothing for others.",
        json_schema_extra={"langgraph_nodes": LLM_NODES},
    )
    propose_options: bool = Field(
        True,
        title="Propose steps",
        description="Ask the model for 3 to 5 extra steps, where the budget can bear the call.",
        json_schema_extra={"langgraph_nodes": ["generate_options"]},
    )
    proposal_model: str = Field(
        "gpt-5",
        min_length=1,
        max_length=200,
        title="Model for proposals",
        description="The model that proposes extra steps; a small one will do.",
        json_schema_extra={"langgraph_nodes": ["generate_options"]},
    )
    engine: EngineName = Field(
        ENGINE_DEFAULT,
        title="Planner",
        description="Which planner chooses; `docs/planning.md` compares them.",
        json_schema_extra={"langgraph_nodes": ["plan"]},
    )
    max_steps: int = Field(
        MAX_STEPS_DEFAULT,
        ge=0,
        le=1_000,
        title="Most steps",
        description="The most steps that a plan may have.",
        json_schema_extra={"langgraph_nodes": ["plan"]},
    )
    diversity_penalty: float = Field(
        DIVERSITY_PENALTY_DEFAULT,
        ge=0,
        le=1_000,
        title="Diversity penalty",
        description="What two steps on one topic take off the value of a plan.",
        json_schema_extra={"langgraph_nodes": ["plan"]},
    )
    risk: float = Field(
        RISK_DEFAULT,
        ge=RISK_MIN,
        le=RISK_MAX,
        title="Risk",
        description="The chance, at most, that a plan outgrows a limit; 0.5 leaves no margin.",
        json_schema_extra={"langgraph_nodes": ["plan"]},
    )
    max_concurrency: int = Field(
        1,
        ge=1,
        le=64,
        title="Side by side",
        description="How many independent steps may run at once; 1 is one after another.",
        json_schema_extra={"langgraph_nodes": ["route"]},
    )
    on_drift: Literal["replan", "halt", "ask"] = Field(
        "replan",
        title="On drift",
        description="When the rest of the plan no longer fits: plan anew, halt, or ask a person.",
        json_schema_extra={"langgraph_nodes": ["check_spend"]},
    )
    approve_plan: bool = Field(
        False,
        title="Approve the plan",
        description="Show the plan to a person, and wait, before anything is spent.",
        json_schema_extra={"langgraph_nodes": ["plan"]},
    )
    max_replans: int = Field(
        3,
        ge=0,
        le=100,
        title="Most new plans",
        description="For what bills came to; what failed is always planned around.",
        json_schema_extra={"langgraph_nodes": ["check_spend"]},
    )
    learn: bool = Field(
        True,
        title="Learn from bills",
        description="Keep what steps came to in the agent's store, and estimate by it.",
        json_schema_extra={"langgraph_nodes": ["generate_options", "finish"]},
    )
    outline_prompt: str = _prompt("outline", LLM_NODES, "Writes the outline.")
    risks_prompt: str = _prompt("risks", LLM_NODES, "Writes the risk register.")
    timeline_prompt: str = _prompt("timeline", LLM_NODES, "Writes the timeline.")
    generic_prompt: str = _prompt("generic", LLM_NODES, "Writes any other section.")
    polish_prompt: str = _prompt("polish", LLM_NODES, "Revises the whole draft.")
    propose_prompt: str = _prompt("propose", ["generate_options"], "Asks for extra steps.")

    def __init__(self, **fields: Any) -> None:
        """Checks the fields; LangGraph calls this too, with what a caller or a server was given.

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
        """The limits set here; None when there are none."""
        budget = Budget(
            self.max_tokens, self.max_cost_usd, self.max_latency_ms, self.max_tool_calls
        )
        return None if budget.is_unlimited else budget

    def prompt(self, kind: str) -> str:
        """The text of one prompt; of a kind that there is none of, the generic one."""
        text: str = getattr(self, f"{kind}{PROMPT_SUFFIX}", self.generic_prompt)
        return text

    @property
    def prompts(self) -> dict[str, str]:
        """The text of every prompt, by its name."""
        fields = (field for field in Context.model_fields if field.endswith(PROMPT_SUFFIX))
        return {field.removesuffix(PROMPT_SUFFIX): getattr(self, field) for field in fields}


def _remedy(kind: str, message: str) -> str:
    if kind == "extra_forbidden":
        return f"known fields: {', '.join(Context.model_fields)}"
    return message.replace("Input should", "it should", 1)
