"""An account, those below it, and two ledger objects on one file: a call counts once in each."""

from contextlib import ExitStack

import pytest

from tests.harness.llm_server import Answer, ServerError, TooManyRequests
from tests.long_cases import long_but
from tests.models.conftest import client
from thrifty import Budget, BudgetExceeded, MemoryLedger, Spend, SqliteLedger, metered
from thrifty.models.calls.current_account import booking_place
from thrifty.models.calls.step_account import is_same_ledger
from thrifty.models.costs.prices import PriceList
from thrifty.models.guard.agent_account import AgentAccount
from thrifty.models.guard.callback_guard import guard_calls

PLENTY = Budget(max_tokens=10_000)
WITHIN = ["", "team", "ann", "mail", "else", "team else", "team mail", "mail team", "ann else mail"]
"""Around a call, from the outside in: agents on these accounts. Each of team, ann and mail stands
below the one before it, and else beside them."""


def metered_call(server, ledger, account):
    return metered(client(server, max_tokens=50), ledger, account, attempts_max=1).invoke("Tea?")


def guarded_call(server, ledger, account):
    options = {"max_tokens": 50, "max_retries": 0, "default_headers": {"Connection": "close"}}
    with guard_calls(AgentAccount(ledger, account), PriceList({})):
        return client(server, **options).invoke("Tea?")


@pytest.fixture(params=["memory", "two objects"])
def ledgers(request, tmp_path):
    """A ledger with the accounts, and what another part of the program has of it."""
    if request.param == "memory":
        ledger = other = MemoryLedger()
    else:
        ledger, other = SqliteLedger(tmp_path / "books.db"), SqliteLedger(tmp_path / "books.db")
    ledger.open("team", PLENTY)
    ledger.open("ann", PLENTY, parent="team")
    ledger.open("mail", PLENTY, parent="ann")
    ledger.open("else", PLENTY)
    yield ledger, other
    if request.param != "memory":
        ledger.disconnect()
        other.disconnect()


def spent(ledger):
    return {name: ledger.balance(name).spent.tokens for name in ("team", "ann", "mail", "else")}


@pytest.mark.parametrize("call", [metered_call, guarded_call])
@pytest.mark.parametrize("asked", ["team", "ann", "mail"])
@pytest.mark.parametrize("within", long_but(WITHIN, *list(WITHIN)[:4]))
def test_a_call_counts_once_in_every_account_that_holds_it(server, ledgers, within, asked, call):
    ledger, other = ledgers
    server.script(Answer(tokens=20))
    with ExitStack() as around:
        for name in within.split():
            around.enter_context(guard_calls(AgentAccount(ledger, name), PriceList({})))
        call(server, other, asked)
    tree, holds = ["team", "ann", "mail"], {asked, *within.split()}
    lowest = max(tree.index(name) for name in holds & set(tree))
    counted = {*tree[: lowest + 1], *(holds - set(tree))}
    tokens = server.bill.total_tokens
    assert spent(ledger) == {n: tokens * (n in counted) for n in (*tree, "else")}
    assert not any(ledger.balance(name).reserved.tokens for name in holds)
    assert not any(ledger.overruns(name) for name in holds)


@pytest.mark.parametrize("call", [metered_call, guarded_call])
@pytest.mark.parametrize(("fault", "is_charged"), [(ServerError, True), (TooManyRequests, False)])
def test_so_does_a_call_that_fails(server, ledgers, call, fault, is_charged):
    ledger, other = ledgers
    server.script(fault(times=None))
    agent = AgentAccount(ledger, "mail")
    with guard_calls(agent, PriceList({})), pytest.raises(Exception, match=r"429|500"):
        call(server, other, "team")
    made = [entry for entry in ledger.entries("team", below=True) if entry.charged != Spend()]
    assert len(made) == is_charged
    assert len(set(spent(ledger).values()) - {0}) == is_charged
    assert not ledger.balance("team").reserved.tokens


@pytest.mark.parametrize("call", [metered_call, guarded_call])
def test_a_call_on_another_branch_is_that_ones_alone_and_counts_once_above_both(
    server, ledgers, call
):
    ledger, other = ledgers
    ledger.open("bob", PLENTY, parent="team")
    server.script(Answer(tokens=20))
    with guard_calls(AgentAccount(ledger, "mail"), PriceList({})):
        call(server, other, "bob")
    tokens = server.bill.total_tokens
    assert spent(ledger) == {"team": tokens, "ann": 0, "mail": 0, "else": 0}
    assert ledger.balance("bob").spent.tokens == tokens


def test_the_limits_of_both_hold_it(server, ledgers):
    ledger, other = ledgers
    with guard_calls(AgentAccount(ledger, "mail"), PriceList({})):
        ledger.set_limits("mail", Budget(max_tokens=30))
        with pytest.raises(BudgetExceeded):
            metered_call(server, other, "team")
        ledger.set_limits("mail", PLENTY)
        ledger.set_limits("team", Budget(max_tokens=30))
        with pytest.raises(BudgetExceeded):
            metered_call(server, other, "team")
    assert not server.requests


def test_a_grandchild_that_was_granted_is_one_with_its_account(server, ledgers):
    ledger, other = ledgers
    ledger.grant("team", "share", Budget(max_tokens=5_000))
    ledger.grant("share", "part", Budget(max_tokens=2_000))
    server.script(Answer(tokens=20, times=None))
    for within, asked in (("team", "part"), ("part", "team")):
        with guard_calls(AgentAccount(ledger, within), PriceList({})):
            metered_call(server, other, asked)
    for name in ("team", "share", "part"):
        assert ledger.balance(name).spent.tokens == server.bill.total_tokens


def test_other_books_are_other_accounts(tmp_path, ledgers):
    ledger, other = ledgers
    assert is_same_ledger(ledger, other)
    assert not is_same_ledger(ledger, MemoryLedger())
    assert not is_same_ledger(MemoryLedger(), MemoryLedger())
    elsewhere = SqliteLedger(tmp_path / "other.db")
    assert not is_same_ledger(ledger, elsewhere)
    (tmp_path / "link.db").symlink_to(tmp_path / "other.db")
    assert is_same_ledger(elsewhere, SqliteLedger(tmp_path / "link.db"))
    assert booking_place(ledger, "team") == (ledger, "team")
