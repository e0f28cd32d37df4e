"""A metered call can wait for what others hold, instead of being refused or cut short."""

import asyncio
import threading

import pytest

from tests.harness.llm_server import Answer
from tests.models.conftest import ACCOUNT
from thrifty import Budget, BudgetExceeded, Spend
from thrifty.models.calls.current_account import use_account
from thrifty.models.calls.step_account import StepAccount

PROMPT = "Say something about tides."
WHOLE = 200
"""What an answer may be at most."""
WORST_CASE = 230
"""What a call reserves for it, or a little more."""
STUMP = 60
FOR_EVER_MS = 10**9


@pytest.fixture
def asked(server, ledger, make):
    """A model whose account has room for one worst case, and for a stump beside it."""
    server.default = Answer(tokens=20, delay_ms=200, times=None)
    room = Budget(max_tokens=WORST_CASE + STUMP)
    ledger.open(ACCOUNT, room)

    def asked(**given):
        return make(room, options={"max_tokens": WHOLE}, **given)

    return asked


def both(model):
    async def together():
        return await asyncio.gather(model.ainvoke(PROMPT), model.ainvoke(PROMPT))

    return asyncio.run(together())


def caps(server):
    return [request.output_cap for request in server.requests]


def hold(ledger, tokens):
    """Somebody else's reservation."""
    ledger.reserve(ACCOUNT, "other", "Other", Spend(tokens=tokens))


def test_a_call_that_may_wait_waits_for_a_whole_answer(server, ledger, asked):
    both(asked(patience_ms=FOR_EVER_MS))
    assert caps(server) == [WHOLE, WHOLE]
    assert ledger.balance(ACCOUNT).spent.tokens == server.bill.total_tokens


def test_a_call_that_may_not_wait_takes_what_is_left(server, ledger, asked):
    both(asked())
    shorter, longer = sorted(caps(server))
    assert shorter < longer == WHOLE
    assert ledger.balance(ACCOUNT).spent.tokens == server.bill.total_tokens


def test_a_call_that_may_not_wait_is_refused_where_no_useful_answer_is_left(asked):
    with pytest.raises(BudgetExceeded):
        both(asked(useful_tokens=100))


def test_it_does_not_wait_for_what_its_own_step_may_not_use(server, ledger, asked):
    """However much others let go, the step around it holds no more."""
    hold(ledger, 1)
    with use_account(StepAccount(Budget(max_tokens=WORST_CASE - STUMP))):
        asked(patience_ms=FOR_EVER_MS).invoke(PROMPT)
    (cap,) = caps(server)
    assert STUMP < cap < WHOLE


def test_it_is_sent_when_others_let_go(server, ledger, asked):
    hold(ledger, WORST_CASE + STUMP)
    letting_go = threading.Timer(0.1, ledger.release, (ACCOUNT, "other"))
    letting_go.start()
    asked(patience_ms=FOR_EVER_MS).invoke(PROMPT)
    letting_go.join()
    assert caps(server) == [WHOLE]


def test_it_does_not_wait_for_what_cannot_help(server, ledger, asked):
    ledger.reserve(ACCOUNT, "spent", "Spent", Spend(tokens=WORST_CASE))
    ledger.settle(ACCOUNT, "spent", Spend(tokens=WORST_CASE))
    hold(ledger, 50)
    with pytest.raises(BudgetExceeded):
        asked(useful_tokens=100, patience_ms=FOR_EVER_MS).invoke(PROMPT)
    assert caps(server) == []


def test_when_its_wait_is_over_it_takes_what_is_left(server, ledger, asked):
    hold(ledger, WORST_CASE)
    asked(patience_ms=100).invoke(PROMPT)
    (cap,) = caps(server)
    assert 16 <= cap < WHOLE


def test_when_its_wait_is_over_it_is_refused_where_nothing_is_left(ledger, asked):
    hold(ledger, WORST_CASE + STUMP)
    with pytest.raises(BudgetExceeded):
        asked(patience_ms=100).invoke(PROMPT)
    assert ledger.balance(ACCOUNT).reserved.tokens == WORST_CASE + STUMP


def test_it_waits_no_longer_than_there_is_time(server, ledger, asked):
    hold(ledger, WORST_CASE)
    left_ms = iter([100, 50, 20, 0, 0, 0, 0])
    model = asked(patience_ms=FOR_EVER_MS, left_ms=lambda: next(left_ms, 0))
    with pytest.raises(BudgetExceeded) as refused:
        model.invoke(PROMPT)
    assert "latency" in refused.value.missing
    assert caps(server) == []


def test_who_leaves_while_waiting_leaves_nothing_behind(server, ledger, asked):
    hold(ledger, WORST_CASE + STUMP)
    model = asked(patience_ms=FOR_EVER_MS)

    async def leave():
        async with asyncio.timeout(0.2):
            await model.ainvoke(PROMPT)

    with pytest.raises(TimeoutError):
        asyncio.run(leave())
    ledger.release(ACCOUNT, "other")
    assert caps(server) == []
    assert ledger.balance(ACCOUNT).reserved.tokens == 0
