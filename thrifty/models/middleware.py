"""A middleware for LangChain's `create_agent`: each call of an agent fits in its account.

A model of langchain-openai is metered on the account, for each call anew; all else that the agent
calls (other models, its tools, and what those call) passes the gate. What is refused is said in
the agent's own words: a tool that was not called tells the model so, and a model that may not be
asked any more is the last message of the agent.
"""

import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager
from typing import Annotated, Any, NotRequired

from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.runnables import RunnableConfig
from langgraph.channels import UntrackedValue
from langgraph.config import get_config
from langgraph.types import Command
from typing_extensions import Unpack

from thrifty.budget import ModelUnavailable, Spend, ThriftyError, checks
from thrifty.budget.option import SPEND_EXAMPLE
from thrifty.ledger.protocol import Ledger
from thrifty.models.chat import Terms, checked_terms, metered
from thrifty.models.client import is_ours
from thrifty.models.gate import gated
from thrifty.models.prices import PriceList
from thrifty.models.reply import read_reply
from thrifty.models.tab import AccountTab

try:
    from langchain.agents.middleware import AgentMiddleware, AgentState
    from langchain.agents.middleware.types import (
        ExtendedModelResponse,
        ModelRequest,
        ModelResponse,
        PrivateStateAttr,
        ToolCallRequest,
    )
except ImportError as error:
    raise ImportError(
        "BudgetMiddleware needs the extra: pip install 'thrifty[langchain]'"
    ) from error

Named = str | Callable[[RunnableConfig], str]
"""A name, or who knows it of a run's configuration."""
CUT = "the answer was cut before any of it was of use; allow a longer one, or raise the budget"
ToolAnswer = ToolMessage | Command[Any]


class BudgetState(AgentState[Any]):
    """What the middleware keeps beside the agent's own state."""

    thrifty_started_ns: NotRequired[Annotated[int, UntrackedValue, PrivateStateAttr]]
    """When this stretch of the run began, on this process's clock; in no checkpoint."""


