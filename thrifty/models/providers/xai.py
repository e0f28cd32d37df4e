"""xAI's models by langchain-xai, whose class is made from OpenAI's."""

from typing import Any

from thrifty.budget import Budget
from thrifty.models.providers.openai_likes import OpenAILikeModel
from thrifty.models.providers.refusals import refuse_unbounded
from thrifty.models.providers.thinking import Thinking
from thrifty.models.providers.vendor_facts import thinks_always, thinks_by_itself
from thrifty.models.providers.vendor_request import VendorRequest

SEARCH = "search_parameters"
TAKES_A_WORD = "grok-3-mini"
THINKS, NOT = "grok-4", "non-reasoning"
"""How the names begin of models that think by themselves, and what stands in others."""
EFFORT_UNSAID = "medium"
"""How hard they think."""


class XAIModel(OpenAILikeModel):
    """A chat model of langchain-xai, for metered calls."""

    package = "langchain-xai"
    kind = "ChatXAI"
    title = "xAI"
    names = ("xai",)
    extra = "xai"
    key_variable = "XAI_API_KEY"
    home = "https://api.x.ai/v1"
    address_variables = ("XAI_API_BASE",)
    listed_as = "x-ai"

    @classmethod
    def thinking(cls, model: str, effort: str) -> Thinking:
        """One of its models is told by a word. Others think by themselves."""
        if model.startswith(TAKES_A_WORD):
            if effort == "none":
                raise thinks_always(model)
            word = "high" if effort in ("medium", "high") else "low"
            return Thinking(word, {"reasoning_effort": word})
        if model.startswith(THINKS) and NOT not in model:
            return thinks_by_itself(model, effort, EFFORT_UNSAID)
        return super().thinking(model, effort)

    @classmethod
    def thinking_of(cls, model: Any) -> Thinking:
        """As its owner has said, or else as a model does that thinks by itself."""
        said = model.reasoning_effort or (model.extra_body or {}).get("reasoning_effort")
        return Thinking(said) if said else cls.thinking(model.model_name, "auto")

    def check_bounded(self, request: VendorRequest, budget: Budget) -> None:
        """Refuses a search as well: each source that it reads has a fee, and is input."""
        if request.body.get(SEARCH):
            refuse_unbounded(f"{SEARCH}: each source that it reads has a fee, and is input")
        super().check_bounded(request, budget)
