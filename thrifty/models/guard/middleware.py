"""A middleware for LangChain's `create_agent`: each call of an agent fits in its account.

A model that `metered` takes is metered on the account, for each call anew. All else that the agent
calls (other models, its tools, and what those call) passes the callback guard. A refusal becomes a
message of the agent: the model reads that a tool was not called, and the last message of all says
that the model may not be asked any more.
"""

from asyncio import to_thread
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Annotated, Any, NotRequired

from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableConfig
from langgraph.channels import UntrackedValue
from langgraph.config import get_config
from langgraph.types import Command
from typing_extensions import Unpack

from thrifty.budget import ModelUnavailable, Spend, ThriftyError, validate
from thrifty.budget.clock import now_ns
from thrifty.budget.option import SPEND_EXAMPLE
from thrifty.ledger.authority import choose_account, unknown_account
from thrifty.ledger.notes import Notes
from thrifty.ledger.protocol import Ledger
from thrifty.models.agent_models import read_reply
from thrifty.models.allowance import countdown
from thrifty.models.guard.agent_account import AgentAccount
from thrifty.models.guard.agent_messages import (
    ToolAnswer,
    end_message,
    tell_of_call,
    without_end_messages,
)
from thrifty.models.guard.callback_guard import guard_calls
from thrifty.models.guard.held_tools import HeldTools
from thrifty.models.guard.tool_call_place import ToolCallPlace, place_by_message
from thrifty.models.guard.unmetered_agent import warn_of_unmetered
from thrifty.models.metered import MeteringOptions, check_options, metered
from thrifty.models.prices import PriceList
from thrifty.models.providers.vendors import is_metered_kind

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

CUT = "the answer was cut before any of it was of use; allow a longer one, or raise the budget"


class BudgetAgentState(AgentState[Any]):
    """What the middleware keeps beside the agent's own state."""

    thrifty_started_ns: NotRequired[Annotated[int, UntrackedValue, PrivateStateAttr]]
    """When this invocation began, on the clock of this process; it is in no checkpoint."""


