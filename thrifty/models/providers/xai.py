"""xAI's models by langchain-xai, whose class is made from OpenAI's."""

from thrifty.budget import Budget, InvalidInput
from thrifty.models.providers.openai_likes import OpenAILikeModel
from thrifty.models.providers.vendor_request import VendorRequest
from thrifty.models.use_fees import FEE_REMEDY

SEARCH = "search_parameters"


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

    def check_bounded(self, request: VendorRequest, budget: Budget) -> None:
        """Refuses a search as well: each source that it reads has a fee, and is input."""
        if request.body.get(SEARCH):
            raise InvalidInput("request", SEARCH, FEE_REMEDY)
        super().check_bounded(request, budget)
