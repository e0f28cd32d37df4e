"""A middleware for LangChain's `create_agent`: each call of an agent fits in its account.

A model that `metered` takes is metered on the account, for each call anew. All else that the agent
calls (other models, its tools, and what those call) passes the callback guard. A refusal becomes a
message of the agent: the model reads that a tool was not called, and the last message of all says
that the model may not be asked any more.
"""

from asyncio import to_thread
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import Annotated, Any, Literal, NotRequired

from langchain_core.runnables import RunnableConfig
from langgraph.channels import UntrackedValue
from langgraph.config import get_config
from langgraph.types import Command
from typing_extensions import Unpack

from thrifty.budget import ModelUnavailable, ThriftyError, validate
from thrifty.budget.clock import now_ns
from thrifty.ledger.authority import choose_account, unknown_account
from thrifty.ledger.notes import Notes
from thrifty.ledger.protocol import Ledger
from thrifty.models.calls.allowance import countdown
from thrifty.models.calls.metered import MeteringOptions, check_options
from thrifty.models.calls.step_account import StepAccount
from thrifty.models.costs.prices import PriceList
from thrifty.models.guard.agent_account import AgentAccount
from thrifty.models.guard.agent_messages import (
    ToolAnswer,
    end_message,
)
from thrifty.models.guard.answer_holds import AnswerHolds
from thrifty.models.guard.budget_question import BudgetQuestions
from thrifty.models.guard.callback_guard import guard_calls
from thrifty.models.guard.can_interrupt import can_interrupt
from thrifty.models.guard.held_tools import HeldTools
from thrifty.models.guard.model_turn import ModelTurn
from thrifty.models.guard.tool_call import ToolCall
from thrifty.models.guard.tool_terms import GivenTerms, ToolTerms

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
        tools: what calls of a tool cost and what limits them, by the tool's name. A `Spend` is
            what each uses beside the call itself, such as the price of a search: it is reserved
            before and charged after. A `Budget`, or words such as "20 calls a day", limit all of
            them. A tuple has both. Limits count for the account or, with `run`, for each run.
        approve: the names of tools that a person is asked about before each call: go, other
            arguments, or leave it out. Where nobody can be asked they are not called.
        effects: the names of tools that change something outside. Each call that the agent makes
            of them is made once, whatever is retried or resumed. Where nobody knows whether it
            happened, a person is asked or, where nobody can be, the model is told so.
        on_limit: what happens where the model does not fit in what is left. `end`: it gives its
            last answer, or the agent stops. `ask`: a person is asked first, by an interrupt. The
            answer `"go"` goes on if the limit was raised meanwhile (`ledger.set_limits`), and
            `"end"` ends. Without a checkpointer nobody can be asked, and it ends.
        raise_unavailable: raises `ModelUnavailable` instead of ending the agent, where another
            middleware, listed before this one, tries again or falls back on another model.
        **options: as for `metered`: `max_output_tokens`, `useful_tokens`, `attempts_max`,
            `patience_ms`, `hold_quantile`, `tokens_per_attachment`, `prices`, `reported_cost`,
            `cap_field`, `encoding`, `fees`.

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
        tools: Mapping[str, GivenTerms] | None = None,
        approve: Sequence[str] = (),
        effects: Sequence[str] = (),
        on_limit: Literal["end", "ask"] = "end",
        raise_unavailable: bool = False,
        **options: Unpack[MeteringOptions],
    ) -> None:
        super().__init__()
        check_options(options)
        terms = {
            name: ToolTerms.read(f"tools.{name}", each) for name, each in (tools or {}).items()
        }
        validate.strings("approve", approve)
        validate.strings("effects", effects)
        validate.choice("on_limit", on_limit, ("end", "ask"))
        self._held = HeldTools(frozenset(approve), frozenset(effects))
        self._ledger, self._account, self._run = ledger, account, run
        self._asks = on_limit == "ask"
        self._terms, self._raises = terms, raise_unavailable
        self._tool_prices = {name: each.price for name, each in terms.items()}
        reported = options.get("reported_cost", False)
        self._options, self._answer_holds = options, AnswerHolds()
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
        turn = self._turn(request)
        if (said := turn.hear_person()) and not turn.goes_on(said):
            return self._end_agent(said)
        while True:
            account = self._account_of(request.state)
            try:
                with self._guard(account):
                    return turn.read(handler(turn.ask(account)))
            except ThriftyError as why:
                if not turn.goes_on(why):
                    return self._end_agent(why)

    async def awrap_model_call(
        self,
        request: ModelRequest[Any],
        handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]],
    ) -> ModelResponse[Any] | ExtendedModelResponse[Any]:
        """Asks the model within what is left, or ends the agent."""
        # A ledger may have to wait for a disk, which an event loop should not.
        turn = await to_thread(self._turn, request)
        if (said := await to_thread(turn.hear_person)) and not turn.goes_on(said):
            return self._end_agent(said)
        while True:
            account = await to_thread(self._account_of, request.state)
            try:
                with self._guard(account):
                    return turn.read(await handler(await to_thread(turn.ask, account)))
            except ThriftyError as why:
                if not await to_thread(turn.goes_on, why):
                    return self._end_agent(why)

    def wrap_tool_call(
        self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], ToolAnswer]
    ) -> ToolAnswer:
        """Calls the tool within what is left, or tells the model why not."""
        call = self._tool_call(request)

        def note(given: ToolCallRequest) -> ToolAnswer:
            return call.note(handler(given))

        try:
            call.keep_back()
            with self._guard(call.account):
                return self._held.call(request, call.place, note)
        except ThriftyError as why:
            return call.tell(why)
        finally:
            call.end()

    async def awrap_tool_call(
        self,
        request: ToolCallRequest,
        handler: Callable[[ToolCallRequest], Awaitable[ToolAnswer]],
    ) -> ToolAnswer:
        """Calls the tool within what is left, or tells the model why not."""
        call = await to_thread(self._tool_call, request)

        async def note(given: ToolCallRequest) -> ToolAnswer:
            return call.note(await handler(given))

        try:
            await to_thread(call.keep_back)
            with self._guard(call.account):
                return await self._held.acall(request, call.place, note)
        except ThriftyError as why:
            return call.tell(why)
        finally:
            await to_thread(call.end)

    def _tool_call(self, request: ToolCallRequest) -> ToolCall:
        account = self._account_of(request.state)
        agent = AgentAccount(account.ledger, account.account, account.left_ms)
        return ToolCall(request, account, agent, self._answer_holds)

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

    def _guard(self, account: StepAccount) -> AbstractContextManager[None]:
        """Lets calls through only as far as the account holds them, on which they are booked."""
        account_of = partial(self._tool_account, account)
        return guard_calls(account, self._prices.pin(), self._tool_prices, account_of)

    def _tool_account(self, agent: StepAccount, tool: str) -> StepAccount | None:
        terms = self._terms.get(tool)
        return terms.open_account(agent, tool, self._name_run()) if terms else None

    def _turn(self, request: ModelRequest[Any]) -> ModelTurn:
        questions = None
        if self._asks and can_interrupt(get_config()):
            account = choose_account(self._account, get_config())
            questions = BudgetQuestions(Notes(self._ledger, account, "a larger budget"))
        return ModelTurn(request, self._options, self._name_run, questions)

    def _name_run(self) -> str | None:
        return None if self._run is None else choose_account(self._run, get_config(), "run")

    def _end_agent(self, why: ThriftyError) -> ExtendedModelResponse[Any]:
        """The agent's last message, and its way to the end past whatever would ask again."""
        if self._raises and isinstance(why, ModelUnavailable):
            raise why
        response: ModelResponse[Any] = ModelResponse([end_message(why)])
        return ExtendedModelResponse(response, Command(update={"jump_to": "end"}))
