"""Which model may be asked for an option, and at what price."""

from dataclasses import dataclass, replace

from thrifty.budget import PriceUnknown, StepOption
from thrifty.executors.registry import LLM, LOCAL
from thrifty.models.prices import PriceList
from thrifty.steering.forecast import ExecutorModel

INPUT_SHARE = 0.25
"""How much of an estimate in tokens is input, where a price needs to know."""
OFFLINE_REASON = "offline: no key and no server"


@dataclass(frozen=True, slots=True)
class ModelAccess:
    """What decides whether a model can be asked, and what it costs."""

    model: str
    """The model of options that name none of their own."""
    prices: PriceList
    is_offline: bool
    is_cost_limited: bool
    """Whether money is limited: then what has no price cannot be had."""

    def model_of(self, option: StepOption) -> str:
        """The model that would carry out an option: its own, or the run's."""
        return str(option.payload.get("model", self.model))

    def executor_model(self, option: StepOption) -> ExecutorModel:
        """Who would carry out an option."""
        is_llm = option.executor == LLM
        return ExecutorModel(option.executor, self.model_of(option) if is_llm else "")

    def executor_label(self, option: StepOption) -> str:
        """Who would carry out an option, for a person."""
        return (
            "the local template" if option.executor == LOCAL else str(self.executor_model(option))
        )

    def unavailable_reason(self, option: StepOption) -> str:
        """Why an option is not available; empty when it is."""
        if option.executor != LLM:
            return ""
        if self.is_offline:
            return OFFLINE_REASON
        return self.prices.why_unknown(self.model_of(option)) if self.is_cost_limited else ""

    def price_option(self, option: StepOption) -> StepOption:
        """The option with its cost filled in, where money counts and a price is known."""
        estimate = option.estimate
        # A cost that its catalog states is left as it is.
        if not self.is_cost_limited or option.executor != LLM or estimate.cost_nano_usd:
            return option
        tokens_in = round(estimate.tokens * INPUT_SHARE)
        try:
            cost = self.prices.quote(self.model_of(option), tokens_in, estimate.tokens - tokens_in)
        except PriceUnknown:
            return option
        return replace(option, estimate=replace(estimate, cost_nano_usd=cost))
