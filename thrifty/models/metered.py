"""Meters a chat model of any vendor that is known on an account, in whatever program."""

import os
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, get_args
from uuid import uuid4

from typing_extensions import TypedDict

from thrifty.budget import Budget, InvalidInput, validate
from thrifty.budget.clock import now_ns
from thrifty.ledger.protocol import Ledger
from thrifty.ledger.records import AccountOrLease
from thrifty.models.allowance import (
    ATTEMPTS_DEFAULT,
    OUTPUT_CAP_MIN,
    OUTPUT_CAP_UNKNOWN,
    Allowance,
    countdown,
)
from thrifty.models.guard.current_account import current_account
from thrifty.models.guard.step_account import DIGEST_DIGITS
from thrifty.models.input_bound import is_openai_address
from thrifty.models.metered_model import MeteredChatModel
from thrifty.models.model import CapField
from thrifty.models.node_attempts import AttemptNumbers, current_attempt
from thrifty.models.prices import PriceList
from thrifty.models.providers.vendor import Vendor
from thrifty.models.providers.vendor_request import CallBounds, VendorRequest
from thrifty.models.providers.vendors import vendor_model
from thrifty.models.token_price import TokenPrice, check_prices

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

NODES_MAX = 10_000
"""Of so many turns of nodes it is known what they have asked. Older ones are forgotten."""


class MeteringOptions(TypedDict, total=False):
    """How a model is metered, as `metered` takes it."""

    max_output_tokens: int | None
    useful_tokens: int
    attempts_max: int
    patience_ms: int
    tokens_per_attachment: int | None
    prices: Mapping[str, TokenPrice] | None
    reported_cost: bool
    cap_field: CapField


def check_options(options: MeteringOptions) -> None:
    """Checks how a model is to be metered.

    Raises:
        InvalidInput: an option is unknown, or has a value that cannot be used.
    """
    validate.record("metered", options, tuple(MeteringOptions.__annotations__))
    useful = validate.amount(
        "useful_tokens", options.get("useful_tokens", OUTPUT_CAP_MIN), minimum=1
    )
    if (cap := options.get("max_output_tokens")) is not None:
        validate.amount("max_output_tokens", cap, minimum=useful)
    if (tokens := options.get("tokens_per_attachment")) is not None:
        validate.amount("tokens_per_attachment", tokens)
    validate.amount("attempts_max", options.get("attempts_max", ATTEMPTS_DEFAULT), minimum=1)
    validate.amount("patience_ms", options.get("patience_ms", 0))
    validate.choice("cap_field", options.get("cap_field", "max_tokens"), get_args(CapField))
    check_prices(options.get("prices") or {})
    validate.instance("reported_cost", options.get("reported_cost", False), bool, "True")


def metered(
    model: "BaseChatModel",
    ledger: Ledger | None = None,
    account: AccountOrLease | None = None,
    *,
    run: str | None = None,
    label: str | None = None,
    left_ms: Callable[[], int | None] | None = None,
    max_output_tokens: int | None = None,
    useful_tokens: int = OUTPUT_CAP_MIN,
    attempts_max: int = ATTEMPTS_DEFAULT,
    patience_ms: int = 0,
    tokens_per_attachment: int | None = None,
    prices: Mapping[str, TokenPrice] | None = None,
    reported_cost: bool = False,
    cap_field: CapField = "max_completion_tokens",
) -> MeteredChatModel:
    """A chat model that cannot spend more than its account has.

    Before a call its worst case is reserved: all of its input, counted or bounded, and the
    longest answer that tokens and money left afford; that length goes out as its output cap.
    Afterwards it is settled at the usage that came back; a call whose usage is unknown is
    charged in full. `model` itself is left as it is; only calls of what is returned are metered.

    Calls are named by what they ask: the n-th time that this model is asked the same is one
    entry. Under the same `run`, a program that starts again is given the answers that it has paid
    for, in whatever order it asks. So is a node of a graph that a `RetryPolicy` or a resume has run
    again. Code of your own that tries again has to make the model anew, under the same `run`.

    Args:
        model: `ChatOpenAI`, `AzureChatOpenAI` or another chat model of langchain-openai, or
            `ChatAnthropic`. A transport of one's own must not be in use on another event loop.
        ledger: where it is booked.
        account: an account that is open there. Without ledger and account, the calls are the
            step's in whose executor they are made.
        run: names the run whose calls these are; by default nothing is ever replayed, but for the
            calls of a step that has waited for a person.
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
        reported_cost: whether a call is charged what a gateway says that it has cost, such as
            OpenRouter or LiteLLM's proxy. Where it says nothing, and before the call, prices count.
        cap_field: `max_tokens` for a chat server that knows an output cap by that name only.

    Raises:
        InvalidInput: the model is of no vendor that is known, an account without a ledger, or a
            value that cannot be used.
        KeyError: the account was never opened.

    A call raises `BudgetExceeded` or `PriceUnknown` where it was not sent, `InvalidInput` where
    it has no bound, and `ModelUnavailable` where it brought nothing.
    """
    given = vendor_model(model)
    options = MeteringOptions(
        max_output_tokens=max_output_tokens,
        useful_tokens=useful_tokens,
        attempts_max=attempts_max,
        patience_ms=patience_ms,
        tokens_per_attachment=tokens_per_attachment,
        prices=prices,
        reported_cost=reported_cost,
        cap_field=cap_field,
    )
    check_options(options)
    if (ledger is None) != (account is None):
        raise InvalidInput("account", account, "name ledger and account, or neither")
    booked_in, clock = None, None if left_ms is None else lambda _: left_ms()
    if ledger is not None and account is not None:
        ledger.balance(account)  # raises now, and not at the first call
        booked_in, clock = (ledger, account), clock or countdown(now_ns())
    keys = cache(lambda pid: _CallKeys(run or f"metered-{uuid4().hex}", bool(run)))
    choose = _AccountChoice(booked_in, clock, keys, label or given.name, options)
    cap_max = max_output_tokens or given.output_tokens_max or OUTPUT_CAP_UNKNOWN
    bounds = CallBounds(cap_max, tokens_per_attachment, cap_field)
    price_list = PriceList(
        prices or {},
        takes_reported=reported_cost,
        is_tier_open=not is_openai_address(given.address),
    )
    return MeteredChatModel(given, choose, bounds, price_list)


