"""What vendors share whose requests are like OpenAI's Chat Completions, by clients of their own."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from thrifty.budget import Budget, InvalidInput
from thrifty.models.costs.input_bound import attachments, input_tokens, sounds, why_unbounded
from thrifty.models.costs.use_fees import FEE_REMEDY, UNDECLARED_REMEDY, use_fee
from thrifty.models.providers.refusals import check_attachments, refuse_unbounded
from thrifty.models.providers.vendor import Vendor
from thrifty.models.providers.vendor_request import CallBounds, VendorRequest


class ChatCompletionsModel(Vendor):
    """A chat model whose requests are like OpenAI's, at a vendor that is not OpenAI."""

    counts_as_json = False
    cut_words: ClassVar = {"finish_reason": ("length",)}
    delivery_fields = ("stream", "timeout", "extra_headers", "extra_query")

    def body(
        self,
        connected: Any,
        messages: list[Any],
        stop: list[str] | None,
        options: Mapping[str, Any],
    ) -> dict[str, Any]:
        """What the client will send: of an argument of the call and of the model, the call's."""
        said, params = connected._create_message_dicts(messages, stop)
        return {**params, **options, "messages": said}

    def input_tokens(
        self, body: Mapping[str, Any], messages: Sequence[Any], bounds: CallBounds
    ) -> int:
        """The bytes of what is read, and room for what the vendor adds."""
        return input_tokens(body, bounds.encoding or "", bounds.tokens_per_attachment or 0)

    def audio_tokens(self, body: Mapping[str, Any], bounds: CallBounds) -> int:
        """Any attachment that is no picture may be sound."""
        return sounds(body) * (bounds.tokens_per_attachment or 0)

    def check_bounded(self, request: VendorRequest, budget: Budget) -> None:
        """Refuses what is billed without being sent."""
        check_sent_whole(request.body, request, budget)


def check_sent_whole(body: Mapping[str, Any], request: VendorRequest, budget: Budget) -> None:
    """Refuses a request that is billed beyond what is sent and capped.

    Args:
        body: what of it is sent, in the words of Chat Completions.
        request: the request.
        budget: what is limited.

    Raises:
        InvalidInput: something in it has no bound.
    """
    declared = request.uses.fees
    refuse_unbounded(why_unbounded(body, declared))
    if budget.max_cost_usd is not None and (fee := use_fee(body, declared)):
        remedy = FEE_REMEDY if request.vendor.limits_uses else UNDECLARED_REMEDY
        raise InvalidInput("request", fee, remedy)
    check_attachments(attachments(body), request)
