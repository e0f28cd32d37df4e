"""Faults to plant in the agent, so that it is seen whether the simulation finds them.

Each takes away one thing that a promise rests on. They are put in place from outside, and the
simulation is not told.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from thrifty.budget import Spend, StepOption
from thrifty.budget.validate import AMOUNT_MAX
from thrifty.executors.draft import Draft
from thrifty.ledger import calls, posting, rules, windows
from thrifty.ledger.active_runs import CURRENT_DRIVER
from thrifty.ledger.records import Entry
from thrifty.models.calls.metered_call import MeteredCall
from thrifty.models.calls.reservation import CallAccounts, Reservation
from thrifty.models.costs.usage import Usage, read_usage
from thrifty.models.failures.failure import Failure
from thrifty.models.providers.vendor_request import VendorRequest
from thrifty.nodes import finish as finish_node
from thrifty.run.assignment import step_key
from thrifty.run.services import Services

Changes = dict[str, Any]
real_settle, real_closed, real_in_full = calls.settle, rules.with_status, rules.full_charge
real_send, real_ask, real_usage = VendorRequest.send, MeteredCall.ask, read_usage
real_receipt, real_step_key = finish_node.Receipt, step_key
real_counters, real_change = windows.current_counters, posting.post_change


def _counts_nothing(account: Any, entry: Entry) -> Any:
    return account


def _everything_fits(*given: Any) -> dict[str, int]:
    return {}


def _settles_twice(tables: Any, caller: Any, key: str, actual: Spend, answer: str) -> Entry:
    entry = real_settle(tables, caller, key, actual, answer)
    for counter in map(tables.counter, entry.counters):
        spent = rules.add_amounts(counter.spent, actual.amounts)
        tables.set_counter(counter._replace(spent=spent))
    return entry


def _settles_at_nothing(
    entry: Entry, status: Any, charged: Spend, *more: Any, **named: Any
) -> Entry:
    free = Spend() if status == "settled" else charged
    return real_closed(entry, status, free, *more, **named)


def _admits_everybody(tables: Any, caller: Any) -> Any:
    return calls.require_account(tables, caller.account)


def _forgets_what_is_open(entry: Entry) -> Entry:
    return rules.with_status(entry, "released", Spend())


def _charges_the_half(entry: Entry, latency_ms: int = 0) -> Spend:
    return replace(real_in_full(entry, latency_ms), tokens=entry.reserved.tokens // 2)


async def _sends_more(request: VendorRequest, cap: int, emit: Any = None) -> Any:
    return await real_send(request, cap + 40, emit)


def _buys_again(self: MeteredCall, entry: Entry, emit: Any) -> Failure:
    return Failure("it does not look at what was paid", billed=True, retry_after_ms=0)


def _marks_nothing(tables: Any, caller: Any, key: str) -> Entry:
    calls.require_account(tables, caller.account)
    entry: Entry = tables.entry(caller.account, key)
    return entry


async def _sends_first(self: MeteredCall, abandoned: Any, emit: Any = None) -> Any:
    await self.accounts.request.send(50)
    return await real_ask(self, abandoned, emit)


def _believes_anything(message: Any) -> Usage:
    return real_usage(message) or Usage(0, 0)


def _sees_no_overrun(*given: Any) -> tuple[()]:
    return ()


def _frees_what_failed(self: CallAccounts, reservation: Reservation, latency_ms: int) -> Entry:
    return self.release(reservation)


def _stops_at_the_first(tables: Any, account: Any) -> Any:
    yield account


def _looks_at_lives_alone(tables: Any, account: Any) -> Any:
    return (each for each in real_counters(tables, account) if each.counter.period == "run")


def _charges_the_present(tables: Any, before: Entry, after: Entry) -> Entry:
    account = tables.account(after.account)
    now = [each.counter for each in real_counters(tables, account) if each.counter.id]
    moved = tuple(counter.id for counter in now) or before.counters
    return real_change(tables, before._replace(counters=moved), after)


def _writes_nothing(self: Draft, outcomes: Any) -> None:
    pass


def _halts_without_a_word(*given: Any, **options: Any) -> Any:
    receipt = real_receipt(*given, **options)
    return replace(receipt, halt_reason="")


def _keys_by_driver(option: StepOption, services: Services) -> str:
    return f"{real_step_key(option, services)}/{CURRENT_DRIVER.get()}"


METERED_CALL = "thrifty.models.calls.metered_call.MeteredCall"
CALL_ACCOUNTS = "thrifty.models.calls.reservation.CallAccounts"


def _always(*_: Any) -> bool:
    return True


FAULTS: dict[str, Changes] = {
    "a reservation is not counted": {"thrifty.ledger.rules.with_reservation": _counts_nothing},
    "everything fits": {"thrifty.ledger.rules.shortfall": _everything_fits},
    "what is settled counts twice": {"thrifty.ledger.calls.settle": _settles_twice},
    "what is settled costs nothing": {"thrifty.ledger.rules.with_status": _settles_at_nothing},
    "a stale lease is as good as any": {
        "thrifty.ledger.calls.admit_caller": _admits_everybody,
        "thrifty.ledger.accounts.admit_caller": _admits_everybody,
    },
    "what a dead process left open is freed": {
        "thrifty.ledger.rules.close_abandoned": _forgets_what_is_open
    },
    "a call in doubt is charged the half": {"thrifty.ledger.rules.full_charge": _charges_the_half},
    "a larger cap is sent than was reserved": {
        "thrifty.models.providers.vendor_request.VendorRequest.send": _sends_more
    },
    "what was paid is not looked at": {
        "thrifty.models.calls.metered_call.MeteredCall._replay": _buys_again
    },
    "a request leaves before it is reserved": {
        "thrifty.models.calls.metered_call.MeteredCall.ask": _sends_first
    },
    "a request leaves before it is marked as sent": {
        "thrifty.ledger.calls.mark_sent": _marks_nothing
    },
    "what has left is taken for kept back": {
        "thrifty.models.wire.exchange.Exchange.hold_back": _always
    },
    "any usage is believed": {"thrifty.models.calls.metered_call.read_usage": _believes_anything},
    "an overrun is not seen": {"thrifty.run.run_so_far.find_overruns": _sees_no_overrun},
    "a lost answer is released": {
        "thrifty.models.calls.reservation.CallAccounts.charge_in_full": _frees_what_failed
    },
    "a parent does not know what its child spends": {
        "thrifty.ledger.windows.account_path": _stops_at_the_first
    },
    "the limits of days and minutes are not looked at": {
        "thrifty.ledger.windows.current_counters": _looks_at_lives_alone
    },
    "a minute is the ten seconds that it is in": {"thrifty.ledger.windows.MINUTE_MS": 0},
    "a call is settled in the windows of now": {
        "thrifty.ledger.calls.post_change": _charges_the_present
    },
    "the draft is left out": {"thrifty.executors.draft.Draft.add": _writes_nothing},
    "a proposal may claim anything": {"thrifty.options.proposals.CLAIM_MAX": AMOUNT_MAX},
    "a halt gives no reason": {"thrifty.nodes.finish.Receipt": _halts_without_a_word},
}
"""What is done wrong, and what does it."""

RARE: dict[str, Changes] = {
    "an answer is not found by another invocation": {
        "thrifty.nodes.route.step_key": _keys_by_driver,
        "thrifty.nodes.run_llm.step_key": _keys_by_driver,
        "thrifty.nodes.run_local.step_key": _keys_by_driver,
        "thrifty.run.assignment.step_key": _keys_by_driver,
    },
}
"""What once was wrong, and takes more seeds to be found than a test has time for."""


@contextmanager
def planted(fault: str) -> Iterator[None]:
    """Plants one of them."""
    with ExitStack() as stack:
        for name, wrong in {**FAULTS, **RARE}[fault].items():
            stack.enter_context(patch(name, wrong))
        yield
