"""The direct answer: a step with an option for everybody here who can answer.

What a model's option declares is the same for each task: what is sent is added by the estimator. So
the bill of one answer says what the next one comes to.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from thrifty.budget import Spend, Step, StepOption
from thrifty.budget.name_folding import fold_name
from thrifty.executors.model_access import ATTACHMENTS_FIELD, ROLE_FIELD
from thrifty.executors.payload import CONVERSATION
from thrifty.executors.registry import AGENT, AGENT_READINGS, LLM, ExecutorRegistry
from thrifty.models.roles.asked import Asked
from thrifty.models.roles.model_role import ModelRole
from thrifty.models.roles.model_roles import ModelRoles
from thrifty.options import priors
from thrifty.options.decomposition import WorkKind

ANSWER_STEP = "Answer"
AGENT_STEP = "Answer with tools"
"""What the answer of a model with tools is called where it is not the one that reads what other
steps find out."""
DESCRIPTION = "Answer what was asked."


@dataclass(frozen=True, slots=True)
class AnsweringExecutor:
    """An executor that says that it can answer."""

    name: str
    is_agent: bool = False
    """Whether it may call models and tools: then it is expected to."""
    output_tokens: int | None = None
    """How long its answers are. None: as long as what is known of the answer says."""


@dataclass(frozen=True, slots=True)
class AnswerTerms:
    """What is known of an answer before it is written."""

    kind: WorkKind = "general"
    """What kind of work it is."""
    output_tokens: int = priors.OUTPUT_TOKENS
    """How long it is, before any reasoning."""
    share: float = 1.0
    """How much of a whole answer it can be without what other steps find out."""
    agent_share: float = 1.0
    """The same for a model with tools, which finds that out by itself."""
    materials: tuple[str, ...] = ()
    """The steps whose results it reads."""
    documents: tuple[str, ...] = ()
    """The names of the documents that it reads beside them."""
    words: int = 0
    """How long a person wants it. Nought: nobody said."""
    length_quality: float = 1.0
    """What is left of its quality, as it is written in one go."""

    @classmethod
    def of_length(cls, words: int) -> "AnswerTerms":
        """What is known of an answer where only its length is, or nothing."""
        length = max(priors.OUTPUT_TOKENS, priors.tokens_of(words))
        return cls(output_tokens=length, words=words, length_quality=priors.length_quality(length))

    def value(self, quality: float, share: float, model: ModelRole | None = None) -> float:
        """What an answer is worth.

        Args:
            quality: the chance that it is right, if it is short and has all that it needs.
            share: how much of it can be made without other steps.
            model: whose answer ends where the model cannot write more.
        """
        written = self.length_quality
        if model is not None and model.knows_output_tokens:
            wanted = max(1.0, self.output_tokens * model.reasoning_factor)
            written = min(written, model.output_tokens_most / wanted)
        return priors.VALUE_MAX * quality * share * written


USUAL = AnswerTerms()


@dataclass(frozen=True, slots=True)
class DirectAnswer:
    """Who can answer in a deployment."""

    models: tuple[ModelRole, ...] = ()
    executors: tuple[AnsweringExecutor, ...] = ()
    has_agent: bool = False
    """Whether they can be given tools."""

    def steps(self, asked: Asked, terms: AnswerTerms = USUAL) -> tuple[Step, ...]:
        """The step that answers a conversation. None where nobody can.

        Args:
            asked: how long the conversation is.
            terms: what is known of the answer.
        """
        models = [_model_option(model, asked, terms) for model in self.models]
        agents = [_agent_option(model, asked, terms) for model in self.models if self.has_agent]
        others = [_executor_option(executor, asked, terms) for executor in self.executors]
        if not terms.materials:
            return _answer_steps(ANSWER_STEP, None, [*models, *agents, *others])
        # Who has tools finds out by itself what the others read: it is another answer.
        alone = [replace(option, step=AGENT_STEP) for option in agents]
        reads = (*terms.materials, *terms.documents)
        return (
            *_answer_steps(ANSWER_STEP, reads, [*models, *others]),
            *_answer_steps(AGENT_STEP, None, alone),
        )


def _answer_steps(
    name: str, reads: tuple[str, ...] | None, options: Sequence[StepOption]
) -> tuple[Step, ...]:
    """One step, or none where nobody does it. Who says nothing else reads every document."""
    if not options:
        return ()
    return (Step(name, with_unlike_names(options), reads=reads, role="answer"),)


def who_answers(roles: ModelRoles, executors: ExecutorRegistry) -> DirectAnswer:
    """Everybody in a deployment who can answer."""
    return DirectAnswer(
        models=tuple(roles),
        executors=tuple(
            AnsweringExecutor(name, may_ask_models(thing), executors.terms_of(name).output_tokens)
            for name, thing in executors.answering.items()
        ),
        has_agent=executors.agent is not None,
    )


def may_ask_models(thing: object) -> bool:
    """Whether it is a chain or an agent, and no tool and no function."""
    return callable(getattr(thing, "invoke", None)) and not hasattr(thing, "args")


def _model_option(model: ModelRole, asked: Asked, terms: AnswerTerms) -> StepOption:
    quality = priors.model_quality(model.name, terms.kind)
    written = round(terms.output_tokens * model.reasoning_factor)
    return StepOption(
        name=f"{ANSWER_STEP} ({model.name})",
        step=ANSWER_STEP,
        executor=LLM,
        description=DESCRIPTION,
        estimate=call_estimate(written),
        value=terms.value(quality, terms.share, model),
        spread=priors.SPREAD,
        payload={**_payload(model, asked, terms), "prompt": CONVERSATION},
        output_tokens=written,
    )


def call_estimate(written: int, read: int = 0) -> Spend:
    """What a call of a model uses, but for what is sent for its step.

    Args:
        written: how many tokens it writes, with its reasoning.
        read: how many it is sent that are not there yet.
    """
    return Spend(
        tokens=priors.INSTRUCTION_TOKENS + read + written,
        latency_ms=priors.CALL_MS + written * priors.TOKEN_MS,
        tool_calls=1,
    )


def _agent_option(model: ModelRole, asked: Asked, terms: AnswerTerms) -> StepOption:
    quality = priors.with_tools(priors.model_quality(model.name, terms.kind))
    written = _agent_output(terms, model.reasoning_factor)
    return StepOption(
        name=f"{ANSWER_STEP} ({model.name}, with tools)",
        step=ANSWER_STEP,
        executor=AGENT,
        description=DESCRIPTION,
        estimate=agent_estimate(written),
        value=terms.value(quality, terms.agent_share, model),
        spread=priors.AGENT_SPREAD,
        payload=_payload(model, asked, terms),
        output_tokens=written,
    )


def _payload(model: ModelRole, asked: Asked, terms: AnswerTerms) -> dict[str, Any]:
    attached = {ATTACHMENTS_FIELD: asked.attachments} if asked.attachments else {}
    length = {"words": terms.words} if terms.words else {}
    return {ROLE_FIELD: model.name, **attached, **length}


def _executor_option(executor: AnsweringExecutor, asked: Asked, terms: AnswerTerms) -> StepOption:
    if executor.output_tokens is not None:
        terms = replace(terms, output_tokens=executor.output_tokens)
    # Code that calls no model is free, and what it takes is cut, not reserved.
    free = Spend(latency_ms=priors.CALL_MS)
    estimate = agent_estimate(_agent_output(terms), asked.tokens) if executor.is_agent else free
    return StepOption(
        name=f"{ANSWER_STEP} ({executor.name})",
        step=ANSWER_STEP,
        executor=executor.name,
        description=DESCRIPTION,
        estimate=estimate,
        value=terms.value(priors.EXECUTOR_QUALITY, terms.share),
        spread=priors.AGENT_SPREAD,
    )


def _agent_output(terms: AnswerTerms, reasoning_factor: float = 1.0) -> int:
    """What it writes to call its tools, and its answer."""
    written = (AGENT_READINGS - 1) * priors.OUTPUT_TOKENS + terms.output_tokens
    return round(written * reasoning_factor)


def agent_estimate(written: int, sent: int = 0) -> Spend:
    """What a model and tools use together: each call of the model reads all that was said.

    Args:
        written: how many tokens are written in all.
        sent: how many are sent with each call, beside the instruction.
    """
    return Spend(
        tokens=AGENT_READINGS * (priors.INSTRUCTION_TOKENS + sent) + written,
        latency_ms=priors.AGENT_CALLS * priors.CALL_MS + written * priors.TOKEN_MS,
        tool_calls=priors.AGENT_CALLS,
    )


def with_unlike_names(options: Iterable[StepOption]) -> tuple[StepOption, ...]:
    """Options with names of their own: an executor may be called like a model role."""
    named: dict[str, StepOption] = {}
    for option in options:
        name, count = option.name, 2
        while fold_name(name) in named:
            name, count = f"{option.name} ({count})", count + 1
        named[fold_name(name)] = option if name == option.name else replace(option, name=name)
    return tuple(named.values())
