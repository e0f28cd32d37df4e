"""A call to a chat model, whole but for its output cap: what it asks, and the worst it can cost."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from thrifty.budget import Budget, InvalidInput, Spend
from thrifty.ledger.booking import fingerprint
from thrifty.models.prices import PriceList, most_affordable
from thrifty.models.size import as_json, attachments, input_tokens, recalled_tokens, why_unbounded
from thrifty.settings import CapField

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage
    from langchain_openai.chat_models.base import BaseChatOpenAI

RESPONSES_CAP_MIN = 16
"""The Responses API refuses lower caps."""
CAP_FIELDS = ("max_completion_tokens", "max_output_tokens", "max_tokens")
ENDS = ("finish_reason", "status")
"""Where the last piece of a stream says that it is the last, in either protocol."""
NOT_ASKED = ("stream", "stream_options", "timeout", "extra_headers", "extra_query", *CAP_FIELDS)
"""What may differ between two requests that ask the same."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What bounds every call of a model, whatever is left."""

    output_tokens_max: int
    """The largest cap that is ever sent."""
    tokens_per_attachment: int | None = None
    """The most that an image or a file can be; None: a call with one has no bound."""
    cap_field: CapField = "max_completion_tokens"
    """What Chat Completions calls the output cap; the Responses API has one name for it."""


class Call:
    """One request to a model that `client.ours` has prepared.

    Args:
        model: the model.
        messages: what is said.
        stop: where the answer is to stop.
        options: further arguments of the call, such as tools.
        limits: what bounds it.
        prices: what it costs.

    Raises:
        InvalidInput: more than one answer is asked for, or a cap that no server takes.
    """

    def __init__(
        self,
        model: "BaseChatOpenAI",
        messages: "list[BaseMessage]",
        stop: list[str] | None,
        options: Mapping[str, Any],
        limits: Limits,
        prices: PriceList,
    ) -> None:
        self._limits, self._prices = limits, prices
        self._messages, self._stop = messages, stop
        self.cap_wanted = _smallest_cap(model, options)
        """The caller's own cap; None without."""
        self._model = _without_caps(model)
        self._options = _uncapped(options)
        self.body = _body(self._model, messages, stop, self._options)
        """What will be sent, but for the cap."""
        if self.body.get("n") not in (None, 1):
            raise InvalidInput("n", self.body["n"], "ask once for each answer")
        if self.least_cap > (self.cap_wanted or self.least_cap):
            remedy = f"use {RESPONSES_CAP_MIN} or more; the Responses API takes no smaller cap"
            raise InvalidInput("max_tokens", self.cap_wanted, remedy)

    @property
    def model(self) -> str:
        """The name of the model that is asked."""
        return str(self.body["model"])

    @property
    def provider(self) -> str:
        """Who is asked, as LangChain calls them: `openai`, also for servers that speak like it."""
        return str(self._model._get_ls_params().get("ls_provider") or "openai")

    @property
    def tier(self) -> str:
        """The service tier that is asked for; empty for the standard one."""
        return str(self.body.get("service_tier") or "")

    @property
    def least_cap(self) -> int:
        """The smallest cap that the server takes."""
        return RESPONSES_CAP_MIN if "input" in self.body else 1

    @property
    def cap_max(self) -> int:
        """The longest answer that is asked for, however much is left."""
        most = self._limits.output_tokens_max
        return min(self.cap_wanted or most, most)

    @cached_property
    def digest(self) -> str:
        """The same for the same request, in any process, however it is sent."""
        asked = {name: self.body[name] for name in sorted(self.body) if name not in NOT_ASKED}
        return fingerprint(as_json(asked))

    @cached_property
    def input_tokens(self) -> int:
        """The most input tokens that it can be billed."""
        sent = input_tokens(self.body, self.model, self._limits.tokens_per_attachment or 0)
        return sent + (self._recalled or 0)

    @cached_property
    def _recalled(self) -> int | None:
        """What the Responses API adds of earlier reasoning; None where nobody knows how much."""
        return recalled_tokens(self._messages) if "input" in self.body else 0

    def check_bounded(self, budget: Budget) -> None:
        """Refuses a call whose worst case nobody can know, where it would matter.

        Raises:
            InvalidInput: tokens or money are limited, and something in it has no bound.
        """
        if budget.max_tokens is None and budget.max_cost_usd is None:
            return
        if why := why_unbounded(self.body):
            raise InvalidInput("request", why, "leave it out, or limit neither tokens nor cost")
        if self._recalled is None:
            what = "reasoning by its id, in a message without usage_metadata"
            remedy = "send messages as the model gave them, or use ChatOpenAI(store=False, "
            remedy += 'include=["reasoning.encrypted_content"])'
            raise InvalidInput("messages", what, remedy)
        if (count := attachments(self.body)) and self._limits.tokens_per_attachment is None:
            remedy = "say what each may take: metered(..., tokens_per_attachment=1_500)"
            raise InvalidInput("messages", f"{count} images or files", remedy)

    def largest_cap(self, left: Budget) -> int:
        """The longest answer that every resource left affords; below zero when not even input fits.

        Raises:
            PriceUnknown: money is limited and the call has no price.
        """
        tokens_left, cost_left, _, _ = left.limits
        cap = self.cap_max
        if tokens_left is not None:
            cap = min(cap, tokens_left - self.input_tokens)
        if cost_left is not None and cap > 0:
            cap = most_affordable(cap, cost_left, lambda some: self.worst_case(some).cost_nano_usd)
        return cap

    def worst_case(self, cap: int, *, price_needed: bool = True) -> Spend:
        """The most that the call can use with this output cap.

        Raises:
            PriceUnknown: its price is needed and unknown.
        """
        cost = 0
        if price_needed or self._prices.knows(self.model, self.tier):
            cost = self._prices.worst(self.model, self.input_tokens, cap, self.tier)
        return Spend(self.input_tokens + cap, cost, 0, tool_calls=1)

    async def send(self, cap: int, emit: Callable[[Any], None] | None = None) -> Any:
        """Sends it with a cap, and hands over the pieces of the answer where somebody wants them.

        Returns:
            The generation: one of LangChain's, with message and metadata.
        """
        options = {**self._options, **self._capped(cap)}
        if emit is None:
            result = await self._model._agenerate(self._messages, stop=self._stop, **options)
            generation = result.generations[0]
            generation.message.response_metadata = {
                **(result.llm_output or {}),
                **(generation.generation_info or {}),
                **generation.message.response_metadata,
            }
            return generation
        return await self._streamed(options, emit)

    async def _streamed(self, options: Mapping[str, Any], emit: Callable[[Any], None]) -> Any:
        whole: Any = None
        async for chunk in self._model._astream(self._messages, stop=self._stop, **options):
            whole = chunk if whole is None else whole + _adding_up(chunk, whole)
            # A copy, since LangChain writes into what it is handed, in a thread of its own.
            emit(chunk.model_copy(update={"message": chunk.message.model_copy()}))
        if whole is None:
            raise ValueError("a stream without a piece")
        said = {**(whole.generation_info or {}), **whole.message.response_metadata}
        whole.message.response_metadata = said
        if not any(said.get(end) for end in ENDS):
            whole.message.usage_metadata = None  # of a part, and the rest may be billed as well
        return whole

    def _capped(self, cap: int) -> dict[str, Any]:
        if self._limits.cap_field == "max_completion_tokens" or "input" in self.body:
            return {"max_completion_tokens": cap}
        extra = {**(self._model.extra_body or {}), **self._options.get("extra_body", {})}
        return {"extra_body": {**extra, "max_tokens": cap}}


