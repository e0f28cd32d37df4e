"""Embeddings of OpenAI's, and of servers that speak like it, by langchain-openai."""

from collections.abc import Mapping, Sequence
from functools import cache, partial
from typing import Any, ClassVar

from thrifty.budget import InvalidInput
from thrifty.ledger.idempotent_calls import fingerprint
from thrifty.models.costs.input_bound import (
    ENCODINGS,
    as_json,
    encoder_of,
    encoding_model,
    tokens_bound,
    utf8_bytes,
)
from thrifty.models.providers.embeddings_request import EmbeddingsRequest, Vectors
from thrifty.models.providers.vendor import made_of
from thrifty.models.wire import connection_pool
from thrifty.models.wire.background_loop import background_loop
from thrifty.models.wire.openai_protocol import Encoding

LIBRARY = "openai"
PACKAGE = "langchain-openai"
KIND, AZURE_KIND = "OpenAIEmbeddings", "AzureOpenAIEmbeddings"
DELIVERY_FIELDS = ("timeout", "extra_headers", "extra_query")
"""What of a request may differ where the same is asked."""
TEXT_TOKENS = 16
"""Room for what a server that nobody here knows adds to each text: marks of its beginning and its
end, an instruction. Observed: 2 to 8 tokens."""
TOKEN_BYTES_MAX = 128
"""The longest token of OpenAI's encodings: blanks."""
CUT_TOKENS_MAX = 3
"""Where a long text is cut, so many tokens at either end may be a part of a letter."""
ADA = "text-embedding-ada-002"
SAME_AS_ADA = ("text-embedding-ada-002-v2", "ada")
"""What OpenAI and Azure call that model in their answers."""
ENCODING_DEFAULT = "cl100k_base"
"""How LangChain counts for a model that it does not know."""
TOKENS_KNOWN = 100_256
"""How many tokens that encoding has. The encoder crashes on any other."""


class OpenAIEmbeddingsModel:
    """Embeddings of langchain-openai, for metered calls.

    A transport that the user gave them is kept: it must not be used on another event loop.

    Args:
        given: as LangChain has them.
        encoding: by which the user says that their server counts; None where nobody says so.

    Raises:
        InvalidInput: they cannot be used, with the remedy.
    """

    reports_cost: ClassVar[bool] = False
    """Whether its answers say what they have cost, and that is the bill."""

    def __init__(self, given: Any, encoding: Encoding | None = None) -> None:
        if not hasattr(given.async_client, "_client"):
            remedy = "let it build its own async client, and meter it once"
            raise InvalidInput("embeddings", type(given).__name__, remedy)
        if made_of(given, PACKAGE, AZURE_KIND) and "model" not in given.model_fields_set:
            remedy = 'name the model of the deployment: model="text-embedding-3-small"'
            raise InvalidInput("model", "not named", remedy)
        self.given, self.encoding = given, encoding
        """As its owner made it, which is left as it is."""
        self.name: str = given.model
        self.address = str(given.async_client._client.base_url)
        """Where it is asked."""
        # A fork has a loop of its own, and so makes connections of its own.
        self._resource_on = cache(lambda loop: self._connect())

    @classmethod
    def takes(cls, embeddings: Any) -> bool:
        """Whether embeddings are of this kind. Nothing is imported."""
        return made_of(embeddings, PACKAGE, KIND) is not None

    @property
    def is_watched(self) -> bool:
        """Not on a transport of the user's own. For a proxy LangChain makes one itself."""
        return self.given.http_async_client is None or bool(self.given.openai_proxy)

    def with_clients(self, client: Any, async_client: Any) -> Any:
        """A copy whose requests are made by these. All else LangChain does as ever.

        It cuts long texts as it would, by an encoder that needs no network.
        """
        copy = self.given.model_copy(update={"client": client, "async_client": async_client})
        if copy.check_embedding_ctx_length and copy.tiktoken_enabled:
            encoder = encoder_of(_encoding_name(copy.tiktoken_model_name or copy.model))
            if encoder and copy.allowed_special is None and copy.disallowed_special is None:
                object.__setattr__(copy, "_tokenize", partial(_tokenize, copy, encoder))
        return copy

    def request(self, body: Mapping[str, Any]) -> EmbeddingsRequest:
        """One request, as the client would send it."""
        # The client merges it into the body as well, where it may overwrite any field.
        sent = {**body, **(body.get("extra_body") or {})}
        asked = {field: sent[field] for field in sent if field not in DELIVERY_FIELDS}
        texts = _texts(sent["input"])
        encoding = self.encoding or encoding_model(str(sent["model"]), self.address)
        return EmbeddingsRequest(
            model=str(sent["model"]),
            address=self.address,
            provider="azure" if made_of(self.given, PACKAGE, AZURE_KIND) else "openai",
            listed_as="openai",
            digest=fingerprint("embeddings", as_json(asked)),
            input_tokens=sum(text_tokens(text, encoding) for text in texts),
            texts=len(texts),
            is_watched=self.is_watched,
            ask=partial(self._ask, body),
        )

    async def _ask(self, body: Mapping[str, Any]) -> Vectors:
        resource = self._resource_on(background_loop())
        response = (await resource.with_raw_response.create(**body)).parse()
        counted = {} if response.usage is None else response.usage.model_dump()
        answered = response.model or ""
        if answered in SAME_AS_ADA and body["model"] == ADA:
            answered = ADA
        vectors = [each.embedding for each in response.data]
        return Vectors(vectors, _tokens(counted), counted, answered)

    def _connect(self) -> Any:
        """The client's part for embeddings, on connections of this process, without retries."""
        proxy = self.given.openai_proxy or ""
        pool = connection_pool.connections(LIBRARY, proxy=proxy) if self.is_watched else None
        return connection_pool.connect(self.given.async_client._client, pool).embeddings