class BudgetMiddleware(AgentMiddleware[BudgetAgentState, Any, Any]):
    """Holds an agent of LangChain's `create_agent` by an account; list it as the last middleware.

    Calls of its models and tools are reserved before they are sent, capped at what is left, and
    settled at what came back. A tool that does not fit is not called, and the model is told why.
    A model call that does not fit ends the agent: its last message says why, and its
    `response_metadata["thrifty"]` names the error. The account's `max_latency_ms` counts from
    the start of each invocation.

    Args:
        ledger: where it is booked.
        account: one that is open there, or a function of the run's configuration that names it,
            as in `lambda config: f"user:{authenticated_user(config)}"`. On an Agent Server it is
            given what no client can write: the authenticated user, and the thread.
        run: names the run whose calls these are, or a function that does, such as one that
            returns the thread's id: under the same name an answer that was paid for is not paid
            again. By default nothing is ever replayed.
        tools: what a call of a tool uses beside the call itself, by the tool's name: such as
            the price of a search. It is reserved before and charged after.
        approve: the names of tools that a person is asked about before each call: go, other
            arguments, or leave it out. Where nobody can be asked they are not called.
        effects: the names of tools that change something outside. Each call that the agent makes
            of them is made once, whatever is retried or resumed. Where nobody knows whether it
            happened, a person is asked or, where nobody can be, the model is told so.
        raise_unavailable: raises `ModelUnavailable` instead of ending the agent, where another
            middleware, listed before this one, tries again or falls back on another model.
        **options: as for `metered`: `max_output_tokens`, `useful_tokens`, `attempts_max`,
            `patience_ms`, `tokens_per_attachment`, `prices`, `reported_cost`, `cap_field`.

    Raises:
        InvalidInput: an option is unknown, or has a value that cannot be used. A call of the agent
            raises it where a function names no account that is open.
        KeyError: the account was never opened.
    """

    state_schema = BudgetAgentState

    def __init__(
        self,
        ledger: Ledger,
        account: str | Callable[[RunnableConfig], str],
        *,
        run: str | Callable[[RunnableConfig], str] | None = None,
        tools: Mapping[str, Spend] | None = None,
        approve: Sequence[str] = (),
        effects: Sequence[str] = (),
        raise_unavailable: bool = False,
        **options: Unpack[MeteringOptions],
    ) -> None:
        super().__init__()
        check_options(options)
        for name, spend in (tools or {}).items():
            validate.instance(f"tools.{name}", spend, Spend, SPEND_EXAMPLE)
        validate.strings("approve", approve)
        validate.strings("effects", effects)
        self._held = HeldTools(frozenset(approve), frozenset(effects))
        self._ledger, self._account, self._run = ledger, account, run
        self._declared, self._raises = dict(tools or {}), raise_unavailable
        reported = options.get("reported_cost", False)
        self._options = options
        self._prices = PriceList(options.get("prices") or {}, takes_reported=reported)
        if isinstance(account, str):
            ledger.balance(account)  # raises now, and not at the first call

    def before_agent(self, state: BudgetAgentState, runtime: Any) -> dict[str, Any]:
        """Notes when the run began."""
        return {"thrifty_started_ns": now_ns()}

    def wrap_model_call(
        self,
        request: ModelRequest[Any],
        handler: Callable[[ModelRequest[Any]], ModelResponse[Any]],
    ) -> ModelResponse[Any] | ExtendedModelResponse[Any]:
        """Asks the model within what is left, or ends the agent."""
        account = self._account_of(request.state)
        try:
            with self._guard(account):
                return _check_useful(handler(self._meter(request, account)))
        except ThriftyError as why:
            return self._end_agent(why)

    async def awrap_model_call(
        self,
        request: ModelRequest[Any],
        handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]],
    ) -> ModelResponse[Any] | ExtendedModelResponse[Any]:
        """Asks the model within what is left, or ends the agent."""
        # A ledger may have to wait for a disk, which an event loop should not.
        account = await to_thread(self._account_of, request.state)
        try:
            with self._guard(account):
                return _check_useful(await handler(await to_thread(self._meter, request, account)))
        except ThriftyError as why:
            return self._end_agent(why)

    def wrap_tool_call(
        self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], ToolAnswer]
    ) -> ToolAnswer:
        """Calls the tool within what is left, or tells the model why not."""
        account, returned = self._account_of(request.state), list[ToolAnswer]()

        def call(given: ToolCallRequest) -> ToolAnswer:
            returned.append(handler(given))
            return returned[-1]

        try:
            with self._guard(account):
                return self._held.call(request, self._place(request, account), call)
        except ThriftyError as why:
            return tell_of_call(request, why, account, returned)

    async def awrap_tool_call(
        self,
        request: ToolCallRequest,
        handler: Callable[[ToolCallRequest], Awaitable[ToolAnswer]],
    ) -> ToolAnswer:
        """Calls the tool within what is left, or tells the model why not."""
        account = await to_thread(self._account_of, request.state)
        returned: list[ToolAnswer] = []

        async def call(given: ToolCallRequest) -> ToolAnswer:
            returned.append(await handler(given))
            return returned[-1]

        try:
            with self._guard(account):
                return await self._held.acall(request, self._place(request, account), call)
        except ThriftyError as why:
            return tell_of_call(request, why, account, returned)

    def _account_of(self, state: Mapping[str, Any]) -> AgentAccount:
        """The account that the calls of a run are booked on."""
        name = choose_account(self._account, get_config())
        try:
            self._ledger.balance(name)
        except KeyError:
            raise unknown_account(name) from None
        # No checkpoint holds it, so after a wait for a person time counts anew.
        clock = countdown(state.get("thrifty_started_ns") or now_ns())
        return AgentAccount(self._ledger, name, lambda: clock(self._ledger.balance(name).budget))

    def _place(self, request: ToolCallRequest, account: AgentAccount) -> ToolCallPlace:
        notes = Notes(account.ledger, account.account, request.tool_call["name"])
        return place_by_message(request, notes)

    def _guard(self, account: AgentAccount) -> AbstractContextManager[None]:
        """Lets calls through only as far as the account holds them, on which they are booked."""
        return guard_calls(account, self._prices.pin(), self._declared)

    def _meter(self, request: ModelRequest[Any], account: AgentAccount) -> ModelRequest[Any]:
        """The request to a metered model; any other kind has the callback guard alone."""
        request = request.override(messages=without_end_messages(request.messages))
        if not is_metered_kind(request.model):
            warn_of_unmetered(type(request.model).__name__)
            return request
        run = None if self._run is None else choose_account(self._run, get_config(), "run")
        model = metered(
            request.model,
            account.ledger,
            account.account,
            run=run,
            left_ms=account.left_ms,
            **self._options,
        )
        return request.override(model=model)

    def _end_agent(self, why: ThriftyError) -> ExtendedModelResponse[Any]:
        """The agent's last message, and its way to the end past whatever would ask again."""
        if self._raises and isinstance(why, ModelUnavailable):
            raise why
        response: ModelResponse[Any] = ModelResponse([end_message(why)])
        return ExtendedModelResponse(response, Command(update={"jump_to": "end"}))


def _check_useful(response: ModelResponse[Any]) -> ModelResponse[Any]:
    """The response as it is, unless its cap left nothing of it: LangChain would end on that.

    Raises:
        ModelUnavailable: it was cut before there was a text, or a whole call of a tool.
    """
    last = response.result[-1]
    if not isinstance(last, AIMessage) or last.tool_calls or last.text.strip():
        return response
    if read_reply(last).is_cut:
        raise ModelUnavailable(CUT)
    return response
