"""From a decomposition to steps with options: the ways in which each of them can be done.

A model's step can be done by each model role, and by executors that fit. A tool's step can be done
by the tool that it names, and by others that take the same input. What a step is worth follows from
its share of the result, and from the quality of who does it (`options/priors.py`).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import repeat
from math import fsum
from typing import Any

from thrifty.budget import Spend, Step, StepOption
from thrifty.budget.name_folding import fold_name
from thrifty.budget.option import NAME_MAX
from thrifty.executors.declared_input import takes_query, tool_schema
from thrifty.executors.model_access import ROLE_FIELD
from thrifty.executors.references import find_reference
from thrifty.executors.registry import LLM, LOCAL, ExecutorRegistry
from thrifty.models.roles.asked import Asked
from thrifty.models.roles.model_role import ModelRole
from thrifty.options import priors
from thrifty.options.decomposition import Decomposition, PlannedStep
from thrifty.options.direct_answer import (
    AnswerTerms,
    DirectAnswer,
    agent_estimate,
    call_estimate,
    may_ask_models,
    with_unlike_names,
)
from thrifty.options.fitting_executors import fitting_executors
from thrifty.options.material_shares import Shares, share_out

ROOM = len(" () (99)")
"""What an option's name has beside those of its step and of who does it."""
TIDY = {"template": "tidy"}
"""How local code revises a draft."""


@dataclass(frozen=True, slots=True)
class Ways:
    """Who can do steps in a deployment."""

    direct: DirectAnswer
    """Who answers."""
    executors: ExecutorRegistry
    """What was registered."""

    def steps(
        self, taken_apart: Decomposition, asked: Asked, documents: Collection[str] = ()
    ) -> tuple[Step, ...]:
        """The steps of a decomposition with all their ways, and the direct answer.

        Where the decomposition has an answer, that is the direct one, and it reads the material.
        Where it has sections, the direct answer stands beside them: a plan has one or the other.

        Args:
            taken_apart: what is to be done.
            asked: how long the conversation is.
            documents: the names of what the run was handed.
        """
        planned = taken_apart.steps
        kept = {step.name: self._kept_share(step) for step in planned if step.role == "material"}
        shares = share_out(planned, kept)
        terms = _answer_terms(taken_apart, shares, kept, documents)
        answer = self.direct.steps(asked, terms)
        main = _main_section(planned)
        steps = []
        for step in map(_with_length, planned, repeat(taken_apart)):
            if step.role != "answer":
                share = _share(step, shares.worth.get(step.name, 0.0))
                ways = _StepWays(step, self, share, asked, bool(taken_apart.words))
                steps.append(ways.to_step(_requirements(step, planned, main), step.name == main))
        return (*steps, *answer)

    def _kept_share(self, step: PlannedStep) -> float:
        """How much of a material's weight its readers reach without it."""
        # Who answers tasks is about as a model is, whatever is behind it.
        is_model = step.executor in ("", *self.executors.answering)
        return priors.MODEL_KEPT if is_model else priors.TOOL_KEPT


