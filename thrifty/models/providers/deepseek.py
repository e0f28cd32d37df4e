"""DeepSeek's models by langchain-deepseek, whose class is made from OpenAI's."""

from thrifty.models.model import CapField
from thrifty.models.providers.openai_likes import OpenAILikeModel
from thrifty.models.providers.vendor_request import CallBounds


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

    def cap_field(self, bounds: CallBounds) -> CapField:
        """Its API knows no other name, and passes over what it does not know."""
        return "max_tokens"
