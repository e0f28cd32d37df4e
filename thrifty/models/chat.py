"""A chat model of langchain-openai whose every call goes through the door."""

import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import TYPE_CHECKING, Any, get_args
from uuid import uuid4

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from pydantic import PrivateAttr
from typing_extensions import TypedDict

from thrifty.budget import InvalidInput, checks
from thrifty.ledger.forks import once_a_process
from thrifty.ledger.protocol import Account, Ledger
from thrifty.models.allowance import ATTEMPTS_MAX, OUTPUT_CAP_MIN, OUTPUT_CAP_UNKNOWN, Allowance
from thrifty.models.background import background_loop
from thrifty.models.call import Call, Limits
from thrifty.models.client import checked, longest_answer, ours
from thrifty.models.door import Answer, Door
from thrifty.models.prices import PriceList
from thrifty.models.tab import Tab, open_tab, tab_around
from thrifty.models.tracers import run_teller
from thrifty.settings import CapField, TokenPrice, checked_prices

if TYPE_CHECKING:
    from langchain_openai.chat_models.base import BaseChatOpenAI

METERED = "thrifty-metered"
"""How the gate knows a call that is booked already."""
KEY_DIGITS = 16
"""How much of a request's digest names its calls; all of it stands in the entry beside."""

Book = Callable[[Call], tuple[Allowance, Tab | None]]
"""Where a call is booked: its own allowance, and the tab around it."""


class Terms(TypedDict, total=False):
    """How a model is metered, as `metered` takes it."""

    max_output_tokens: int | None
    useful_tokens: int
    attempts_max: int
    patience_ms: int
    tokens_per_attachment: int | None
    prices: Mapping[str, TokenPrice] | None
    cap_field: CapField


def checked_terms(terms: Terms) -> None:
    """Checks how a model is to be metered.

    Raises:
        InvalidInput: a term is unknown, or has a value that cannot be used.
    """
    checks.record("metered", terms, tuple(Terms.__annotations__))
    useful = checks.amount("useful_tokens", terms.get("useful_tokens", OUTPUT_CAP_MIN), minimum=1)
    if (most := terms.get("max_output_tokens")) is not None:
        checks.amount("max_output_tokens", most, minimum=useful)
    if (most := terms.get("tokens_per_attachment")) is not None:
        checks.amount("tokens_per_attachment", most)
    checks.amount("attempts_max", terms.get("attempts_max", ATTEMPTS_MAX), minimum=1)
    checks.amount("patience_ms", terms.get("patience_ms", 0))
    checks.choice("cap_field", terms.get("cap_field", "max_tokens"), get_args(CapField))
    checked_prices(terms.get("prices") or {})


