"""DeepSeek's models by langchain-deepseek, whose class is made from OpenAI's."""

from typing import Any

from thrifty.models.providers.openai_likes import OpenAILikeModel
from thrifty.models.providers.thinking import Thinking
from thrifty.models.providers.vendor_facts import thinks_by_itself
from thrifty.models.providers.vendor_request import CallBounds
from thrifty.models.wire.openai_protocol import CapField

THINKS = "deepseek-reasoner"
EFFORT_UNSAID = "high"
"""How hard it thinks."""


class DeepSeekModel(OpenAILikeModel):
    """A chat model of langchain-deepseek, for metered calls."""

    package = "langchain-deepseek"
    kind = "ChatDeepSeek"
    title = "DeepSeek"
    names = ("deepseek",)
    extra = "deepseek"
    key_variable = "DEEPSEEK_API_KEY"
    home = "https://api.deepseek.com/v1"
    address_variables = ("DEEPSEEK_API_BASE",)
    listed_as = "deepseek"

    @classmethod
    def thinking(cls, model: str, effort: str) -> Thinking:
        """Its model that thinks does so by itself."""
        if model == THINKS:
            return thinks_by_itself(model, effort, EFFORT_UNSAID)
        return super().thinking(model, effort)

    @classmethod
    def thinking_of(cls, model: Any) -> Thinking:
        """As a model does that thinks by itself."""
        return cls.thinking(model.model_name, "auto")

    def cap_field(self, bounds: CallBounds) -> CapField:
        """Its API knows no other name, and passes over what it does not know."""
        return "max_tokens"