@dataclass(frozen=True, slots=True)
class _StepWays:
    """The options of one step."""

    step: PlannedStep
    deployment: Ways
    share: float
    """What it is worth if it is done rightly, as a share of the best result."""
    asked: Asked
    has_length: bool
    """Whether the task says how long its result is to be."""

    def to_step(self, requires: tuple[str, ...], is_required: bool) -> Step:
        """The step with its options."""
        return Step(
            name=self.step.name,
            options=with_unlike_names(self._options()),
            requires=requires,
            reads=self.step.reads,
            role=self.step.role,
            required=is_required,
        )

    def _options(self) -> Iterator[StepOption]:
        step, executors = self.step, self.deployment.executors
        if step.executor:
            yield self._by_executor(step.executor, priors.EXECUTOR_QUALITY)
        else:
            yield from map(self._by_model, self.deployment.direct.models)
        if step.role == "revision":
            yield self._by_local_code()
            return
        for name in fitting_executors(step, executors):
            yield self._by_executor(name, priors.FITTING_QUALITY)

    def _by_model(self, model: ModelRole) -> StepOption:
        quality = priors.model_quality(model.name, self.step.kind)
        length = priors.tokens_of(self.step.words)
        written = round(length * model.reasoning_factor)
        read = length if self.step.role == "revision" else 0  # it is sent the draft
        told = {"words": self.step.words} if self.has_length and self.step.role == "section" else {}
        option = self._option(
            model.name, LLM, call_estimate(written, read), {ROLE_FIELD: model.name, **told}
        )
        value = AnswerTerms(output_tokens=length).value(quality, self.share, model)
        return replace(option, value=value, spread=priors.SPREAD, output_tokens=written)

    def _by_executor(self, name: str, quality: float) -> StepOption:
        terms = self.deployment.executors.terms_of(name)
        thing, written = terms.fn, terms.output_tokens
        if written is None:
            written = priors.tokens_of(self.step.words)
        is_tool = tool_schema(thing) is not None
        estimate = Spend(latency_ms=priors.CALL_MS, tool_calls=int(is_tool))
        if may_ask_models(thing) and not takes_query(thing):
            estimate = agent_estimate(written, self.asked.tokens)
        given: dict[str, Any] = {}
        if is_tool or takes_query(thing):
            # Without one, it would be called with the task.
            usual: Any = {} if is_tool else self.step.instruction
            given = {"input": usual if self.step.input is None else self.step.input}
        option = self._option(name, name, estimate, given)
        value = AnswerTerms().value(quality, self.share)
        return replace(option, value=value, spread=priors.AGENT_SPREAD, output_tokens=written)

    def _by_local_code(self) -> StepOption:
        option = self._option(LOCAL, LOCAL, Spend(latency_ms=1), TIDY)
        return replace(option, value=AnswerTerms().value(priors.TIDY_QUALITY, self.share))

    def _option(
        self, who: str, executor: str, estimate: Spend, payload: dict[str, Any]
    ) -> StepOption:
        name = self.step.name
        return StepOption(
            name=f"{name} ({who[: NAME_MAX - len(name) - ROOM]})",
            step=name,
            executor=executor,
            description=_description(self.step),
            estimate=estimate,
            value=0.0,
            payload=payload,
        )


def _answer_terms(
    taken_apart: Decomposition,
    shares: Shares,
    kept: Mapping[str, float],
    documents: Collection[str],
) -> AnswerTerms:
    """What is known of the direct answer: it is one of the steps, or it is there instead."""
    planned = taken_apart.steps
    written = [step.words for step in planned if step.role in ("answer", "section")]
    length = priors.tokens_of(taken_apart.words or sum(written))
    length = max(priors.OUTPUT_TOKENS, length)
    terms = AnswerTerms(
        taken_apart.kind,
        length,
        documents=tuple(documents),
        length_quality=priors.length_quality(length),
    )
    answer = next((step for step in planned if step.role == "answer"), None)
    if answer is not None:
        materials = tuple(name for name in answer.reads if name not in documents)
        return replace(terms, share=shares.worth[answer.name], materials=materials)
    if not planned:
        return terms
    # What a model would find out for a section, it knows for an answer, too.
    is_read = {name for step in planned for name in step.reads}
    found = [name for name in is_read if kept.get(name) == priors.TOOL_KEPT]
    lost = fsum(shares.weights[name] for name in found) * (1 - priors.TOOL_KEPT)
    return replace(terms, share=1 - lost)


def _with_length(step: PlannedStep, taken_apart: Decomposition) -> PlannedStep:
    """A step as long as its result is: a revision has all sections."""
    if step.role != "revision":
        return step
    sections = sum(each.words for each in taken_apart.steps if each.role == "section")
    return replace(step, words=sections)


def _share(step: PlannedStep, worth: float) -> float:
    """What a step is worth that is done rightly, as a share of the best result."""
    if step.role == "revision":
        return priors.REVISION_SHARE
    return worth * (priors.SECTION_SHARE if step.role == "section" else 1.0)


def _main_section(planned: Sequence[PlannedStep]) -> str:
    """The section without which there is no document: the most important one, the first of those.
    Empty where there is none."""
    sections = [step for step in planned if step.role == "section"]
    return max(sections, key=lambda step: step.importance).name if sections else ""


def _requirements(step: PlannedStep, planned: Sequence[PlannedStep], main: str) -> tuple[str, ...]:
    """What has to be done before a step. What makes the result does without what is not there."""
    if step.role == "revision":
        return (main,)
    names = {each.name for each in planned}
    return tuple(
        name
        for name in step.reads
        if name in names and (step.role == "material" or find_reference(step.input, [name]))
    )


def _description(step: PlannedStep) -> str:
    """The assignment. A section knows its heading."""
    if step.role != "section" or fold_name(step.name) in fold_name(step.instruction):
        return step.instruction
    return f"{step.name}: {step.instruction}"