class MeteredChatModel(BaseChatModel):
    """Delegates to a chat model of langchain-openai, one reserved and capped call at a time.

    It is used as any other: `invoke`, `stream`, `batch`, their async forms, `bind_tools`.
    `with_structured_output` always uses function calling, whose usage survives bad JSON.
    """

    output_version: str | None = None
    _prepared: Any = PrivateAttr()
    _book: Any = PrivateAttr()
    _limits: Limits = PrivateAttr()
    _prices: PriceList = PrivateAttr()

    def __init__(
        self, model: "BaseChatOpenAI", book: Book, limits: Limits, prices: PriceList
    ) -> None:
        """Wraps a model that `client.checked` has let through."""
        kept = ("callbacks", "tags", "metadata", "rate_limiter", "output_version", "profile")
        given = {name: getattr(model, name) for name in kept}
        super().__init__(**{name: value for name, value in given.items() if value is not None})
        self._prepared = once_a_process(lambda: ours(model))
        self._book, self._limits, self._prices = book, limits, prices

    @property
    def _model(self) -> "BaseChatOpenAI":
        model: BaseChatOpenAI = self._prepared()
        return model

    def bind_tools(
        self, tools: Sequence[Any], *, tool_choice: Any = None, **kwargs: Any
    ) -> Runnable[Any, AIMessage]:
        """Binds tools as the model itself would."""
        bound: Any = self._model.bind_tools(tools, tool_choice=tool_choice, **kwargs)
        return self.bind(**bound.kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: Any = None,
        **kwargs: Any,
    ) -> ChatResult:
        return _result(background_loop().run(self._door(messages, stop, kwargs, run_manager).ask))

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: Any = None,
        **kwargs: Any,
    ) -> ChatResult:
        return _result(
            await background_loop().arun(self._door(messages, stop, kwargs, run_manager).ask)
        )

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: Any = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        return background_loop().stream(self._door(messages, stop, kwargs, run_manager).ask)

    def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: Any = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        # Handed on, not iterated: of two generators, a loop that ends may close one in the other.
        return background_loop().astream(self._door(messages, stop, kwargs, run_manager).ask)

    def _door(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None,
        options: Mapping[str, Any],
        manager: Any,
    ) -> Door:
        prices = self._prices.pinned()
        call = Call(self._model, messages, stop, options, self._limits, prices)
        allowance, tab = self._book(call)
        run = run_teller(manager, getattr(manager, "run_id", None))
        return Door(call, allowance, prices, tab, run)

    @property
    def _llm_type(self) -> str:
        return METERED

    @property
    def _identifying_params(self) -> Mapping[str, Any]:
        identity: Mapping[str, Any] = self._model._identifying_params
        return identity

    def _get_invocation_params(
        self, stop: list[str] | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        params = self._model._get_invocation_params(stop=stop, **kwargs)
        return {**params, "_type": METERED}

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> Any:
        return self._model._get_ls_params(stop=stop, **kwargs)


def metered(
    model: "BaseChatOpenAI",
    ledger: Ledger | None = None,
    account: Account | None = None,
    *,
    run: str | None = None,
    label: str | None = None,
    left_ms: Callable[[], int | None] | None = None,
    max_output_tokens: int | None = None,
    useful_tokens: int = OUTPUT_CAP_MIN,
    attempts_max: int = ATTEMPTS_MAX,
    patience_ms: int = 0,
    tokens_per_attachment: int | None = None,
    prices: Mapping[str, TokenPrice] | None = None,
    cap_field: CapField = "max_completion_tokens",
) -> MeteredChatModel:
    """A chat model that cannot spend more than its account has.

    Before a call its worst case is reserved: all of its input, counted or bounded, and the
    longest answer that tokens and money left afford; that length goes out as its output cap.
    Afterwards it is settled at the usage that came back; a call whose usage is unknown is
    charged in full. `model` itself is left as it is; only calls of what is returned are metered.

    Calls are named by what they ask: the n-th time that this model is asked the same is one
    entry. Under the same `run`, a program that starts again is given the answers that it has paid
    for, in whatever order it asks.

    Args:
        model: `ChatOpenAI`, `AzureChatOpenAI` or another chat model of langchain-openai. A
            transport of one's own must not be in use on another event loop.
        ledger: where it is booked.
        account: an account that is open there. Without ledger and account, the calls are the
            step's in whose executor they are made.
        run: names the run whose calls these are; by default nothing is ever replayed.
        label: what the bill calls them; by default, the model's name.
        left_ms: how much time is left now. By default the account's `max_latency_ms`, from now on.
        max_output_tokens: the largest output cap, not below `useful_tokens`; by default what the
            model can write at most, or 4,096 where that is unknown. A smaller cap of the model or
            of a call is respected.
        useful_tokens: an answer that would have to be shorter is not asked for.
        attempts_max: how often a call is tried where that may help; each is reserved by itself.
        patience_ms: how long a call waits for what other calls and sub-agents hold, where with it
            the answer could be longer or be asked for at all; by default it does not.
        tokens_per_attachment: the most that an image or a file can be; without it, calls with
            one are refused while tokens or money are limited.
        prices: dollars per million tokens of models that have a price of their own.
        cap_field: `max_tokens` for a chat server that knows an output cap by that name only.

    Raises:
        InvalidInput: the model is none of langchain-openai's, an account without a ledger, or a
            value that cannot be used.
        KeyError: the account was never opened.

    A call raises `BudgetExceeded` or `PriceUnknown` where it was not sent, `InvalidInput` where
    it has no bound, and `ModelUnavailable` where it brought nothing.
    """
    model = checked(model)
    checked_terms(
        Terms(
            max_output_tokens=max_output_tokens,
            useful_tokens=useful_tokens,
            attempts_max=attempts_max,
            patience_ms=patience_ms,
            tokens_per_attachment=tokens_per_attachment,
            prices=prices,
            cap_field=cap_field,
        )
    )
    if (ledger is None) != (account is None):
        raise InvalidInput("account", account, "name ledger and account, or neither")
    most = max_output_tokens or longest_answer(model) or OUTPUT_CAP_UNKNOWN
    limits = Limits(most, tokens_per_attachment, cap_field)
    keys = once_a_process(lambda: _Keys(run or f"metered-{uuid4().hex}"))
    shown = label or model.model_name

    def book(call: Call) -> tuple[Allowance, Tab | None]:
        tab, where, whose, clock = open_tab(), ledger, account, left_ms
        refused = None
        if where is None or whose is None:
            if tab is None:
                remedy = "name a ledger and an account, or make the call in a registered executor"
                raise InvalidInput("account", None, remedy)
            tab.check()
            tab.note_seen()
            tab.note_declined(None)
            refused = tab.note_declined
            where, whose, clock, tab = tab.ledger, tab.account, clock or tab.left_ms, tab.parent
        else:
            tab = tab_around(where, whose)
        allowance = Allowance(
            where, whose, keys().next(call.digest), shown, None, clock or no_limit, useful_tokens
        )
        terms = replace(
            allowance, attempts_max=attempts_max, patience_ms=patience_ms, refused=refused
        )
        return terms, tab

    no_limit: Callable[[], int | None] = lambda: None  # noqa: E731
    if ledger is not None and account is not None:
        left_ms = left_ms or _clock(ledger, account)
    return MeteredChatModel(model, book, limits, PriceList(prices or {}))


@dataclass
class _Keys:
    """Names calls by what they ask, and the how-many-eth time they do."""

    run: str
    _asked: Counter[str] = field(default_factory=Counter)
    _lock: Lock = field(default_factory=Lock)

    def next(self, digest: str) -> str:
        with self._lock:
            self._asked[digest] += 1
            return f"{self.run}/{digest[:KEY_DIGITS]}-{self._asked[digest]}"


def _clock(ledger: Ledger, account: Account) -> Callable[[], int | None]:
    """Counts down the latency limit of an account, as it is now and later."""
    started_ns = time.monotonic_ns()
    ledger.balance(account)

    def left_ms() -> int | None:
        limit_ms = ledger.balance(account).budget.max_latency_ms
        if limit_ms is None:
            return None
        return max(0, limit_ms - (time.monotonic_ns() - started_ns) // 1_000_000)

    return left_ms


def _result(answer: Answer) -> ChatResult:
    return ChatResult(generations=[ChatGeneration(message=answer.message)])
