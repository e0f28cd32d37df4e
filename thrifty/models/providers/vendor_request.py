"""One request to a vendor, and how it is sent: the same for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from thrifty.budget import Budget
from thrifty.models.background_loop import Emit
from thrifty.models.providers.protocol import CallBounds
from thrifty.models.reported_cost import REPORTED_USAGE, watch_cost_header, with_cost_header

if TYPE_CHECKING:
    from thrifty.models.providers.vendor import Vendor


@dataclass(slots=True)
class VendorRequest:
    """One request to a vendor, whole but for its output cap."""

    model: str
    tier: str
    cap_wanted: int | None
    cap_min: int
    digest: str
    input_tokens: int
    audio_tokens: int
    is_watched: bool
    listed_as: str
    vendor: Vendor
    body: Mapping[str, Any]
    """What will be sent, as the client merges it, but for the cap."""
    connected: Any
    """The model without caps of its own, on connections of this process."""
    messages: list[Any]
    options: Mapping[str, Any]
    """Further arguments of the call, such as tools."""
    bounds: CallBounds

    @property
    def provider(self) -> str:
        """Who is asked, as LangChain calls them, also for servers that speak like it."""
        return str(self.connected._get_ls_params().get("ls_provider") or self.listed_as)

    def check_bounded(self, budget: Budget) -> None:
        """Refuses a request whose worst case nobody can know, where it would matter."""
        if budget.max_tokens is not None or budget.max_cost_usd is not None:
            self.vendor.check_bounded(self, budget)

    async def send(self, cap: int, emit: Emit | None = None) -> Any:
        """Sends it once, with a cap, and hands over the pieces where somebody wants them."""
        capped = {**self.options, **self.vendor.cap_options(self, cap)}
        generation = await self._ask(capped, emit)
        self.vendor.complete_usage(generation.message, self.body)
        return generation

    async def _ask(self, options: Mapping[str, Any], emit: Emit | None) -> Any:
        if emit is not None:
            return await self._stream(options, emit)
        with watch_cost_header() as header:
            result = await self.connected._agenerate(self.messages, **options)
        generation = result.generations[0]
        told = result.llm_output or {}
        if counted := with_cost_header(told.get(REPORTED_USAGE), header):
            told = {**told, REPORTED_USAGE: counted}
        generation.message.response_metadata = {
            **told,
            **(generation.generation_info or {}),
            **generation.message.response_metadata,
        }
        return generation

    async def _stream(self, options: Mapping[str, Any], emit: Emit) -> Any:
        whole: Any = None
        counted: Any = None
        async for chunk in self.connected._astream(self.messages, **options):
            counted = chunk.message.response_metadata.pop(REPORTED_USAGE, counted)
            whole = chunk if whole is None else whole + _with_added_usage(chunk, whole)
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
