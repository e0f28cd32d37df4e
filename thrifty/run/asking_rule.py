"""Whether a model is asked to take a task apart, and what that may take at most.

A run decides by it, and `thrifty plan` foresees by it what a run would do.

Measured in a prototype: of 61 tasks that were taken apart 20 gained by it, nearly all of them with
tools. So a model is asked only where there is something that a direct answer has not, and where
the call takes little of what there is.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from thrifty.budget import Budget, Spend, StepOption, total_spend
from thrifty.budget.plain_data import PlainData
from thrifty.executors.registry import AGENT, LLM, ExecutorRegistry
from thrifty.models.roles.agent_models import ModelPrompt
from thrifty.models.roles.model_roles import ModelRoles
from thrifty.options.decomposition import DECOMPOSITION_TOOL
from thrifty.options.priors import LENGTH_FREE, VALUE_MAX, model_quality, tokens_of
from thrifty.options.recipe import ANSWER
from thrifty.run.first_plans import FirstPlans
from thrifty.run.planning_call import PlanningCall, weigh_planning_call

PlanSteps = Literal["auto", "always", "never"]

DECOMPOSITION_KEY = "decomposition"
"""The key of the call in the run's own account."""
DECOMPOSITION_OPTION = StepOption(
    name="Steps",
    step="Steps",
    executor="llm",
    description="Ask a model for the steps of the task.",
    estimate=Spend(tokens=1_200, latency_ms=3_000, tool_calls=1),
    value=0.0,
    output_tokens=600,
)
OUTPUT_LEAST = 200
"""An answer that is shorter holds no two steps."""
READS_ALL = "documents alone are no reason, as a direct answer reads them whole"
DIVISOR = 10
"""The call may take a tenth of the tokens and of the money that are left."""


@dataclass(frozen=True, slots=True)
class AskingForecast(PlainData[dict[str, Any]]):
    """What a run would do about steps before it plans."""

    model: str
    """Which one it would ask."""
    most: Spend | None
    """The most that asking can take. None where it would not ask."""
    reason: str = ""
    """Why it would not ask. Empty where it would."""


@dataclass(frozen=True, slots=True)
class AskingRule:
    """What is known of a run when it is decided whether a model is asked for steps."""

    wanted: PlanSteps
    """`auto`, where it pays; `always`, where a direct answer fits beside it; or `never`."""
    recipe: str
    words: int
    """About how long the answer is to be. Nought: nobody said."""
    roles: ModelRoles
    has_documents: bool
    executors: ExecutorRegistry
    plans: FirstPlans
    """That it could begin with, as it would be answered directly."""

    @property
    def refusal(self) -> str | None:
        """Why nobody is asked, whatever it would take. Empty where somebody may be. None where
        steps are no question: nothing is there that they could bring."""
        if self.recipe != ANSWER or self.roles.is_offline:
            return None
        if self.wanted == "always":
            return ""
        if self._has_tools or tokens_of(self.words) > LENGTH_FREE:
            return "plan_steps is 'never'" if self.wanted == "never" else ""
        return READS_ALL if self.has_documents and self.wanted == "auto" else None

    @property
    def _has_tools(self) -> bool:
        return bool(self.executors.registered)

    def call(self, prompt: str) -> PlanningCall:
        """The call by which a model is asked."""
        asked = ModelPrompt(self.roles.cheap, prompt, tool=DECOMPOSITION_TOOL)
        divisor = 1 if self.wanted == "always" else DIVISOR
        return PlanningCall(asked, DECOMPOSITION_OPTION, DECOMPOSITION_KEY, OUTPUT_LEAST, divisor)

    def foresee(
        self, prompt: Callable[[], str], left: Budget, *, is_free: bool
    ) -> AskingForecast | None:
        """What a run would do. None where steps are no question.

        Args:
            prompt: writes what a model is asked.
            left: what may be spent.
            is_free: whether nothing may be spent before there is a plan.
        """
        if (refusal := self.refusal) is None:
            return None
        model = self.roles[self.roles.cheap].model
        if refusal:
            return AskingForecast(model, None, refusal)
        call = self.call(prompt())
        weighed = weigh_planning_call(call, self.roles, left, self.why_not, is_free=is_free)
        if isinstance(weighed, str):
            return AskingForecast(model, None, weighed)
        return AskingForecast(model, weighed)

    def why_not(self, left: Budget, worst_case: Spend) -> str:
        """Why the call is not worth what it may take. Empty when it is.

        Args:
            left: what may be spent.
            worst_case: the most that the call may take.
        """
        without, then = self.plans.plan(left), left.left_after(worst_case)
        if not without.chosen:
            return "not even a direct answer fits"
        answer = without.chosen[0]
        if self.wanted == "auto" and (reason := self._why_no_better(answer)):
            return reason
        if self.plans.plan(then).chosen != without.chosen:
            return f"with what the call may take, {answer.name!r} would no longer fit"
        if self.wanted == "auto" and then.exceeded_by(without.expected + self._least_beside):
            more = "another step" if self._steps_beside == 1 else f"{self._steps_beside} steps"
            return f"{more} would not fit beside {answer.name!r}"
        return ""

    def _why_no_better(self, answer: StepOption) -> str:
        """Why steps cannot be worth more than a direct answer. Empty where they can."""
        # Without tools, nobody knows yet what an answer lacks. With them, it finds out by itself.
        most = VALUE_MAX * max(model_quality(role.name) for role in self.roles)
        if answer.executor == AGENT and answer.value >= most:
            return f"{answer.name!r} is worth {answer.value:.1f}, and steps {most:.1f} at most"
        return ""

    @property
    def _steps_beside(self) -> int:
        """How many steps have to fit beside the direct answer, so that asking can pay."""
        return 1 if self._has_tools else 2

    @property
    def _least_beside(self) -> Spend:
        """What these take at the least: about what the shortest requests and answers take."""
        asked = (o.estimate for step in self.plans.steps for o in step.options if o.executor == LLM)
        least = min(asked, key=lambda estimate: estimate.tokens, default=Spend())
        return total_spend([least] * self._steps_beside)