def text_tokens(text: str | Sequence[int], encoding: str) -> int:
    """The most tokens that a text can be billed, given as such or as OpenAI's tokens.

    Args:
        text: either.
        encoding: by which its server counts; empty where nobody knows. Then it may make a text of
            tokens, and count that in its own.
    """
    room = 0 if encoding and encoding not in ENCODINGS else TEXT_TOKENS
    if isinstance(text, str):
        return tokens_bound(text, encoding) + room
    return (len(text) if encoder_of(encoding) else _token_bytes(text)) + room


def _token_bytes(tokens: Sequence[int]) -> int:
    """The most bytes of a text that was cut out of a longer one, maybe within a letter."""
    if all(type(token) is int and 0 <= token < TOKENS_KNOWN for token in tokens):
        decode = encoder_of(ENCODING_DEFAULT).decode
        for cut in range(CUT_TOKENS_MAX + 1):
            for start in range(cut + 1):
                text = decode(list(tokens[start : len(tokens) - (cut - start)]))
                if text is not None:
                    return utf8_bytes(text) + cut * TOKEN_BYTES_MAX
    return len(tokens) * TOKEN_BYTES_MAX


def _texts(given: Any) -> list[Any]:
    """The texts of a request: one or several, each as such or as tokens."""
    if isinstance(given, str) or (given and isinstance(given[0], int)):
        return [given]
    return list(given)


def _tokens(counted: Mapping[str, Any]) -> int | None:
    """All input that was billed: some servers say only the one, or only the other."""
    told = [counted.get(field) for field in ("prompt_tokens", "total_tokens")]
    counts = [count for count in told if count is not None]
    if not all(type(count) is int and count >= 0 for count in counts):
        return None
    return max(counts, default=None)


def _encoding_name(model: str) -> str:
    """By which encoding LangChain would cut the texts of a model."""
    import tiktoken

    try:
        return tiktoken.encoding_name_for_model(model)  # without a network
    except KeyError:
        return ENCODING_DEFAULT


def _tokenize(
    embeddings: Any, encoder: Any, texts: list[str], chunk_size: int
) -> tuple[Any, list[list[int]], list[int], list[int]]:
    """As LangChain's method does it, whose encoder has to be downloaded."""
    pieces, places = [], []
    longest = embeddings.embedding_ctx_length
    for place, text in enumerate(texts):
        if embeddings.model.endswith("001"):
            text = text.replace("\n", " ")
        # As tiktoken does it: a lone surrogate has no UTF-8 form.
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        tokens = encoder.encode(text)
        for start in range(0, len(tokens), longest):
            pieces.append(tokens[start : start + longest])
            places.append(place)
    return range(0, len(pieces), chunk_size), pieces, places, list(map(len, pieces))
