"""LiteLLM's models by langchain-litellm: how its own retries end, and what it would ask beside."""

import sys
from collections.abc import Mapping
from typing import Any

from thrifty.budget import Budget
from thrifty.models.providers.other import OtherModel
from thrifty.models.providers.refusals import refuse_unbounded
from thrifty.models.providers.vendor_request import VendorRequest

ONE_WHOLE_ANSWER = {"max_retries": 0, "num_retries": 0, "stream": False}
"""Arguments of a call that end retries, of a vendor's client and of LiteLLM's own around it, and
streams."""
FALLBACKS = ("fallbacks", "context_window_fallback_dict")
"""Arguments that name models which are asked where the first one fails."""
DROPPED = "additional_drop_params"
"""The argument that leaves others out, such as the cap."""


class LiteLLMModel(OtherModel):
    """A chat model of langchain-litellm, for metered calls.

    It asks any vendor, by whichever client it has for that. So what is known is what `OtherModel`
    knows, and how it is told to ask once.
    """

    package = "langchain-litellm"
    kind = "ChatLiteLLM"
    title = "LiteLLM"
    extra = "litellm"
    is_measured = True

    @classmethod
    def takes(cls, model: Any) -> bool:
        """Not its router, which asks one deployment after another."""
        return super().takes(model) and not hasattr(model, "router")

    @property
    def streams(self) -> bool:
        """No: of a stream without a count LiteLLM makes one up, which looks like any other."""
        return False

    def close(self, body: dict[str, Any], options: dict[str, Any]) -> None:
        """One request is one attempt for a whole answer, whatever the model was made with.

        Its field alone does not do that: the client of a vendor keeps retries of its own.
        """
        options |= ONE_WHOLE_ANSWER

    def check_bounded(self, request: VendorRequest, budget: Budget) -> None:
        """Refuses what asks other models, or leaves the cap out."""
        made = self.given.model_kwargs
        refuse_unbounded(_why_unbounded({**made, **request.options}))
        super().check_bounded(request, budget)


def _why_unbounded(options: Mapping[str, Any]) -> str:
    """What in a call asks more than it says; empty where nothing does."""
    everywhere = getattr(sys.modules.get("litellm"), "model_fallbacks", None)
    for field in FALLBACKS:
        if options.get(field):
            return f"{field}: each may be billed"
    if everywhere:
        return "litellm.model_fallbacks: each may be billed"
    return f"{DROPPED}: it may leave the output cap out" if options.get(DROPPED) else ""
