"""Meters a chat model or embeddings of any vendor that is known on an account, in any program."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar, get_args, overload

from langchain_core.runnables.base import RunnableBindingBase
from typing_extensions import TypedDict, Unpack

from thrifty.budget import InvalidInput, validate
from thrifty.ledger.protocol import Ledger
from thrifty.ledger.records import AccountOrLease
from thrifty.models.calls.account_choice import AccountChoice
from thrifty.models.calls.allowance import ATTEMPTS_DEFAULT, OUTPUT_CAP_MIN, OUTPUT_CAP_UNKNOWN
from thrifty.models.calls.first_hold import HOLD_QUANTILE, HOLD_QUANTILE_MIN
from thrifty.models.calls.metered_embeddings import (
    embeddings_model,
    is_embeddings,
    metered_embeddings,
)
from thrifty.models.calls.metered_model import MeteredChatModel
from thrifty.models.costs.hosted_uses import UseFee, check_fees
from thrifty.models.costs.input_bound import has_standard_tier
from thrifty.models.costs.prices import PriceList
from thrifty.models.costs.token_price import TokenPrice, check_prices
from thrifty.models.providers.openai_embeddings import OpenAIEmbeddingsModel
from thrifty.models.providers.vendor import Vendor
from thrifty.models.providers.vendor_request import CallBounds
from thrifty.models.providers.vendors import vendor_model
from thrifty.models.wire.openai_protocol import CapField, Encoding

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings
    from langchain_core.language_models import BaseChatModel

    E = TypeVar("E", bound=Embeddings)
    B = TypeVar("B", bound=RunnableBindingBase[Any, Any])


class MeteringOptions(TypedDict, total=False):
    """How a model is metered, as `metered` takes it."""

    max_output_tokens: int | None
    useful_tokens: int
    attempts_max: int
    patience_ms: int
    hold_quantile: float
    tokens_per_attachment: int | None
    prices: Mapping[str, TokenPrice] | None
    reported_cost: bool
    cap_field: CapField
    encoding: Encoding | None
    fees: Mapping[str, UseFee] | None


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
    quantile = options.get("hold_quantile", HOLD_QUANTILE)
    validate.number("hold_quantile", quantile, minimum=HOLD_QUANTILE_MIN, maximum=1)
    validate.choice("cap_field", options.get("cap_field", "max_tokens"), get_args(CapField))
    if (encoding := options.get("encoding")) is not None:
        validate.choice("encoding", encoding, get_args(Encoding))
    check_prices(options.get("prices") or {})
    check_fees(options.get("fees") or {})
    validate.instance("reported_cost", options.get("reported_cost", False), bool, "True")


class EmbeddingsOptions(TypedDict, total=False):
    """What of it is said of embeddings, which write nothing."""

    attempts_max: int
    patience_ms: int
    prices: Mapping[str, TokenPrice] | None
    reported_cost: bool
    encoding: Encoding | None


@overload
def metered(
    model: "BaseChatModel",
    ledger: Ledger | None = None,
    account: AccountOrLease | None = None,
    *,
    run: str | None = None,
    label: str | None = None,
    left_ms: Callable[[], int | None] | None = None,
    **options: Unpack[MeteringOptions],
) -> MeteredChatModel: ...


@overload
def metered(
    model: "E",
    ledger: Ledger | None = None,
    account: AccountOrLease | None = None,
    *,
    run: str | None = None,
    label: str | None = None,
    left_ms: Callable[[], int | None] | None = None,
    **options: Unpack[EmbeddingsOptions],
) -> "E": ...


@overload
def metered(
    model: "B",
    ledger: Ledger | None = None,
    account: AccountOrLease | None = None,
    *,
    run: str | None = None,
    label: str | None = None,
    left_ms: Callable[[], int | None] | None = None,
    **options: Unpack[MeteringOptions],
) -> "B": ...


def metered(
    model: "BaseChatModel | Embeddings | RunnableBindingBase[Any, Any]",
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
    hold_quantile: float = HOLD_QUANTILE,
    tokens_per_attachment: int | None = None,
    prices: Mapping[str, TokenPrice] | None = None,
    reported_cost: bool = False,
    cap_field: CapField = "max_completion_tokens",
    encoding: Encoding | None = None,
    fees: Mapping[str, UseFee] | None = None,
) -> Any:
    """A chat model, or embeddings, that cannot spend more than its account has.

    Before a call its worst case is reserved: all of its input, counted or bounded, and the
    longest answer that tokens and money left afford; that length goes out as its output cap.
    Afterwards it is settled at the usage that came back; a call whose usage is unknown is
    charged in full. `model` itself is left as it is; only calls of what is returned are metered.
    Of embeddings you get a copy, each request of which is a call. They write nothing, so that all
    is known before.

    Calls are named by what they ask: the n-th time that this model is asked the same is one
    entry. Under the same `run`, a program that starts again is given the answers that it has paid
    for, in whatever order it asks. So is a node of a graph that a `RetryPolicy` or a resume has run
    again. Code of your own that tries again has to make the model anew, under the same `run`.

    Args:
        model: a chat model of a vendor that docs/metering.md names, or any other that has a field
            for its output cap. Or `OpenAIEmbeddings` or `AzureOpenAIEmbeddings`: of these, what is
            said of an answer's length and of images has no meaning, and is refused. A transport of
            one's own must not be in use on another event loop.
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
        hold_quantile: where callers compete for what is left, a call holds at first what this share
            of earlier answers has taken, of this model under this label. An answer that is cut
            there is asked for once more, with all that fits. With 1, all that fits is held always.
        tokens_per_attachment: the most that an image or a file can be; without it, calls with
            one are refused while tokens or money are limited.
        prices: dollars per million tokens of models that have a price of their own.
        reported_cost: whether a call is charged what a gateway says that it has cost, such as
            OpenRouter or LiteLLM's proxy. Where it says nothing, and before the call, prices count.
        cap_field: `max_tokens` for a chat server that knows an output cap by that name only.
        encoding: `o200k_base` or `cl100k_base` for a server that counts as OpenAI does, and is
            neither OpenAI's nor Azure's. By default, bytes bound what is sent to any other.
        fees: what tools cost for each use that run at the provider, and how often a call may use
            them: `{"web_search": UseFee(0.01, uses_max=3, tokens_max=20_000)}`. So for
            `web_fetch`, `file_search` and `code_interpreter`, and for models that search by
            themselves. Without it they are refused while money is limited.

    Raises:
        InvalidInput: the model is of no vendor that is known, an account without a ledger, or a
            value that cannot be used.
        KeyError: the account was never opened.

    A call raises `BudgetExceeded` or `PriceUnknown` where it was not sent, `InvalidInput` where
    it has no bound, and `ModelUnavailable` where it brought nothing.
    """
    options = MeteringOptions(
        max_output_tokens=max_output_tokens,
        useful_tokens=useful_tokens,
        attempts_max=attempts_max,
        patience_ms=patience_ms,
        hold_quantile=hold_quantile,
        tokens_per_attachment=tokens_per_attachment,
        prices=prices,
        reported_cost=reported_cost,
        cap_field=cap_field,
        encoding=encoding,
        fees=fees,
    )
    check_options(options)
    if isinstance(model, RunnableBindingBase):  # what is bound, or how it is tried again, stays
        bound: Any = model.bound
        held = metered(bound, ledger, account, run=run, label=label, left_ms=left_ms, **options)
        return model.model_copy(update={"bound": held})
    given = embeddings_model(model, options) if is_embeddings(model) else vendor_model(model)
    choose = AccountChoice.of(
        ledger,
        account,
        run=run,
        label=label or given.name,
        left_ms=left_ms,
        useful_tokens=0 if isinstance(given, OpenAIEmbeddingsModel) else useful_tokens,
        attempts_max=attempts_max,
        patience_ms=patience_ms,
        hold_quantile=hold_quantile,
    )
    price_list = PriceList(
        {**_own_prices(given), **(prices or {})},
        takes_reported=reported_cost or given.reports_cost,
        is_tier_open=not has_standard_tier(given.address),
    )
    if isinstance(given, OpenAIEmbeddingsModel):
        return metered_embeddings(given, choose, price_list)
    if encoding and given.counts_as_json:
        remedy = f"leave it out: bytes bound what is sent by {given.package}"
        raise InvalidInput("encoding", encoding, remedy)
    if fees and not given.limits_uses:
        remedy = f"leave it out: {given.package} cannot say how often a tool may be used"
        raise InvalidInput("fees", sorted(fees), remedy)
    cap_max = max_output_tokens or given.output_tokens_max or OUTPUT_CAP_UNKNOWN
    bounds = CallBounds(cap_max, tokens_per_attachment, cap_field, encoding, fees or {})
    return MeteredChatModel(given, choose, bounds, price_list)


def _own_prices(model: Vendor | OpenAIEmbeddingsModel) -> Mapping[str, TokenPrice]:
    """What a model costs that no list has."""
    price = model.own_price(model.name, model.address) if isinstance(model, Vendor) else None
    return {} if price is None else {model.name: price}


def metered_in_step(model: Vendor, prices: PriceList, bounds: CallBounds) -> MeteredChatModel:
    """A chat model whose calls are the step's in whose executor they are made.

    Args:
        model: who is asked.
        prices: what it costs.
        bounds: what bounds each call, whatever is left.
    """
    return MeteredChatModel(model, AccountChoice.of(None, None, label=model.name), bounds, prices)
