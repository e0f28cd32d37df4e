"""What vendors refuse in the same words: models that cannot be metered, and what has no bound."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from thrifty.budget import InvalidInput

if TYPE_CHECKING:
    from thrifty.models.providers.vendor_request import VendorRequest

REMEDIES = {
    "MeteredChatModel": "it is metered already",
    "str": "make a model of it, as with init_chat_model, and meter that",
    "RunnableWithFallbacks": "meter each model: metered(a, …).with_fallbacks([metered(b, …)])",
    "RunnableSequence": "meter the model, and then metered(…).with_structured_output(…)",
    "RunnableConfigurableFields": "metered(model, …).configurable_fields(…)",
    "RunnableConfigurableAlternatives": "meter each model, and then configurable_alternatives(…)",
    "_ConfigurableModel": "name its model in init_chat_model, with no field to be configured; then "
    "metered(…).configurable_fields(…)",
}
"""What to do instead with what holds a model in it, by the name of its class."""


def unknown_model(model: Any, packages: str) -> InvalidInput:
    """The refusal of what is no chat model of any of these packages."""
    kind = type(model).__name__
    remedy = REMEDIES.get(kind, f"use a chat model of {packages}")
    return InvalidInput("model", kind, remedy)


def refuse_unbounded(why: str) -> None:
    """Refuses a request that is billed beyond what is sent and capped.

    Args:
        why: what in it is. Empty: nothing is.

    Raises:
        InvalidInput: something is.
    """
    if why:
        raise InvalidInput("request", why, "leave it out, or limit neither tokens nor cost")


def check_attachments(count: int, request: VendorRequest) -> None:
    """Refuses images and files of which nobody knows how large they are for a model.

    Raises:
        InvalidInput: there are some, and nobody has said how large each may be.
    """
    if count and request.bounds.tokens_per_attachment is None:
        remedy = "say what each may take: metered(..., tokens_per_attachment=1_500)"
        raise InvalidInput("messages", f"{count} images or files", remedy)


def check_transport(model: Any) -> None:
    """Refuses a model with a transport for synchronous calls alone.

    Raises:
        InvalidInput: its transport would never be used.
    """
    transport = getattr(model, "http_client", None)
    if transport is not None and getattr(model, "http_async_client", transport) is None:
        remedy = "give http_async_client=httpx.AsyncClient(…) as well: every call is an async one"
        raise InvalidInput("http_client", type(transport).__name__, remedy)