def metered_in_step(
    model: Vendor,
    prices: PriceList,
    cap_field: CapField,
    tokens_per_attachment: int | None = None,
) -> MeteredChatModel:
    """A chat model whose calls are the step's in whose executor they are made.

    Args:
        model: who is asked.
        prices: what it costs.
        cap_field: what its server calls the output cap.
        tokens_per_attachment: the most that an image or a file can be.
    """
    options = MeteringOptions(
        useful_tokens=OUTPUT_CAP_MIN, attempts_max=ATTEMPTS_DEFAULT, patience_ms=0
    )
    keys = cache(lambda pid: _CallKeys(f"metered-{uuid4().hex}", False))
    choose = _AccountChoice(None, None, keys, model.name, options)
    bounds = CallBounds(
        model.output_tokens_max or OUTPUT_CAP_UNKNOWN, tokens_per_attachment, cap_field
    )
    return MeteredChatModel(model, choose, bounds, prices)


@dataclass
class _CallKeys:
    """Names a call by its request, and by how often that was asked before.

    A node of a graph that is tried again counts anew, and is given the same answers.
    """

    run: str
    is_replayed: bool
    _asked: Counter[str] = field(default_factory=Counter)
    _nodes: OrderedDict[str, AttemptNumbers] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def next(self, digest: str) -> str:
        attempt = current_attempt() if self.is_replayed else None
        with self._lock:  # a batch asks at once, in threads
            if attempt is None:
                number = self._count(digest)
            else:
                node = self._nodes.setdefault(attempt.place, AttemptNumbers())
                number = node.number(digest, attempt, lambda: self._count(digest))
                self._nodes.move_to_end(attempt.place)
                if len(self._nodes) > NODES_MAX:
                    self._nodes.popitem(last=False)
            return f"{self.run}/{digest[:DIGEST_DIGITS]}-{number}"

    def _count(self, digest: str) -> int:
        self._asked[digest] += 1
        return self._asked[digest]


@dataclass(frozen=True)
class _AccountChoice:
    """Books calls on an account or, without one, on that of the step in whose executor they are."""

    booked_in: tuple[Ledger, AccountOrLease] | None
    left_ms: Callable[[Budget], int | None] | None
    keys: Callable[[int], _CallKeys]
    """Of a process: a fork names its calls anew."""
    label: str
    options: MeteringOptions

    def __call__(self, request: VendorRequest) -> Allowance:
        if self.booked_in is not None:
            key = self.keys(os.getpid()).next(request.digest)
            return self._allowance(request, key, *self.booked_in)
        step = current_account()
        if step is None:
            remedy = "name a ledger and an account, or make the call in a registered executor"
            raise InvalidInput("account", None, remedy)
        step.check()
        # From now on the step is billed what is seen of it, and not what it declares.
        step.note_metered()
        step.note_declined(None)
        # Named by the step, so that one that waits for a person finds its answers again.
        key = step.metered_key(request.digest)
        booked_in = step.ledger, step.account
        allowance = self._allowance(request, key, *booked_in, lambda _: step.left_ms())
        return replace(allowance, on_refusal=step.note_declined)

    def _allowance(
        self,
        request: VendorRequest,
        key: str,
        ledger: Ledger,
        account: AccountOrLease,
        left_ms: Callable[[Budget], int | None] = lambda _: None,
    ) -> Allowance:
        return Allowance(
            ledger,
            account,
            key,
            self.label,
            limit=None,
            left_ms=self.left_ms or left_ms,
            useful_tokens=self.options["useful_tokens"],
            attempts_max=self.options["attempts_max"],
            patience_ms=self.options["patience_ms"],
        )
