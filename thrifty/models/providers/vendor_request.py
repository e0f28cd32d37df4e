"""One request to a vendor, and how it is sent: the same for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from thrifty.budget import Budget
from thrifty.models.costs.hosted_uses import HostedUses, UseFee
from thrifty.models.costs.reported_cost import REPORTED_USAGE, with_cost_header
from thrifty.models.wire.background_loop import Emit
from thrifty.models.wire.exchange import current_exchange
from thrifty.models.wire.openai_protocol import CapField, Encoding

if TYPE_CHECKING:
    from thrifty.models.providers.vendor import Vendor


@dataclass(frozen=True, slots=True)
class CallBounds:
    """What bounds every call of a model, whatever is left."""

    output_tokens_max: int
    """The largest cap that is ever sent."""
    tokens_per_attachment: int | None = None
    """The most that an image or a file can be; None: a call with one has no bound."""
    cap_field: CapField = "max_completion_tokens"
    """What Chat Completions calls the output cap; the Responses API has one name for it."""
    encoding: Encoding | None = None
    """By which encoding the user says that the server counts; None where nobody says so."""
    fees: Mapping[str, UseFee] = field(default_factory=dict, hash=False)
    """What tools cost for each use that run at the provider, by their kind."""
    searches: bool = False
    """Whether the model searches by itself, also where its name does not say so."""


@dataclass(slots=True)
class VendorRequest:
    """One request to a vendor, whole but for its output cap."""

    operation: ClassVar[str] = "chat"
    keeps_answer: ClassVar[bool] = True

    model: str
    """The name of the model that is asked."""
    tier: str
    """The service tier that is asked for; empty for the standard one."""
    cap_wanted: int | None
    """The caller's own cap; None without."""
    cap_min: int
    """The smallest cap that the server takes."""
    digest: str
    """The same for the same request, in any process, however it is sent."""
    input_tokens: int
    """The most input tokens that it can be billed."""
    audio_tokens: int
    """The part of them that may be sound, which has a price of its own."""
    uses: HostedUses
    """The tools in it that run at the provider."""
    is_watched: bool
    """Whether it is seen when it leaves: not on a transport of the user's own."""
    listed_as: str
    """What the public price list calls who is asked."""
    vendor: Vendor
    """Whose facts it is made with."""
    body: Mapping[str, Any]
    """What will be sent, as the client merges it, but for the cap."""
    connected: Any
    """The model without caps of its own, on connections of this process."""
    messages: list[Any]
    options: Mapping[str, Any]
    """Further arguments of the call, such as tools."""
    bounds: CallBounds

    @property
    def address(self) -> str:
        """Where it is asked."""
        return self.vendor.address

    @property
    def provider(self) -> str:
        """Who is asked, as LangChain calls them, also for servers that speak like it."""
        return str(self.connected._get_ls_params().get("ls_provider") or self.listed_as)

    def check_bounded(self, budget: Budget) -> None:
        """Refuses a request whose worst case nobody can know, where it would matter.

        Raises:
            InvalidInput: tokens or money are limited, and something in it has no bound.
        """
        if budget.max_tokens is not None or budget.max_cost_usd is not None:
            self.vendor.check_bounded(self, budget)

    async def send(self, cap: int, emit: Emit | None = None) -> Any:
        """Sends it once, with a cap, and hands over the pieces where somebody wants them.

        A model that cannot stream answers in none.

        Returns:
            The generation: one of LangChain's, with message and metadata.
        """
        capped = {**self.options, **self.vendor.cap_options(self, cap)}
        model = self.vendor.capped_model(self, cap)
        if emit is not None and self.vendor.streams:
            generation = await self._stream(model, capped, emit)
        else:
            generation = await self._ask(model, capped)
        self.vendor.complete_usage(generation.message, self.body)
        return generation

    async def _ask(self, model: Any, options: Mapping[str, Any]) -> Any:
        result = await model._agenerate(self.messages, **options)
        exchange = current_exchange()
        headers = {} if exchange is None else exchange.headers
        generation = result.generations[0]
        told = result.llm_output or {}
        if counted := with_cost_header(told.get(REPORTED_USAGE), headers):
            told = {**told, REPORTED_USAGE: counted}
        generation.message.response_metadata = {
            **told,
            **(generation.generation_info or {}),
            **generation.message.response_metadata,
        }
        return generation

    async def _stream(self, model: Any, options: Mapping[str, Any], emit: Emit) -> Any:
        whole: Any = None
        counted: Any = None
        async for chunk in model._astream(self.messages, **options):
            counted = chunk.message.response_metadata.pop(REPORTED_USAGE, counted)
            if whole is not None and not self.vendor.counts_by_piece:
                chunk = _with_added_usage(chunk, whole)
            whole = chunk if whole is None else whole + chunk
            # A copy, since LangChain writes into what it is handed, in a thread of its own.
            emit(chunk.model_copy(update={"message": chunk.message.model_copy()}))
        if whole is None:
            raise ValueError("a stream without a piece")
        metadata = {**(whole.generation_info or {}), **whole.message.response_metadata}
        if counted:
            metadata[REPORTED_USAGE] = counted
        whole.message.response_metadata = metadata
        if not any(metadata.get(end) for end in self.vendor.cut_words):
            # It counts a part of the answer, and the server may bill the rest as well.
            whole.message.usage_metadata = None
        return whole


def _with_added_usage(chunk: Any, whole: Any) -> Any:
    """A piece whose count is what it adds: some servers say in each what it has come to so far."""
    from langchain_core.messages.ai import subtract_usage

    before, so_far = whole.message.usage_metadata, chunk.message.usage_metadata
    if before and so_far:
        chunk.message.usage_metadata = subtract_usage(so_far, before)
    return chunk