def _adding_up(chunk: Any, whole: Any) -> Any:
    """A piece whose count is what it adds: some servers say in each what it has come to so far."""
    from langchain_core.messages.ai import subtract_usage

    before, so_far = whole.message.usage_metadata, chunk.message.usage_metadata
    if before and so_far:
        chunk.message.usage_metadata = subtract_usage(so_far, before)
    return chunk


def _body(
    model: "BaseChatOpenAI",
    messages: "list[BaseMessage]",
    stop: list[str] | None,
    options: Mapping[str, Any],
) -> dict[str, Any]:
    """The request as langchain-openai makes it, with what the client merges into it."""
    body: dict[str, Any] = model._get_request_payload(messages, stop=stop, **options)
    merged = body.pop("extra_body", None) or {}
    return {**body, **merged}


def _smallest_cap(model: "BaseChatOpenAI", options: Mapping[str, Any]) -> int | None:
    """The smallest of the caps that the caller set anywhere; which one would be sent depends."""
    said = (model.model_kwargs, model.extra_body or {}, options, options.get("extra_body") or {})
    given = [source.get(field) for source in said for field in CAP_FIELDS]
    caps = [cap for cap in (model.max_tokens, *given) if cap is not None]
    for cap in caps:
        if not isinstance(cap, int) or isinstance(cap, bool) or cap < 1:
            raise InvalidInput("max_tokens", cap, "use a whole number from 1")
    return min(caps, default=None)


def _without_caps(model: "BaseChatOpenAI") -> "BaseChatOpenAI":
    """The model without a cap of its own: on the Responses API it would win over the call's."""
    changes: dict[str, Any] = {"max_tokens": None, "model_kwargs": _uncapped(model.model_kwargs)}
    if model.extra_body:
        changes["extra_body"] = _uncapped(model.extra_body)
    return model.model_copy(update=changes)


def _uncapped(options: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in options.items() if name not in CAP_FIELDS}
    if isinstance(kept.get("extra_body"), Mapping):
        kept["extra_body"] = _uncapped(kept["extra_body"])
    return kept
