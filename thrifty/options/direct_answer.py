"""The direct answer: one step, with an option for everybody here who can answer.

What a model's option declares is the same for each task: what is sent is added by the estimator. So
the bill of one answer says what the next one comes to.
"""

from dataclasses import dataclass
from typing import Any

from thrifty.budget import Spend, Step, StepOption
from thrifty.executors.model_access import ATTACHMENTS_FIELD, ROLE_FIELD
from thrifty.executors.payload import CONVERSATION
from thrifty.executors.registry import AGENT, AGENT_READINGS, LLM, ExecutorRegistry
from thrifty.models.roles.asked import Asked
from thrifty.models.roles.model_role import ModelRole
from thrifty.models.roles.model_roles import ModelRoles
from thrifty.options import priors

ANSWER_STEP = "Answer"
DESCRIPTION = "Answer what was asked."


@dataclass(frozen=True, slots=True)
class AnsweringExecutor:
    """An executor that says that it can answer."""

    name: str
    is_agent: bool = False
    """Whether it may call models and tools: then it is expected to."""


@dataclass(frozen=True, slots=True)
class DirectAnswer:
    """Who can answer in a deployment."""

    models: tuple[ModelRole, ...] = ()
    executors: tuple[AnsweringExecutor, ...] = ()
    has_agent: bool = False
    """Whether they can be given tools."""

    def steps(self, asked: Asked) -> tuple[Step, ...]:
        """The step that answers a conversation. None where nobody can."""
        options = (
            *(_model_option(model, asked) for model in self.models),
            *(_agent_option(model, asked) for model in self.models if self.has_agent),
            *(_executor_option(executor, asked) for executor in self.executors),
        )
        return (Step(ANSWER_STEP, options, role="answer"),) if options else ()


def who_answers(roles: ModelRoles, executors: ExecutorRegistry) -> DirectAnswer:
    """Everybody in a deployment who can answer."""
    return DirectAnswer(
        models=tuple(roles),
        executors=tuple(
            AnsweringExecutor(name, _may_ask_models(thing))
            for name, thing in executors.answering.items()
        ),
        has_agent=executors.agent is not None,
    )


def _may_ask_models(thing: object) -> bool:
    """Whether it is a chain or an agent, and no tool and no function."""
    return callable(getattr(thing, "invoke", None)) and not hasattr(thing, "args")


def _model_option(model: ModelRole, asked: Asked) -> StepOption:
    written = round(priors.OUTPUT_TOKENS * model.reasoning_factor)
    return StepOption(
        name=f"{ANSWER_STEP} ({model.name})",
        step=ANSWER_STEP,
        executor=LLM,
        description=DESCRIPTION,
        estimate=Spend(
            tokens=priors.INSTRUCTION_TOKENS + written,
            latency_ms=priors.CALL_MS + written * priors.TOKEN_MS,
            tool_calls=1,
        ),
        value=priors.VALUE_MAX * priors.model_quality(model.name),
        spread=priors.SPREAD,
        payload={**_payload(model, asked), "prompt": CONVERSATION},
        output_tokens=written,
    )


def _agent_option(model: ModelRole, asked: Asked) -> StepOption:
    quality = priors.with_tools(priors.model_quality(model.name))
    return StepOption(
        name=f"{ANSWER_STEP} ({model.name}, with tools)",
        step=ANSWER_STEP,
        executor=AGENT,
        description=DESCRIPTION,
        estimate=_agent_estimate(model.reasoning_factor),
        value=priors.VALUE_MAX * quality,
        spread=priors.AGENT_SPREAD,
        payload=_payload(model, asked),
        output_tokens=_agent_output(model.reasoning_factor),
    )


def _payload(model: ModelRole, asked: Asked) -> dict[str, Any]:
    attached = {ATTACHMENTS_FIELD: asked.attachments} if asked.attachments else {}
    return {ROLE_FIELD: model.name, **attached}


def _executor_option(executor: AnsweringExecutor, asked: Asked) -> StepOption:
    # Code that calls no model is free, and what it takes is cut, not reserved.
    free = Spend(latency_ms=priors.CALL_MS)
    return StepOption(
        name=f"{ANSWER_STEP} ({executor.name})",
        step=ANSWER_STEP,
        executor=executor.name,
        description=DESCRIPTION,
        estimate=_agent_estimate(sent=asked.tokens) if executor.is_agent else free,
        value=priors.VALUE_MAX * priors.EXECUTOR_QUALITY,
        spread=priors.AGENT_SPREAD,
    )


def _agent_output(reasoning_factor: float) -> int:
    return round(AGENT_READINGS * priors.OUTPUT_TOKENS * reasoning_factor)


def _agent_estimate(reasoning_factor: float = 1.0, sent: int = 0) -> Spend:
    """What a model and tools use together: each call of the model reads all that was said."""
    read = AGENT_READINGS * (priors.INSTRUCTION_TOKENS + sent)
    written = _agent_output(reasoning_factor)
    return Spend(
        tokens=read + written,
        latency_ms=priors.AGENT_CALLS * priors.CALL_MS + written * priors.TOKEN_MS,
        tool_calls=priors.AGENT_CALLS,
    )
