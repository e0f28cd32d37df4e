"""What is recorded of an attempt at a model call: in a span of OpenTelemetry's, in the traced run.

Names from OpenTelemetry's semantic conventions for generative AI, where they have one (as of its
package `opentelemetry-semantic-conventions` 0.66b2); money is in nano-USD.
"""

from contextlib import AbstractContextManager
from typing import Any

from thrifty.budget import Spend
from thrifty.budget.spend import SPEND_FIELDS
from thrifty.ledger.records import Entry
from thrifty.models.providers.request import MeteredRequest
from thrifty.models.tracing.recorders import ERROR, REASON, AddFacts, Facts, record_work

PROVIDERS = {"azure": "azure.ai.openai"}
"""Where OpenTelemetry calls a provider by another name than LangChain."""


def record_call(
    request: MeteredRequest, label: str, run_manager: Any
) -> AbstractContextManager[AddFacts]:
    """Begins the records of one attempt, and yields what adds facts to all of them.

    Args:
        request: what is asked.
        label: what for, as the bill names it.
        run_manager: LangChain's, of the call.
    """
    provider = request.provider
    asked = {
        "gen_ai.operation.name": request.operation,
        "gen_ai.provider.name": PROVIDERS.get(provider, provider),
        "gen_ai.request.model": request.model,
        "thrifty.step": label,
    }
    run_id = getattr(run_manager, "run_id", None)
    return record_work(
        f"{request.operation} {request.model}", asked, run_manager, run_id, is_call=True
    )


def reservation_facts(entry: Entry, cap: int) -> Facts:
    """What is held, before the call is sent."""
    sent = {"gen_ai.request.max_tokens": cap} if cap else {}
    named = {"thrifty.step": entry.label, "thrifty.run_id": entry.run, "thrifty.key": entry.key}
    status = {"thrifty.status": entry.status}
    return {**sent, **named, **status, **amounts("reserved", entry.reserved)}


def answer_facts(entry: Entry, message: Any, *, is_replayed: bool) -> Facts:
    """What an answer cost, and what was counted; what was paid before has no usage now."""
    answered = {"thrifty.replayed": True} if is_replayed else _usage_facts(message)
    return {**_closing_facts(entry), **answered}


def failure_facts(entry: Entry, reason: str) -> Facts:
    """Why nothing came of a call, in our own words, and what that costs."""
    return {**_closing_facts(entry), ERROR: "ModelUnavailable", REASON: reason}


def amounts(kind: str, spend: Spend) -> Facts:
    """Amounts by name, such as `thrifty.reserved.tokens`; time is settled and never reserved."""
    pairs = zip(SPEND_FIELDS, spend.amounts, strict=True)
    named = {f"thrifty.{kind}.{field}": amount for field, amount in pairs}
    named.pop("thrifty.reserved.latency_ms", None)
    return named


def _closing_facts(entry: Entry) -> Facts:
    settled = {} if entry.is_open else amounts("settled", entry.charged)
    return {"thrifty.status": entry.status, **settled}


def _usage_facts(message: Any) -> Facts:
    counted = getattr(message, "usage_metadata", None) or {}
    facts = {
        "gen_ai.response.model": message.response_metadata.get("model_name"),
        "gen_ai.response.id": message.response_metadata.get("id"),
        "gen_ai.usage.input_tokens": counted.get("input_tokens"),
        "gen_ai.usage.output_tokens": counted.get("output_tokens"),
        "gen_ai.usage.cache_read.input_tokens": _detail(counted, "input", "cache_read"),
        "gen_ai.usage.reasoning.output_tokens": _detail(counted, "output", "reasoning"),
    }
    return {name: value for name, value in facts.items() if isinstance(value, str | int)}


def _detail(counted: dict[str, Any], side: str, kind: str) -> Any:
    return (counted.get(f"{side}_token_details") or {}).get(kind)
