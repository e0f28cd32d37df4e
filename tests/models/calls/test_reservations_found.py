"""A reservation that is older than the call under it: no call is longer than what it holds."""

import asyncio

import pytest

from tests.harness.llm_server import Answer
from tests.models.conftest import ACCOUNT, entries
from thrifty import Budget, BudgetExceeded, MemoryLedger, ModelUnavailable, Spend
from thrifty.ledger.idempotent_calls import try_mark_sent
from thrifty.models.calls.current_account import use_account
from thrifty.models.calls.metered_call import ASKED_BEFORE
from thrifty.models.calls.step_account import StepAccount


class Died(BaseException):
    """The process ends between a reservation and its call."""


def leave_unsent(make, ledger, budget, **terms):
    """Asks under the run `r`, in a process that dies before the call leaves."""
    mark = ledger.mark_sent

    def die(account, key):
        raise Died

    ledger.mark_sent = die
    with pytest.raises(Died):
        make(budget, **terms, run="r").invoke("Hi")
    ledger.mark_sent = mark
    (entry,) = entries(ledger)
    assert entry.status == "unsent"
    return entry


@pytest.mark.parametrize("raised", [Budget(max_tokens=100_000), Budget(max_cost_usd=1)])
def test_a_call_fits_in_the_reservation_that_it_finds(make, server, ledger, raised):
    server.script(Answer(tokens=9_000))
    small = raised.limited_to(Spend(tokens=400, cost_nano_usd=3_000_000))
    found = leave_unsent(make, ledger, small)
    make(raised, run="r").invoke("Hi")
    (entry,) = entries(ledger)
    assert entry.status == "settled"
    assert entry.reserved == found.reserved
    assert not entry.is_overrun
    assert server.bill.total_tokens <= found.reserved.tokens


def test_of_a_reservation_that_took_all_that_was_left_nothing_is_lost(make, server, ledger):
    server.script(Answer(tokens=9_000))
    found = leave_unsent(make, ledger, Budget(max_tokens=400))
    make(Budget(max_tokens=400), run="r").invoke("Hi")
    assert server.requests[0].output_cap > 300
    assert entries(ledger)[0].reserved == found.reserved


def test_a_reservation_that_is_too_small_makes_room_for_another(make, server, ledger):
    found = leave_unsent(make, ledger, Budget(max_tokens=60))
    make(Budget(max_tokens=500), run="r", useful_tokens=200).invoke("Hi")
    (entry,) = entries(ledger)
    assert entry.status == "settled"
    assert entry.reserved.tokens > 200 > found.reserved.tokens
    assert server.requests[0].output_cap >= 200


def test_where_there_is_no_room_for_another_either_it_is_given_back(make, server, ledger):
    leave_unsent(make, ledger, Budget(max_tokens=60))
    with pytest.raises(BudgetExceeded):
        make(Budget(max_tokens=60), run="r", useful_tokens=200).invoke("Hi")
    assert [entry.status for entry in entries(ledger)] == ["released"]
    assert not server.requests


def test_a_step_that_is_tighter_than_what_was_found_is_held_too(make, server, ledger):
    server.script(Answer(tokens=9_000))
    leave_unsent(make, ledger, Budget(max_tokens=900))
    with use_account(StepAccount(Budget(max_tokens=100))) as step:
        make(Budget(max_tokens=1_000), run="r").invoke("Hi")
    assert step.ledger.balance(step.account).spent.tokens == server.bill.total_tokens <= 100


def test_a_reservation_that_another_exchanged_is_not_sent_under():
    ledger = MemoryLedger()
    ledger.open(ACCOUNT, Budget(max_tokens=900))
    mine = ledger.reserve(ACCOUNT, "call", "call", Spend(500), unsent=True)
    ledger.release(ACCOUNT, "call")
    ledger.reserve(ACCOUNT, "call", "call", Spend(100), unsent=True)
    assert not try_mark_sent(ledger, ACCOUNT, mine)
    assert ledger.balance(ACCOUNT).reserved == Spend()


def test_what_another_has_sent_is_neither_given_back_nor_kept_on_our_step(make, server, ledger):
    """Another finds our reservation, and is quicker."""
    mark = ledger.mark_sent

    def first_by_another(account, key):
        mark(account, key)
        return mark(account, key)

    ledger.mark_sent = first_by_another
    with use_account(StepAccount(Budget(max_tokens=5_000))) as step:
        with pytest.raises(ModelUnavailable, match=ASKED_BEFORE):
            make(max_output_tokens=100, run="r", attempts_max=1).invoke("Hi")
        assert step.ledger.balance(step.account).reserved == Spend()
        (entry,) = entries(ledger)
        assert entry.status == "pending"


def test_what_another_has_sent_is_not_given_back_to_make_room(make, server, ledger):
    found = leave_unsent(make, ledger, Budget(max_tokens=60))
    mark = ledger.mark_sent

    def first_by_another(account, key):
        if key == found.key:
            mark(account, key)
        return mark(account, key)

    ledger.mark_sent = first_by_another
    make(Budget(max_tokens=500), run="r", useful_tokens=200).invoke("Hi")
    assert [entry.status for entry in entries(ledger)] == ["pending", "settled"]


def test_what_nobody_waits_for_any_more_is_not_sent(make, server, ledger):
    """Whoever asked leaves while the ledger is written."""
    mark = ledger.mark_sent

    async def ask():
        asking = asyncio.create_task(make().ainvoke("Hi"))
        here = asyncio.get_running_loop()

        def while_they_leave(account, key):
            here.call_soon_threadsafe(asking.cancel)
            asyncio.run(asyncio.sleep(0.1))
            return mark(account, key)

        ledger.mark_sent = while_they_leave
        with pytest.raises(asyncio.CancelledError):
            await asking

    asyncio.run(ask())
    assert [entry.status for entry in entries(ledger)] == ["released"]
    assert not server.requests
