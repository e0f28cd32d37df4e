"""The gate: no LangChain call of somebody else's code leaves before its worst case is reserved.

A handler that LangChain asks before each call of a chat model, a model or a tool, in `invoke`,
`stream`, `batch`, their async forms and nested agents, also where `callbacks=[]`: a configure hook
adds it to every callback manager made in its context. It raises, so that the call is not made, and
refuses everything once it has refused; user code may swallow what it raises.

What it cannot see (SDKs called directly, bare threads, `model._generate`, `tool.func`) is in
`docs/gate.md`.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import BaseMessage, convert_to_openai_messages
from langchain_core.tracers.context import register_configure_hook

from thrifty.budget import PriceUnknown, Spend, ThriftyError
from thrifty.models.allowance import OUTPUT_CAP_MIN
from thrifty.models.call import CAP_FIELDS
from thrifty.models.chat import METERED
from thrifty.models.failures import read_failure
from thrifty.models.prices import PriceList
from thrifty.models.size import attachments, input_tokens, recalled_tokens, why_unbounded
from thrifty.models.tab import Tab, on_tab, open_tab
from thrifty.models.tokens import is_exact
from thrifty.models.usage import Usage, read_token_usage, read_usage

CAPS = (*CAP_FIELDS, "max_tokens_to_sample", "max_new_tokens", "num_predict")
"""What the clients of LangChain call an output cap."""
TOOLS_TOKENS = 1_000
"""Room for what a provider itself tells a model about tools; Anthropic documents up to 530."""
ANSWERS = ("n", "best_of")
"""What they call how many answers are written, if not all of them are shown."""

_gate: ContextVar["Gate | None"] = ContextVar("thrifty_gate", default=None)
register_configure_hook(_gate, inheritable=True)


@contextmanager
def gated(
    tab: Tab, prices: PriceList, tools: Mapping[str, Spend] = MappingProxyType({})
) -> Iterator[None]:
    """Lets the LangChain calls of this context through only as far as the tab holds them.

    Afterwards the tab is closed: calls that the code left behind, in tasks or threads that
    inherited the context, are refused.

    Args:
        tab: what the calls may use together.
        prices: what models cost.
        tools: by name, what a call of a tool uses beside the call itself.
    """
    token = _gate.set(Gate(tab, prices, tools))
    try:
        with on_tab(tab):
            yield
    finally:
        _gate.reset(token)
        tab.close()


@dataclass(frozen=True, slots=True)
class Pending:
    """A call that was let through."""

    key: str
    model: str
    reserved: Spend
    started_ns: int


class Gate(BaseCallbackHandler):
    """Reserves on a tab what is about to be called, and settles what has been.

    Args:
        tab: what the calls may use together.
        prices: what models cost.
        tools: by name, what a call of a tool uses beside the call itself.
    """

    raise_error = True

    def __init__(self, tab: Tab, prices: PriceList, tools: Mapping[str, Spend]) -> None:
        self._tab, self._prices, self._tools = tab, prices, tools
        self._pending: dict[UUID, Pending] = {}

    def on_chat_model_start(
        self,
        serialized: Any,
        messages: list[list[BaseMessage]],
        *,
        run_id: UUID,
        **kwargs: Any,
    ) -> None:
        """Reserves a call of a chat model, or raises."""
        sent = [message for batch in messages for message in batch]
        said = {"messages": convert_to_openai_messages(sent)}
        self._start_model(run_id, serialized, said, kwargs, recalled_tokens(sent))

    def on_llm_start(
        self, serialized: Any, prompts: list[str], *, run_id: UUID, **kwargs: Any
    ) -> None:
        """Reserves a call of a model that completes texts, or raises."""
        said: list[Any] = [{"content": prompt} for prompt in prompts]
        self._start_model(run_id, serialized, {"messages": said}, kwargs)

    def on_tool_start(
        self, serialized: Any, input_str: str, *, run_id: UUID, **kwargs: Any
    ) -> None:
        """Reserves a call of a tool, or raises."""
        if self._is_mine():
            name = (serialized or {}).get("name") or "tool"
            self._hold(run_id, "", name, Spend(tool_calls=1) + self._tools.get(name, Spend()))

    def on_llm_end(self, response: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """Settles a call of a model at its count; without one, in full."""
        if (call := self._pending.pop(run_id, None)) is None:
            return
        if (usage := _usage(response)) is None:
            self._tab.charge_in_full(call.key, _since_ms(call))
            return
        try:
            cost = self._prices.of(call.model, usage)
        except PriceUnknown:
            cost = call.reserved.cost_nano_usd
        self._tab.settle(call.key, Spend(usage.tokens, cost, _since_ms(call), tool_calls=1))

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """Releases a call that was certainly not billed; all others are charged in full."""
        if (call := self._pending.pop(run_id, None)) is None:
            return
        if read_failure(error).billed:
            self._tab.charge_in_full(call.key, _since_ms(call))
        else:
            self._tab.release(call.key)

    def on_tool_end(self, output: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """Charges the call of a tool."""
        if call := self._pending.pop(run_id, None):
            self._tab.settle(call.key, replace(call.reserved, latency_ms=_since_ms(call)))

    def on_tool_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """Charges the call of a tool: it may have failed after it was paid."""
        self.on_tool_end(None, run_id=run_id)

    def _start_model(
        self,
        run_id: UUID,
        serialized: Any,
        said: Mapping[str, Any],
        told: Mapping[str, Any],
        recalled: int | None = 0,
    ) -> None:
        params = told.get("invocation_params") or {}
        if not self._is_mine() or params.get("_type") == METERED:
            return  # a metered model books on the tab itself
        self._tab.note_seen()
        request = Foreign.of(said, params, recalled)
        try:
            worst_case = self._worst_case(request)
        except ThriftyError as error:
            self._tab.refuse(error)
        label = request.model or (serialized or {}).get("name") or "model"
        self._hold(run_id, request.model, label, worst_case)

    def _hold(self, run_id: UUID, model: str, label: str, worst_case: Spend) -> None:
        key = self._tab.reserve(label, worst_case)
        self._pending[run_id] = Pending(key, model, worst_case, time.monotonic_ns())

    def _is_mine(self) -> bool:
        """Whether no tab within this one has the call: what that books, it books here as well."""
        return open_tab() in (None, self._tab)

    def _worst_case(self, request: "Foreign") -> Spend:
        """The most that a call can use; where nobody can know, all that is left for it.

        Raises:
            PriceUnknown: money is limited, the model has no price, and nothing was declared.
        """
        tokens_left, cost_left, _, _ = self._tab.left.limits
        least = request.input_tokens + OUTPUT_CAP_MIN
        tokens = request.tokens
        if tokens is None:
            tokens = max(least, tokens_left or 0)
        if cost_left is None and not self._prices.knows(request.model, request.tier):
            return Spend(tokens, tool_calls=1)
        return Spend(tokens, self._worst_cost(request, cost_left), tool_calls=1)

    def _worst_cost(self, request: "Foreign", cost_left: int | None) -> int:
        output = OUTPUT_CAP_MIN if request.output_tokens is None else request.output_tokens
        try:
            cost = self._prices.worst(request.model, request.input_tokens, output, request.tier)
        except PriceUnknown:
            if not cost_left:
                raise
            return cost_left
        return cost if request.tokens is not None else max(cost, cost_left or 0)


@dataclass(frozen=True, slots=True)
class Foreign:
    """A request of somebody else's, as far as its client tells of it."""

    model: str
    tier: str
    input_tokens: int
    """The most that its text can be, with what the provider adds."""
    output_tokens: int | None
    """The most that it can answer; None where no cap is sent."""
    is_bounded: bool
    """Whether there is nothing in it but text."""

    @classmethod
    def of(
        cls, said: Mapping[str, Any], params: Mapping[str, Any], recalled: int | None = 0
    ) -> "Foreign":
        """Reads messages in OpenAI's form, what the client is invoked with, and how much
        reasoning the provider adds; None where nobody knows."""
        sent = {**params, **(params.get("extra_body") or {})}
        body = {
            **{name: sent.get(name) for name in ("tools", "functions", "response_format")},
            **said,
        }
        model = str(sent.get("model") or sent.get("model_name") or "")
        caps = [cap for name in CAPS if isinstance(cap := sent.get(name), int) and cap > 0]
        has_tools = bool(body["tools"] or body["functions"])
        told = TOOLS_TOKENS if has_tools and not is_exact(model) else 0
        answers = [number for name in ANSWERS if isinstance(number := sent.get(name), int)]
        return cls(
            model,
            str(sent.get("service_tier") or ""),
            input_tokens(body, model) + told + (recalled or 0),
            # Of several caps, which one is sent is the client's affair.
            max(caps) * max([1, *answers]) if caps else None,
            recalled is not None and not (attachments(body) or why_unbounded({**sent, **body})),
        )

    @property
    def tokens(self) -> int | None:
        """The most that it can use; None where nobody can know."""
        if self.output_tokens is None or not self.is_bounded:
            return None
        return self.input_tokens + self.output_tokens


def _usage(response: Any) -> Usage | None:
    """The count of a call: its message's or, of several answers or mere texts, that of all."""
    generations: Sequence[Any] = [each for batch in response.generations for each in batch]
    message = getattr(generations[0], "message", None) if len(generations) == 1 else None
    if message is not None:
        return read_usage(message)
    return read_token_usage((response.llm_output or {}).get("token_usage") or {})


def _since_ms(call: Pending) -> int:
    return (time.monotonic_ns() - call.started_ns) // 1_000_000