class BudgetMiddleware(AgentMiddleware[BudgetState, Any, Any]):
    """Holds an agent of LangChain's `create_agent` by an account; list it as the last middleware.

    Calls of its models and tools are reserved before they are sent, capped at what is left, and
    settled at what came back. A tool that does not fit is not called, and the model is told why.
    A model call that does not fit ends the agent: its last message says why, and its
    `response_metadata["thrifty"]` names the error. The account's `max_latency_ms` counts from
    the start of each invocation.

    Args:
        ledger: where it is booked.
        account: one that is open there, or a function of the run's configuration that names it.
        run: names the run whose calls these are, or a function that does, such as one that
            returns the thread's id: under the same name an answer that was paid for is not paid
            again. By default nothing is ever replayed.
        tools: what a call of a tool uses beside the call itself, by the tool's name: such as
            the price of a search. It is reserved before and charged after.
        raise_unavailable: raises `ModelUnavailable` instead of ending the agent, where another
            middleware, listed before this one, tries again or falls back on another model.
        **terms: as for `metered`: `max_output_tokens`, `useful_tokens`, `attempts_max`,
            `patience_ms`, `tokens_per_attachment`, `prices`, `cap_field`.

    Raises:
        InvalidInput: a term is unknown, or has a value that cannot be used.
        KeyError: the account was never opened.
    """

    state_schema = BudgetState

    def __init__(
        self,
        ledger: Ledger,
        account: Named,
        *,
        run: Named | None = None,
        tools: Mapping[str, Spend] | None = None,
        raise_unavailable: bool = False,
        **terms: Unpack[Terms],
    ) -> None:
        super().__init__()
        checked_terms(terms)
        for name, spend in (tools or {}).items():
            checks.instance(f"tools.{name}", spend, Spend, SPEND_EXAMPLE)
        self._ledger, self._account, self._run = ledger, account, run
        self._declared, self._raises = dict(tools or {}), raise_unavailable
        self._terms, self._prices = terms, PriceList(terms.get("prices") or {})
        if isinstance(account, str):
            ledger.balance(account)

    def before_agent(self, state: BudgetState, runtime: Any) -> dict[str, Any]:
        """Notes when the run began."""
        return {"thrifty_started_ns": time.monotonic_ns()}

    def wrap_model_call(
        self,
        request: ModelRequest[Any],
        handler: Callable[[ModelRequest[Any]], ModelResponse[Any]],
    ) -> ModelResponse[Any] | ExtendedModelResponse[Any]:
        """Asks the model within what is left, or ends the agent."""
        tab = self._tab(request.state)
        try:
            with self._gated(tab):
                return _useful(handler(self._held(request, tab)))
        except ThriftyError as why:
            return self._ended(why)

    async def awrap_model_call(
        self,
        request: ModelRequest[Any],
        handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]],
    ) -> ModelResponse[Any] | ExtendedModelResponse[Any]:
        """Asks the model within what is left, or ends the agent."""
        tab = self._tab(request.state)
        try:
            with self._gated(tab):
                return _useful(await handler(self._held(request, tab)))
        except ThriftyError as why:
            return self._ended(why)

    def wrap_tool_call(
        self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], ToolAnswer]
    ) -> ToolAnswer:
        """Calls the tool within what is left, or tells the model why not."""
        try:
            with self._gated(self._tab(request.state)):
                return handler(request)
        except ThriftyError as why:
            return _not_called(request, why)

    async def awrap_tool_call(
        self,
        request: ToolCallRequest,
        handler: Callable[[ToolCallRequest], Awaitable[ToolAnswer]],
    ) -> ToolAnswer:
        """Calls the tool within what is left, or tells the model why not."""
        try:
            with self._gated(self._tab(request.state)):
                return await handler(request)
        except ThriftyError as why:
            return _not_called(request, why)

    def _tab(self, state: Mapping[str, Any]) -> AccountTab:
        account = _named(self._account)
        started_ns = state.get("thrifty_started_ns") or time.monotonic_ns()

        def left_ms() -> int | None:
            limit_ms = self._ledger.balance(account).budget.max_latency_ms
            if limit_ms is None:
                return None
            return max(0, limit_ms - (time.monotonic_ns() - started_ns) // 1_000_000)

        return AccountTab(self._ledger, account, left_ms)

    def _gated(self, tab: AccountTab) -> AbstractContextManager[None]:
        return gated(tab, self._prices.pinned(), self._declared)

    def _held(self, request: ModelRequest[Any], tab: AccountTab) -> ModelRequest[Any]:
        """The request to a metered model; one of another kind is held by the gate alone."""
        if not is_ours(request.model):
            return request
        run = None if self._run is None else _named(self._run)
        model = metered(
            request.model, tab.ledger, tab.account, run=run, left_ms=tab.left_ms, **self._terms
        )
        return request.override(model=model)

    def _ended(self, why: ThriftyError) -> ExtendedModelResponse[Any]:
        """The agent's last message, and its way to the end past whatever would ask again."""
        if self._raises and isinstance(why, ModelUnavailable):
            raise why
        told = {"thrifty": {"error": type(why).__name__}}
        message = AIMessage(f"I have to stop here: {why}.", response_metadata=told)
        response: ModelResponse[Any] = ModelResponse([message])
        return ExtendedModelResponse(response, Command(update={"jump_to": "end"}))


def _useful(response: ModelResponse[Any]) -> ModelResponse[Any]:
    """The response as it is, unless its cap left nothing of it: LangChain would end on that.

    Raises:
        ModelUnavailable: it was cut before there was a text, or a whole call of a tool.
    """
    last = response.result[-1]
    if not isinstance(last, AIMessage) or last.tool_calls or last.text.strip():
        return response
    if read_reply(last).cut:
        raise ModelUnavailable(CUT)
    return response


def _not_called(request: ToolCallRequest, why: ThriftyError) -> ToolMessage:
    """What the model reads in place of a tool's answer."""
    call = request.tool_call
    return ToolMessage(
        f"Not called: {why}.", tool_call_id=call["id"], name=call["name"], status="error"
    )


def _named(name: Named) -> str:
    return name if isinstance(name, str) else name(get_config())
