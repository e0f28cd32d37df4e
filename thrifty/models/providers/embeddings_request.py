"""One request for vectors of texts, and how it is sent: the same for all vendors."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from thrifty.budget import Budget
from thrifty.models.costs.hosted_uses import NO_USES, HostedUses
from thrifty.models.costs.reported_cost import REPORTED_USAGE, with_cost_header
from thrifty.models.wire.background_loop import Emit
from thrifty.models.wire.exchange import BODY_BYTES_MAX, current_exchange

KEPT_TEXTS_MAX = 4
"""The vectors of so many texts are kept beside their bill: 30 kB each. Those of thousands would
make a ledger of gigabytes, to save cents."""
VECTOR_BYTES_MAX = 128 * 1024
"""No vector is longer: 4,096 numbers, each written out."""
VECTORS = "vectors"
"""Where the message of an answer has them."""


@dataclass(frozen=True, slots=True)
class Vectors:
    """What came of a request."""

    vectors: Sequence[Any]
    """One for each text, in their order."""
    tokens: int | None
    """What it was billed; None where the server does not say so, or what cannot be."""
    counted: Mapping[str, Any]
    """The count in the server's own words."""
    model: str
    """Who answered; empty where the server does not say."""


@dataclass(frozen=True, slots=True)
class EmbeddingsRequest:
    """One request for vectors. All that it is billed for is sent, and nothing is written."""

    operation: ClassVar[str] = "embeddings"
    tier: ClassVar[str] = ""
    cap_wanted: ClassVar[int | None] = 0
    cap_min: ClassVar[int] = 0
    audio_tokens: ClassVar[int] = 0
    uses: ClassVar[HostedUses] = NO_USES

    model: str
    address: str
    provider: str
    listed_as: str
    digest: str
    input_tokens: int
    texts: int
    """How many there are in it."""
    is_watched: bool
    ask: Callable[[], Awaitable[Vectors]]
    """Sends it, once."""

    @property
    def keeps_answer(self) -> bool:
        """Not the vectors of many texts."""
        return self.texts <= KEPT_TEXTS_MAX

    def check_bounded(self, budget: Budget) -> None:
        """Nothing in it is without a bound."""
        return None

    async def send(self, cap: int, emit: Emit | None = None) -> Any:
        """Sends it once. The vectors stand in a message, as metered calls hand those on."""
        from langchain_core.messages import AIMessage
        from langchain_core.messages.ai import UsageMetadata
        from langchain_core.outputs import ChatGeneration

        exchange = current_exchange()
        if exchange is not None:
            exchange.body_bytes_max = max(BODY_BYTES_MAX, self.texts * VECTOR_BYTES_MAX)
        answer = await self.ask()
        headers = {} if exchange is None else exchange.headers
        usage = None
        if (tokens := answer.tokens) is not None:
            usage = UsageMetadata(input_tokens=tokens, output_tokens=0, total_tokens=tokens)
        told = {
            "model_name": answer.model,
            "finish_reason": "stop",
            REPORTED_USAGE: with_cost_header(answer.counted, headers),
        }
        vectors = {VECTORS: list(answer.vectors)}
        message = AIMessage(
            "", additional_kwargs=vectors, usage_metadata=usage, response_metadata=told
        )
        return ChatGeneration(message=message)
