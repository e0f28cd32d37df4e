"""What is told of an attempt at a model call: to a span of OpenTelemetry's, to the traced run.

Names from OpenTelemetry's semantic conventions for generative AI, where they have one (as of its
package `opentelemetry-semantic-conventions` 0.66b2); money is in nano-USD.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from thrifty.budget import Spend
from thrifty.budget.spend import SPEND_FIELDS
from thrifty.ledger.protocol import Entry
from thrifty.models.call import Call
from thrifty.models.spans import ERROR, REASON, Facts, Tell, span

PROVIDERS = {"azure": "azure.ai.openai"}
"""Where OpenTelemetry calls a provider by another name than LangChain."""


@dataclass(frozen=True, slots=True)
class Observed:
    """Who is told of an attempt."""

    tellers: tuple[Tell, ...]

    def tell(self, facts: Facts) -> None:
        """Tells everybody."""
        for teller in self.tellers:
            teller(facts)

    def reserved(self, entry: Entry, cap: int) -> None:
        """Tells what is held, before it is sent."""
        sent = {"gen_ai.request.max_tokens": cap} if cap else {}
        self.tell({**sent, **_of(entry), **amounts("reserved", entry.reserved)})

    def answered(self, entry: Entry, message: Any, *, is_replayed: bool) -> None:
        """Tells what it cost, and what was counted; what was paid before has no usage now."""
        answered = {"thrifty.replayed": True} if is_replayed else _answered(message)
        self.tell({**_closed(entry), **answered})

    def failed(self, entry: Entry, reason: str) -> None:
        """Tells why nothing came of it, in our own words, and what that costs."""
        self.tell({**_closed(entry), ERROR: "ModelUnavailable", REASON: reason})


@contextmanager
def observed(call: Call, label: str, run: Tell | None) -> Iterator[Observed]:
    """One attempt, as a span where somebody records spans.

    Args:
        call: what is asked.
        label: what for, as the bill names it.
        run: takes facts for LangChain's run of the call.
    """
    asked = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": PROVIDERS.get(call.provider, call.provider),
        "gen_ai.request.model": call.model,
        "thrifty.step": label,
    }
    with span(f"chat {call.model}", asked, is_call=True) as to_span:
        yield Observed(tuple(teller for teller in (to_span, run) if teller is not None))


def amounts(kind: str, spend: Spend) -> Facts:
    """Amounts by name, such as `thrifty.reserved.tokens`; time is settled and never reserved."""
    pairs = zip(SPEND_FIELDS, spend.amounts, strict=True)
    told = {f"thrifty.{kind}.{field}": amount for field, amount in pairs}
    return {name: amount for name, amount in told.items() if name != "thrifty.reserved.latency_ms"}


def _of(entry: Entry) -> Facts:
    named = {"thrifty.step": entry.label, "thrifty.run_id": entry.run, "thrifty.key": entry.key}
    return {**named, "thrifty.status": entry.status}


def _closed(entry: Entry) -> Facts:
    settled = {} if entry.is_open else amounts("settled", entry.charged)
    return {"thrifty.status": entry.status, **settled}


def _answered(message: Any) -> Facts:
    counted = getattr(message, "usage_metadata", None) or {}
    found = {
        "gen_ai.response.model": message.response_metadata.get("model_name"),
        "gen_ai.response.id": message.response_metadata.get("id"),
        "gen_ai.usage.input_tokens": counted.get("input_tokens"),
        "gen_ai.usage.output_tokens": counted.get("output_tokens"),
        "gen_ai.usage.cache_read.input_tokens": _detail(counted, "input", "cache_read"),
        "gen_ai.usage.reasoning.output_tokens": _detail(counted, "output", "reasoning"),
    }
    return {name: value for name, value in found.items() if isinstance(value, str | int)}


def _detail(counted: dict[str, Any], side: str, kind: str) -> Any:
    return (counted.get(f"{side}_token_details") or {}).get(kind)
