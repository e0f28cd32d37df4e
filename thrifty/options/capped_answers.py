"""Direct answers that are planned no longer than what is left affords.

An output cap holds the answer of a model, so that a long one is cut and never outgrows a limit. To
refuse the call because other answers were long would leave a task without any.
"""

from dataclasses import dataclass, replace

from thrifty.budget import Budget, PriceUnknown, Spend, Step, StepOption
from thrifty.executors.llm import useful_tokens
from thrifty.executors.payload import is_conversation
from thrifty.executors.results import Results
from thrifty.executors.step_estimate import StepEstimator
from thrifty.executors.step_limit import affordable_tokens
from thrifty.planning.problem import Problem
from thrifty.planning.risk import RiskMargin, amount_with_margin, margin_for_risk


def cap_answers(problem: Problem, estimator: StepEstimator, results: Results) -> Problem:
    """The problem in which no answer of a model to the conversation is too long for what is left.

    An answer that may be cut is worth the share of it that fits.

    Args:
        problem: with its options as bills let them be expected.
        estimator: says what is sent.
        results: what there is to read.
    """
    margin = margin_for_risk(problem.risk, problem.residuals)
    cap = _AnswerCap(problem.available, margin, estimator, results)
    return replace(problem, steps=tuple(map(cap.cap_step, problem.steps)))


@dataclass(frozen=True, slots=True)
class _AnswerCap:
    """How long an answer can be with what is left."""

    left: Budget
    margin: RiskMargin
    estimator: StepEstimator
    results: Results

    def cap_step(self, step: Step) -> Step:
        """A step with its answers capped."""
        if not any(map(is_conversation, step.options)):
            return step
        return step.with_options(tuple(self._cap_option(each, step) for each in step.options))

    def _cap_option(self, option: StepOption, step: Step) -> StepOption:
        if option.cascade is not None or not is_conversation(option):
            return option
        if self.left.covers(self._with_margin(option)):
            return option
        work = self.estimator.work(option, step, self.results)
        role = self.estimator.model_access.role_of(option)
        sent, uses = self.estimator.input_tokens(work), role.uses

        def worst_case(written: int) -> Spend:
            read = uses.input_tokens(sent, written)
            if self.left.max_cost_usd is None:
                return Spend(read + written)
            cost = role.prices.worst(role.model, read, written) + uses.fees_nano_usd_max
            return Spend(read + written, cost)

        wanted = max(1, uses.cap_within(option.estimate.tokens, sent))
        try:
            affordable = affordable_tokens(wanted, self.left, worst_case)
            written = max(affordable, useful_tokens(work, role))
            whole = max(1, uses.cap_within(self._with_margin(option).tokens, sent))
            return self._with_answer(option, written, whole, worst_case(written))
        except PriceUnknown:
            return option  # it is not offered where money is limited

    def _with_margin(self, option: StepOption) -> Spend:
        """What a plan with this option alone keeps free of tokens and money. Time cuts nothing."""
        tokens, cost_nano_usd, _, _ = option.estimate.amounts
        return Spend(
            amount_with_margin(tokens, option.spread, self.margin),
            amount_with_margin(cost_nano_usd, option.spread, self.margin),
        )

    def _with_answer(
        self, option: StepOption, written: int, whole: int, worst_case: Spend
    ) -> StepOption:
        """An option whose answer is so long at most, and worth its share of a whole one."""
        estimate = replace(
            option.estimate,
            tokens=worst_case.tokens,
            cost_nano_usd=min(option.estimate.cost_nano_usd, worst_case.cost_nano_usd),
        )
        capped = option.with_estimate(estimate, spread=0.0)
        return replace(capped, value=option.value * min(1.0, written / whole))
