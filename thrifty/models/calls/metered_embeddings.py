"""Embeddings whose every request is a metered call."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from thrifty.budget import InvalidInput
from thrifty.models.calls.account_choice import AccountChoice
from thrifty.models.calls.allowance import OUTPUT_CAP_MIN
from thrifty.models.calls.first_hold import HOLD_QUANTILE
from thrifty.models.calls.metered_call import Answer, MeteredCall
from thrifty.models.calls.reservation import CallAccounts
from thrifty.models.costs.prices import PriceList
from thrifty.models.providers.embeddings_request import VECTORS, EmbeddingsRequest
from thrifty.models.providers.openai_embeddings import OpenAIEmbeddingsModel
from thrifty.models.providers.vendor_request import CallBounds

NOTHING_WRITTEN = CallBounds(output_tokens_max=0)
WITHOUT_MEANING = {
    "max_output_tokens": None,
    "useful_tokens": OUTPUT_CAP_MIN,
    "hold_quantile": HOLD_QUANTILE,
    "tokens_per_attachment": None,
    "cap_field": "max_completion_tokens",
    "fees": None,
}
"""What is said of answers and of images, with its default."""


def is_embeddings(model: Any) -> bool:
    """Whether it makes vectors, whoever's it is."""
    from langchain_core.embeddings import Embeddings

    return isinstance(model, Embeddings)


def embeddings_model(embeddings: Any, options: Mapping[str, Any]) -> OpenAIEmbeddingsModel:
    """Embeddings, as their vendor's.

    Args:
        embeddings: any of LangChain's.
        options: how they are to be metered.

    Raises:
        InvalidInput: they are of no vendor that is known, or cannot be used, or an option has no
            meaning for them.
    """
    for name, default in WITHOUT_MEANING.items():
        if options[name] != default:
            raise InvalidInput(name, options[name], "leave it out: embeddings write no answer")
    if OpenAIEmbeddingsModel.takes(embeddings):
        return OpenAIEmbeddingsModel(embeddings, options["encoding"])
    remedy = (
        "use OpenAIEmbeddings or AzureOpenAIEmbeddings, which other servers take as well, with "
        "base_url. What runs on this machine costs nothing and needs no account"
    )
    raise InvalidInput("embeddings", type(embeddings).__name__, remedy)


def metered_embeddings(
    model: OpenAIEmbeddingsModel, choose: AccountChoice, prices: PriceList
) -> Any:
    """A copy of embeddings that asks by metered calls alone. The given ones are left as they are.

    Args:
        model: who is asked.
        choose: where its calls are booked.
        prices: what they cost.
    """

    def book(body: Mapping[str, Any]) -> MeteredCall:
        request: EmbeddingsRequest = model.request(body)
        return MeteredCall(CallAccounts.of(request, NOTHING_WRITTEN, prices, choose(request)))

    return model.with_clients(_Requests(book), _AsyncRequests(book))


@dataclass(frozen=True)
class _Requests:
    """Stands where a client makes its requests."""

    book: Callable[[Mapping[str, Any]], MeteredCall]

    def create(self, **body: Any) -> dict[str, Any]:
        call = self.book(body)
        return _as_data(call.loop.run(call.ask))


@dataclass(frozen=True)
class _AsyncRequests:
    """Stands where a client makes its requests in an event loop."""

    book: Callable[[Mapping[str, Any]], MeteredCall]

    async def create(self, **body: Any) -> dict[str, Any]:
        call = self.book(body)
        return _as_data(await call.loop.arun(call.ask))


def _as_data(answer: Answer) -> dict[str, Any]:
    """What LangChain reads of an answer."""
    vectors = answer.message.additional_kwargs[VECTORS]
    return {"data": [{"embedding": vector} for vector in vectors]}
