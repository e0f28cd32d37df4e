"""Lets no LangChain call of somebody else's code leave before its worst case is reserved.

A handler that LangChain asks before each call of a chat model, a model or a tool, in `invoke`,
`stream`, `batch`, their async forms and nested agents, also where `callbacks=[]`: a configure hook
adds it to every callback manager made in its context. It raises, so that the call is not made, and
refuses everything once it has refused; user code may swallow what it raises.

What it cannot see (SDKs called directly, bare threads, `model._generate`, `tool.func`) is in
`docs/guard.md`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import BaseMessage, convert_to_openai_messages
from langchain_core.tracers.context import register_configure_hook
from langgraph.errors import GraphInterrupt

from thrifty.budget import Spend, ThriftyError, total_spend
from thrifty.budget.clock import elapsed_ms, now_ns
from thrifty.models.calls.current_account import current_account, use_account
from thrifty.models.calls.metered_model import METERED
from thrifty.models.calls.step_account import StepAccount
from thrifty.models.costs.input_bound import recalled_tokens
from thrifty.models.costs.prices import PriceList
from thrifty.models.costs.substitute import warn_of_substitute
from thrifty.models.costs.usage import Usage, read_token_usage, read_usage
from thrifty.models.failures.failure import read_failure
from thrifty.models.guard.text_batch import TextBatch, TextBatches, share_out
from thrifty.models.guard.unmetered_request import UnmeteredRequest
from thrifty.models.providers.listed_as import provider_of
from thrifty.models.providers.openai import serialized_address

AccountOfTool = Callable[[str], StepAccount | None]
"""Where calls of a tool are booked, by its name. None: on the account of all."""

_guard: ContextVar["CallbackGuard | None"] = ContextVar("thrifty_guard", default=None)
register_configure_hook(_guard, inheritable=True)


@contextmanager
def guard_calls(
    account: StepAccount,
    prices: PriceList,
    tools: Mapping[str, Spend] = MappingProxyType({}),
    account_of: AccountOfTool = lambda tool: None,
) -> Iterator[None]:
    """Lets the LangChain calls of this context through only as far as an account holds them.

    Afterwards the account is closed: calls that the code left behind, in tasks or threads that
    inherited the context, are refused.

    Args:
        account: what the calls may use together.
        prices: what models cost.
        tools: by name, what a call of a tool uses beside the call itself.
        account_of: by name, where a call of a tool is booked, if not on that account.
    """
    guard = CallbackGuard(account, prices, tools, account_of)
    token = _guard.set(guard)
    try:
        with use_account(account):
            yield
    finally:
        _guard.reset(token)
        guard.close()


@dataclass(slots=True)
class OpenCall:
    """A call that was let through, and is not back yet."""

    account: StepAccount
    """Where it is booked."""
    key: str
    reserved: Spend
    started_ns: int
    model: str = ""
    vendor: str = ""
    """Whose model it is, as the public price list calls them."""
    tier: str = ""
    """The service tier that was asked for."""
    batch: "TextBatch[OpenCall] | None" = field(default=None, init=False)
    """Of the texts that are completed with it in one request."""


class CallbackGuard(BaseCallbackHandler):
    """Reserves on an account what is about to be called, and settles what has been.

    It is made by `guard_calls`, of the same arguments.
    """

    raise_error = True  # else LangChain logs a refusal, and calls all the same

    def __init__(
        self,
        account: StepAccount,
        prices: PriceList,
        tools: Mapping[str, Spend],
        account_of: AccountOfTool = lambda tool: None,
    ) -> None:
        self._account, self._prices, self._tools = account, prices, tools
        self._account_of = account_of
        self._open: dict[UUID, OpenCall] = {}
        self._batches: TextBatches[OpenCall] = TextBatches()

    def close(self) -> None:
        """Ends it: nothing is let through any more, and what is still open is charged in full."""
        for call in tuple(self._open.values()):
            if call.account is not self._account:
                call.account.close()
        self._account.close()

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
        body = {"messages": convert_to_openai_messages(sent)}
        self._start_model(run_id, serialized, body, kwargs, recalled_tokens(sent))

    def on_llm_start(
        self, serialized: Any, prompts: list[str], *, run_id: UUID, **kwargs: Any
    ) -> None:
        """Reserves a call of a model that completes texts, or raises."""
        messages: list[Any] = [{"content": prompt} for prompt in prompts]
        params, size = kwargs.get("invocation_params"), kwargs.get("batch_size") or 1
        try:
            self._start_model(run_id, serialized, {"messages": messages}, kwargs)
        except ThriftyError:
            # They would leave together, so that none of them does.
            for held in self._batches.drop(params):
                held.account.release(held.key)
            raise
        if size > 1 and (call := self._open.get(run_id)):
            call.batch = self._batches.join(params, size, call)

    def on_tool_start(
        self, serialized: Any, input_str: str, *, run_id: UUID, **kwargs: Any
    ) -> None:
        """Reserves a call of a tool, or raises."""
        if self._is_responsible():
            name = (serialized or {}).get("name") or "tool"
            worst_case = Spend(tool_calls=1) + self._tools.get(name, Spend())
            account = self._account_of(name) or self._account
            if account is not self._account:
                self._account.check()
            self._reserve(run_id, account, name, worst_case)

    def on_llm_end(self, response: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """Settles a call of a model at its count; without one, in full."""
        if (call := self._open.pop(run_id, None)) is None:
            return
        if _is_cached(response):  # LangChain asks its cache after it has told us of the call
            call.account.release(call.key)
            return
        usage = _usage(response)
        if call.batch is not None:
            if call.batch.end(call, usage):
                self._end_batch(call.batch)
            return
        latency_ms = elapsed_ms(call.started_ns)
        if usage is None:
            call.account.charge_in_full(call.key, latency_ms)
            return
        cost = self._cost(call, usage, call.reserved)
        call.account.settle(call.key, Spend(usage.tokens, cost, latency_ms, tool_calls=1))

    def on_llm_error(
        self, error: BaseException, *, run_id: UUID, response: Any = None, **kwargs: Any
    ) -> None:
        """Releases a call that was certainly not billed; all others are charged in full."""
        if (call := self._open.pop(run_id, None)) is None:
            return
        if _has_pieces(response) or read_failure(error).billed:
            call.account.charge_in_full(call.key, elapsed_ms(call.started_ns))
        else:
            call.account.release(call.key)

    def on_tool_end(self, output: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """Charges the call of a tool."""
        if call := self._open.pop(run_id, None):
            latency_ms = elapsed_ms(call.started_ns)
            call.account.settle(call.key, replace(call.reserved, latency_ms=latency_ms))

    def on_tool_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """Charges the call of a tool: it may have failed after it was paid.

        One that asks a person is called again once there is an answer, and is charged then.
        """
        if isinstance(error, GraphInterrupt):
            if call := self._open.pop(run_id, None):
                call.account.release(call.key)
            return
        self.on_tool_end(None, run_id=run_id)

    def _end_batch(self, batch: TextBatch[OpenCall]) -> None:
        """Settles texts that were completed in one request at their one count, or in full."""
        calls, usage = [call for call, _ in batch.ended], batch.usage
        if usage is None:
            for call in calls:
                call.account.charge_in_full(call.key, elapsed_ms(call.started_ns))
            return
        held = [call.reserved for call in calls]
        cost = self._cost(calls[0], usage, total_spend(held))
        for call, share in zip(calls, share_out(Spend(usage.tokens, cost), held), strict=True):
            latency_ms = elapsed_ms(call.started_ns)
            call.account.settle(call.key, replace(share, latency_ms=latency_ms))

    def _cost(self, call: OpenCall, usage: Usage, reserved: Spend) -> int:
        held = reserved.cost_nano_usd
        prices = self._prices.of_vendor(call.vendor)
        cost, has_substitute = prices.charge(call.model, usage, held, call.tier)
        if has_substitute:
            warn_of_substitute(call.model, usage.model)
        return cost

    def _start_model(
        self,
        run_id: UUID,
        serialized: Any,
        body: Mapping[str, Any],
        options: Mapping[str, Any],
        recalled: int | None = 0,
    ) -> None:
        params = options.get("invocation_params") or {}
        if not self._is_responsible() or params.get("_type") == METERED:
            return  # a metered model books on the account itself
        self._account.note_metered()
        address = serialized_address(serialized or {})
        told = dict(options.get("metadata") or {})
        told["ls_provider"] = provider_of(told, serialized)
        request = UnmeteredRequest.read(body, params, recalled, address, told)
        account = self._account
        try:
            worst_case = request.worst_case(
                account.left, self._prices, is_declared=account.is_reserved
            )
        except ThriftyError as error:
            account.refuse(error)
        label = request.model or (serialized or {}).get("name") or "model"
        asked = request.model, request.vendor, request.tier
        self._reserve(run_id, account, label, worst_case, *asked)

    def _reserve(
        self, run_id: UUID, account: StepAccount, label: str, worst_case: Spend, *asked: str
    ) -> None:
        key = account.reserve(label, worst_case)
        self._account.has_called = True
        self._open[run_id] = OpenCall(account, key, worst_case, now_ns(), *asked)

    def _is_responsible(self) -> bool:
        """Whether no step within this one has the call: what that books, it books here as well."""
        return current_account() in (None, self._account)


def _has_pieces(response: Any) -> bool:
    """Whether pieces of an answer had come. LangChain adds a batch without text for an error."""
    batches = getattr(response, "generations", None) or ()
    return len(batches) > 1 or any(each.text for batch in batches for each in batch)


def _is_cached(response: Any) -> bool:
    """Whether the answer comes from LangChain's cache, which says that it costs nothing."""
    generations = [each for batch in response.generations for each in batch]
    told = [getattr(getattr(each, "message", None), "usage_metadata", None) for each in generations]
    return bool(told) and all(usage and usage.get("total_cost") == 0 for usage in told)


def _usage(response: Any) -> Usage | None:
    """The count of a call: its message's or, of several answers or mere texts, that of all."""
    generations: Sequence[Any] = [each for batch in response.generations for each in batch]
    message = getattr(generations[0], "message", None) if len(generations) == 1 else None
    if message is not None:
        return read_usage(message)
    return read_token_usage((response.llm_output or {}).get("token_usage") or {})
