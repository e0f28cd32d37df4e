"""What an option is expected to use, by what is sent for it: prompt, task, and what it reads.

A recipe declares tokens without knowing a task. Half of what it declares is room for what is
sent, the other half is what a model writes. What is sent beyond that room is added, so that a
plan, a reservation and a refusal speak of the same call.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from thrifty.budget import PriceUnknown, Step, StepOption
from thrifty.executors.answer_shape import AnswerShape
from thrifty.executors.model_access import ModelAccess
from thrifty.executors.payload import is_conversation
from thrifty.executors.protocol import Work
from thrifty.executors.reading_text import text_beside
from thrifty.executors.registry import AGENT, AGENT_READINGS, MODEL_EXECUTORS
from thrifty.executors.results import Results
from thrifty.models.costs.hosted_uses import NO_USES, HostedUses
from thrifty.models.roles.agent_models import ModelPrompt
from thrifty.models.roles.asked import Asked
from thrifty.models.roles.model_role import ModelRole

PromptOf = Callable[[Work, ModelRole], ModelPrompt]
"""Renders what the model of a role is sent for a piece of work."""
NOTHING_MEASURED = Asked(0)


@dataclass(frozen=True, slots=True, eq=False)
class StepEstimator:
    """Estimates options for the task of one run. Only what a model does changes."""

    model_access: ModelAccess
    task: str
    prompt_of: PromptOf
    shape: AnswerShape | None = None
    """What the answer of the run has to be."""
    asked: Asked = NOTHING_MEASURED
    """How long the conversation is that the run answers, with the documents: a plan has neither."""

    def work(self, option: StepOption, step: Step, results: Results, draft: str = "") -> Work:
        """A piece of work with all that there is to read for it: what is sent, and what counts.

        Args:
            option: what is to be done.
            step: what it is a way to do.
            results: what there is to read.
            draft: what it is to revise.
        """
        readings = results.readings_of(step)
        return Work(
            self.task,
            option,
            draft,
            revises=step.role == "revision",
            results=results.select(readings.present),
            absent=readings.absent,
            shape=self.shape if step.role == "answer" else None,
        )

    def estimate_steps(self, steps: Iterable[Step], results: Results) -> tuple[Step, ...]:
        """Steps as they are expected by what there is to read."""
        if self.model_access.roles.is_offline:
            return tuple(steps)  # no model is asked
        return tuple(self.estimate_step(step, step.options, results) for step in steps)

    def estimate_step(self, step: Step, declared: Iterable[StepOption], results: Results) -> Step:
        """A step as it is expected by what there is to read for it.

        Args:
            step: with the options that are offered.
            declared: the same options as their recipe declares them.
            results: what there is to read.
        """
        estimated = (self.estimate_work(self.work(o, step, results)) for o in declared)
        pairs = zip(step.options, estimated, strict=True)
        return step.with_options(tuple(replace(new, value=old.value) for old, new in pairs))

    def estimate_option(self, option: StepOption) -> StepOption:
        """An option as it is expected before anything is there to be read."""
        return self.estimate_work(Work(self.task, option))

    def estimate_work(self, work: Work) -> StepOption:
        """The option of a piece of work, by all that is sent for it.

        To estimate an option again that was estimated before changes nothing.
        """
        option = work.option
        if option.executor not in MODEL_EXECUTORS or self.model_access.role_of(option).is_offline:
            return option
        return self.with_input(option, self.input_tokens(work))

    def input_tokens(self, work: Work) -> int:
        """The most input tokens that the call for a piece of work can be billed.

        An agent asks as often as it wants: what it is sent is what its option declares, or as often
        as one asks.
        """
        option, role = work.option, self.model_access.role_of(work.option)
        if option.executor == AGENT:
            declared = option.estimate.tokens - option.expected_output_tokens
            made = _text_of_steps(work)
            beside = ModelPrompt(role.name, made).input_tokens(role) if made else 0
            return max(declared, AGENT_READINGS * (self.asked.tokens_for(role) + beside))
        if self.asked.tokens and is_conversation(option):
            tool = None if work.shape is None else dict(work.shape.schema)
            beside = ModelPrompt(role.name, _text_of_steps(work), tool=tool).input_tokens(role)
            return self.asked.tokens_for(role) + beside
        return self.prompt_of(work, role).input_tokens(role)

    def with_input(self, option: StepOption, input_tokens: int) -> StepOption:
        """A model's option, expected to be sent so many tokens, at its price."""
        role = self.model_access.role_of(option)
        expected = add_input(option, input_tokens, role.output_tokens_least, role.uses)
        estimate = expected.estimate
        if estimate.cost_nano_usd or not self.model_access.is_cost_limited:
            return expected  # a cost that its recipe states is left as it is
        calls = calls_of(option)
        written = role.uses.cap_within(estimate.tokens, input_tokens, calls)
        fees = calls * role.uses.fees_nano_usd_max
        try:
            cost = role.prices.quote(role.model, estimate.tokens - written, written) + fees
        except PriceUnknown:
            cost = fees
        return replace(expected, estimate=replace(estimate, cost_nano_usd=cost))


def calls_of(option: StepOption) -> int:
    """How many calls what is sent for an option is spread over."""
    return max(1, option.estimate.tool_calls) if option.executor == AGENT else 1


def _text_of_steps(work: Work) -> str:
    """What a piece of work reads of other steps, as it is sent. Documents were measured with the
    conversation. They came with it, and cost nothing."""
    made = {name: result for name, result in work.results.items() if result.spend is not None}
    return text_beside(replace(work, results=made, draft=""))


def add_input(
    option: StepOption, input_tokens: int, output_least: int = 0, uses: HostedUses = NO_USES
) -> StepOption:
    """An option with what is sent beyond the room that its declared estimate has for that.

    Args:
        option: as it is declared.
        input_tokens: what is sent.
        output_least: how much its model has to be given to write: some think under the cap.
        uses: what it may use at the provider for it: after each it reads all anew.
    """
    written = max(option.expected_output_tokens, output_least)
    read = uses.input_tokens(input_tokens, written, calls_of(option))
    return option.as_sent(
        replace(option.estimate, tokens=max(option.estimate.tokens, read + written))
    )
