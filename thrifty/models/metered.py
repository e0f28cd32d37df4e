"""A model call under a budget: reserve, send with a cap and a deadline, settle.

Nothing leaves before its worst case is reserved, and every way out of a call passes through
`settle`, `charge_in_full` or `release`.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from thrifty.budget import BudgetExceeded, ModelUnavailable, Spend
from thrifty.ledger.booking import entry_for, fingerprint
from thrifty.ledger.protocol import Entry, Ledger
from thrifty.models.background import background_loop
from thrifty.models.client import ChatClients
from thrifty.models.failures import Failure, read_failure
from thrifty.models.prices import PriceList
from thrifty.models.reply import Reply, read_reply
from thrifty.models.tokens import input_bound, tokens_bound
from thrifty.models.usage import Usage, read_usage
from thrifty.settings import Settings

ATTEMPTS_MAX = 2
OUTPUT_CAP_MIN = 16
"""The Responses API refuses lower caps, and no answer is useful below it."""


@dataclass(frozen=True, slots=True)
class Request:
    """What to ask of which model."""

    model: str
    prompt: str
    effort: str = "auto"
    """Reasoning effort; `auto` sends a low one to models that reason, none to others."""
    tool: dict[str, Any] | None = None
    """A function's JSON schema whose arguments are wanted instead of text."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a request may use, and where it is booked."""

    ledger: Ledger
    account: str
    key: str
    """Made before the call; each attempt has its number added."""
    label: str
    """What the call is for, as the bill names it."""
    envelope: Spend
    """The most that one attempt may use."""
    left_ms: Callable[[], int | None]
    """How much of the latency limit is left now; None without a limit."""
    useful_tokens: int = OUTPUT_CAP_MIN
    """An answer that has to be shorter than this is not worth its input."""


class Models:
    """Every way to a model leads through here."""

    def __init__(self, settings: Settings) -> None:
        self.is_offline = settings.is_offline
        self.prices = PriceList(settings.prices)
        self._clients = ChatClients(settings)

    def warm_up(self) -> None:
        """Loads the client now, so that its seconds are not the first run's latency."""
        if not self.is_offline:
            self._clients.load()

    def ask(self, request: Request, allowance: Allowance, config: Any = None) -> Reply:
        """Asks once, and once more where that may help; each attempt is reserved by itself.

        What was asked before under the same key is answered from the journal.

        Raises:
            BudgetExceeded: the worst case does not fit; nothing was sent.
            ModelUnavailable: no usable answer; what the attempts cost is in the ledger.
        """
        entry = self._hold(request, allowance)
        outcome = self._attempt(request, allowance, entry, config)
        for _ in range(1, ATTEMPTS_MAX):
            if isinstance(outcome, Reply) or not self._wait(outcome, allowance):
                break
            try:
                entry = self._hold(request, allowance, after=entry)
            except BudgetExceeded:
                break  # how the first attempt failed says more than that a second does not fit
            outcome = self._attempt(request, allowance, entry, config)
        if isinstance(outcome, Reply):
            return outcome
        raise ModelUnavailable(f"{request.model}: {outcome.reason}", for_good=outcome.for_good)

    def _hold(self, request: Request, allowance: Allowance, after: Entry | None = None) -> Entry:
        asked = fingerprint(request.model, request.effort, request.prompt, request.tool)
        return entry_for(
            allowance.ledger,
            allowance.account,
            allowance.key,
            allowance.label,
            allowance.envelope,
            asked,
            after,
        )

    def _wait(self, failure: Failure, allowance: Allowance) -> bool:
        """Waits as long as the failure asks; False where that is no use or takes too long."""
        if failure.retry_after_ms is None:
            return False
        left_ms = allowance.left_ms()
        if left_ms is not None and failure.retry_after_ms >= left_ms:
            return False
        time.sleep(failure.retry_after_ms / 1000)
        return True

    def _attempt(
        self, request: Request, allowance: Allowance, entry: Entry, config: Any
    ) -> Reply | Failure:
        if entry.status == "settled":
            return Reply.from_journal(entry.answer, entry.charged)
        if entry.status != "unsent":
            return Failure("it was asked before, and nobody knows what came of it", True, 0)
        ledger, booked = allowance.ledger, replace(allowance, key=entry.key)
        cap = output_cap(request, allowance)
        if cap < allowance.useful_tokens:
            ledger.release(allowance.account, entry.key)
            raise BudgetExceeded({"tokens": allowance.useful_tokens - cap}, allowance.label)
        ledger.mark_sent(allowance.account, entry.key)
        started_ns = time.monotonic_ns()
        try:
            message = self._send(request, cap, allowance.left_ms(), config)
        except Exception as error:  # noqa: BLE001 - client and parser can raise anything
            return self._book_failure(read_failure(error), booked, _since_ms(started_ns))
        except BaseException:
            ledger.charge_in_full(allowance.account, entry.key, _since_ms(started_ns))
            raise
        return self._book_reply(request, message, booked, _since_ms(started_ns))

    def _send(self, request: Request, cap: int, deadline_ms: int | None, config: Any) -> Any:
        model: Any = self._clients.get(request.model, request.effort)
        if request.tool is not None:
            model = model.bind_tools([request.tool], tool_choice=request.tool["title"])
        call = model.ainvoke(request.prompt, config, **self._clients.cap(cap))
        return background_loop().run(call, deadline_ms)

    def _book_failure(self, failure: Failure, allowance: Allowance, latency_ms: int) -> Failure:
        if failure.billed:
            allowance.ledger.charge_in_full(allowance.account, allowance.key, latency_ms)
        else:
            allowance.ledger.release(allowance.account, allowance.key)
        return failure

    def _book_reply(
        self, request: Request, message: Any, allowance: Allowance, latency_ms: int
    ) -> Reply | Failure:
        usage = read_usage(message)
        text, arguments, cut = read_reply(message, usage_known=usage is not None)
        reply = Reply(text, arguments, cut)
        if usage is None:
            entry = allowance.ledger.charge_in_full(allowance.account, allowance.key, latency_ms)
        else:
            actual = self._priced(request.model, usage, latency_ms)
            journal = reply.to_journal()
            entry = allowance.ledger.settle(allowance.account, allowance.key, actual, journal)
        if not text.strip() and arguments is None:
            return Failure("an answer without any text", billed=True, retry_after_ms=None)
        return replace(reply, spend=entry.charged)

    def _priced(self, model: str, usage: Usage, latency_ms: int) -> Spend:
        cost = 0
        if self.prices.knows(model):
            cost = self.prices.quote(
                model, usage.input_tokens, usage.output_tokens, usage.cached_tokens
            )
        return Spend(usage.tokens, cost, latency_ms, tool_calls=1)


def _since_ms(started_ns: int) -> int:
    return (time.monotonic_ns() - started_ns) // 1_000_000


def output_cap(request: Request, allowance: Allowance) -> int:
    """What the envelope leaves for the answer once the longest possible input is taken off."""
    tool_tokens = tokens_bound(str(request.tool), request.model) if request.tool else 0
    return allowance.envelope.tokens - input_bound(request.model, request.prompt) - tool_tokens
