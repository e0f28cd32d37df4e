"""Many threads, and forked processes, on one ledger."""

import os
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from tests.harness.fork import fork_to
from tests.harness.ledger_address import open_ledger
from tests.ledger.shorthand import CALL, USED, called, used
from thrifty.budget import (
    AccountClosed,
    Budget,
    BudgetExceeded,
    LeaseLost,
    LedgerUnavailable,
    ReservationClosed,
    Spend,
    total_spend,
)
from thrifty.ledger import calls, grants, run_leases
from thrifty.ledger.base_ledger import wall_clock_ms
from thrifty.ledger.memory import MemoryLedger, MemoryStorage
from thrifty.ledger.owner import process_name
from thrifty.ledger.records import Entry

THREADS = 8


def at_once(act, count=THREADS):
    """What each thread got, or the error that it got instead."""
    barrier = threading.Barrier(count)

    def one(number):
        barrier.wait()
        try:
            return act(number)
        except Exception as error:  # noqa: BLE001 - told to the test
            return error

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def test_the_last_of_the_budget_goes_to_one(ledger):
    """Of all that reserve at once what is there once, exactly one gets it."""
    ledger.open("run", Budget(max_tokens=100))
    results = at_once(lambda number: ledger.reserve("run", f"k{number}", "k", Spend(60)))
    assert sum(isinstance(result, BudgetExceeded) for result in results) == THREADS - 1
    assert ledger.balance("run").reserved == Spend(60)


def test_one_key_is_one_reservation_for_all(ledger):
    """All find the same entry; nothing is counted twice."""
    ledger.open("run", Budget(max_tokens=10_000))
    results = at_once(lambda _: ledger.reserve("run", "k", "k", CALL))
    assert len(set(results)) == 1
    assert ledger.balance("run").reserved == CALL
    assert len(ledger.entries("run")) == 1


def test_one_of_all_may_send(ledger):
    """The claim to send under a key is given once."""
    ledger.open("run", Budget())
    ledger.reserve("run", "k", "k", CALL, unsent=True)
    results = at_once(lambda _: ledger.mark_sent("run", "k"))
    assert sum(isinstance(result, ReservationClosed) for result in results) == THREADS - 1


def test_one_account_is_opened_by_all(ledger):
    """Whoever comes first opens it; the others find it."""
    results = at_once(lambda _: ledger.open("run", Budget(max_tokens=5)))
    assert len(set(results)) == 1


def test_an_act_that_is_interrupted_is_undone(ledger):
    """A Ctrl-C may come between the rows of an act: all of them, or none."""
    called(ledger, "k")
    before = ledger.balance("run"), ledger.entries("run")

    def interrupted(tables):
        calls.settle(tables, calls.Caller.of("run"), "k", USED, "an answer")
        wanted = Entry("l", "l", "pending", CALL, run="run", account="run")
        calls.reserve(tables, calls.Caller.of("run"), wanted)
        grants.grant(tables, calls.Caller.of("run"), "sub", (1, 0, None, 0), "sub")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ledger._storage.write(interrupted)
    assert (ledger.balance("run"), ledger.entries("run")) == before
    with pytest.raises(KeyError):
        ledger.balance("sub")


def test_a_take_over_that_is_interrupted_is_undone(ledger):
    """The run stays whose it is."""
    called(ledger)
    lease = ledger.take("run", "a", over_fence=ledger.take("run", "gone").fence)

    def interrupted(tables):
        run_leases.take(tables, "run", "run", "b", lease.fence)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ledger._storage.write(interrupted)
    assert ledger.take("run", "a") == lease


class Interrupted(dict):
    """Rows into which a Ctrl-C comes."""

    def __setitem__(self, key, row):
        raise KeyboardInterrupt


def test_an_interrupt_between_a_row_and_its_note_is_survived():
    """What was never written is not there to be taken out."""
    store = MemoryStorage(wall_clock_ms)
    with pytest.raises(KeyboardInterrupt):
        store.write(lambda tables: tables._put(Interrupted(), "k", "row"))
    assert store.read(lambda tables: tables.is_empty)


def test_one_settlement_is_charged(ledger):
    """Whatever the others say: it is settled once."""
    called(ledger, "k")
    results = at_once(lambda number: ledger.settle("run", "k", Spend(number)))
    assert set(results) == set(ledger.entries("run"))
    assert ledger.balance("run").spent == ledger.entries("run")[0].charged


def test_one_of_all_takes_a_run_over(ledger):
    """The others are told who has it."""
    called(ledger)
    lease = ledger.take("run", "gone")
    results = at_once(lambda n: ledger.take("run", f"owner {n}", over_fence=lease.fence))
    assert len([result for result in results if not isinstance(result, Exception)]) == 1


def test_a_tree_of_accounts_under_fire(ledger):
    """Settlements go up and reclaims go down at once, and every bill agrees in the end."""
    ledger.open("run", Budget(max_tokens=100_000))
    for child in ("run/0", "run/1"):
        ledger.grant("run", child, Budget(max_tokens=20_000))
        ledger.grant(child, f"{child}/deep", Budget(max_tokens=5_000))
    accounts = ["run", "run/0", "run/1", "run/0/deep", "run/1/deep"]

    def spend(number):
        rng = random.Random(number)
        for turn in range(15):
            account, key = rng.choice(accounts), f"{number}/{turn}"
            try:
                ledger.reserve(account, key, key, Spend(100))
                ledger.settle(account, key, Spend(rng.randrange(120)))
            except (AccountClosed, BudgetExceeded, ReservationClosed):
                continue
            if turn == 10 and number == 0:
                ledger.reclaim("run", "run/0")
            balance = ledger.balance("run")
            assert (balance.spent + balance.reserved).tokens <= 100_000
        return None

    assert at_once(spend) == [None] * THREADS
    for account in accounts:
        assert total_spend(e.charged for e in ledger.entries(account, below=True)) == (
            ledger.balance(account).spent
        )
        for grant in (entry for entry in ledger.entries(account) if entry.is_grant):
            unused = ledger.balance(grant.key).periods[0].left.max_tokens
            assert grant.status == "returned" or grant.reserved.tokens == unused


def test_a_tree_that_moves_under_fire(ledger):
    """Accounts go from team to team, teams get limits and lose them, and calls are swept, while
    all spend. Nobody waits for ever, each call is booked where it stood, and no limit is passed."""
    limits = {"run": Budget(max_tokens=2_500), "day": Budget(max_tokens=2_400)}
    ledger.open("org", {**limits, "minute": Budget(max_tokens=2_300)})
    for team in ("team 0", "team 1"):
        ledger.open(team, Budget(), parent="org")
    for number in range(4):
        ledger.open(f"user {number}", Budget(), parent=f"team {number % 2}")

    def change(rng):
        team = f"team {rng.randrange(2)}"
        ledger.move(f"user {rng.randrange(4)}", team)
        ledger.set_limits(team, rng.choice([Budget(), "900 tokens a day", "800 tokens a minute"]))
        ledger.sweep(rng.choice([None, "org", team]))

    def act(number):
        rng = random.Random(number)
        for turn in range(25):
            if number < 2:
                change(rng)
                continue
            account, key = f"user {rng.randrange(4)}", f"{number}/{turn}"
            with suppress(BudgetExceeded):
                ledger.reserve(account, key, "k", Spend(60))
                if rng.random() < 0.8:
                    ledger.settle(account, key, Spend(rng.randrange(60)))
            assert sum(used(ledger, "org")["org", "run"]) <= 2_300
        return None

    assert at_once(act) == [None] * THREADS
    entries = ledger.entries("org", below=True)
    for account in ("org", "team 0", "team 1", *(f"user {number}" for number in range(4))):
        booked = ledger.entries(account, below=True)
        assert set(booked) <= set(entries)
        totals = (
            total_spend(e.charged for e in booked),
            total_spend(e.reserved for e in booked if e.is_open),
        )
        assert totals == (ledger.balance(account).spent, ledger.balance(account).reserved)
    assert set(used(ledger, "org").values()) == {used(ledger, "org")["org", "run"]}
    by_team = [ledger.entries(team, below=True) for team in ("team 0", "team 1")]
    assert sorted(e.key for booked in by_team for e in booked) == sorted(e.key for e in entries)


def test_what_many_sweep_at_once_is_closed_once(ledger):
    """Each is told of what it closed itself."""
    called(ledger, *(f"k{number}" for number in range(10)))
    swept = at_once(lambda _: ledger.sweep(owner=process_name()))
    assert sorted(e.key for found in swept for e in found) == [f"k{n}" for n in range(10)]
    assert ledger.balance("run").spent == Spend(10 * 500, 10 * 900, 0, 10)


def test_the_last_of_a_day_goes_to_one(ledger):
    """Also where the day has no counter yet, in any of the accounts above."""
    ledger.open("org", "100 tokens a day")
    for number in range(THREADS):
        ledger.open(f"run {number}", "100 tokens a minute", parent="org")
    results = at_once(lambda number: ledger.reserve(f"run {number}", "k", "k", Spend(60)))
    assert sum(isinstance(result, BudgetExceeded) for result in results) == THREADS - 1
    assert used(ledger, "org")["org", "day"] == (0, 60)


def test_forked_processes_share_a_ledger(address):
    """A ledger that is in use can be forked: parent and children go on, none with a lock or a
    connection of another."""
    ledger = open_ledger(address)
    ledger.open("run", Budget(max_tokens=10_000))
    busy = threading.Event()

    def keep_busy():
        for turn in range(40):
            ledger.reserve("run", f"parent/{turn}", "k", Spend(10))
            busy.set()

    thread = threading.Thread(target=keep_busy)
    thread.start()
    busy.wait()
    children = [fork_to(lambda: _spend(ledger)) for _ in range(4)]
    thread.join()
    ledger.disconnect()  # the last to leave the file must not take the log away under the others
    assert all(os.waitpid(child, 0)[1] == 0 for child in children)
    assert ledger.balance("run").reserved == Spend(40 * 10)
    assert ledger.balance("run").spent == Spend(4 * 20 * 7)
    assert len(ledger.entries("run")) == 40 + 4 * 20
    ledger.disconnect()


def _spend(ledger):
    for turn in range(20):
        key = f"{os.getpid()}/{turn}"
        ledger.reserve("run", key, "k", Spend(10))
        time.sleep(0.001)
        ledger.settle("run", key, Spend(7))


def test_what_another_process_changes_is_seen_at_the_next_act(address):
    """Limits, places, calls and closing: no ledger goes by what it has read before."""
    ours, theirs = open_ledger(address), open_ledger(address)
    ours.open("org", "1k tokens a day")
    ours.open("user", Budget(), parent="org")
    ours.reserve("user", "ours", "k", Spend(300))
    theirs.reserve("user", "theirs", "k", Spend(300))
    with pytest.raises(BudgetExceeded) as refusal:
        ours.reserve("user", "more", "k", Spend(401))
    assert refusal.value.missing == {"tokens": 1}
    theirs.set_limits("org", "2k tokens a day")
    ours.reserve("user", "more", "k", Spend(401))
    theirs.settle("user", "ours", Spend(1))
    assert ours.settle("user", "ours", Spend(2)).charged == Spend(1)
    theirs.open("other", Budget(max_tokens=10))
    theirs.move("user", "other")
    with pytest.raises(BudgetExceeded) as refusal:
        ours.reserve("user", "last", "k", Spend(11))
    assert refusal.value.account == "other"
    ours.settle("user", "theirs", Spend(3))
    assert theirs.balance("org").spent == Spend(4)
    theirs.close("other")
    with pytest.raises(AccountClosed):
        ours.reserve("user", "last", "k", Spend(1))
    lease = theirs.take("user", "them")
    with pytest.raises(LeaseLost):
        ours.reserve("user", "last", "k", Spend(1))
    assert ours.settle(lease, "more", Spend(5)).charged == Spend(5)
    assert ours.balance("org") == theirs.balance("org")
    ours.disconnect()
    theirs.disconnect()


def test_a_new_ledger_is_opened_by_many_at_once(address):
    """One makes the tables, the others find them; none is turned away."""

    def act(number):
        ledger = open_ledger(address)
        ledger.open("run", Budget(max_tokens=100))
        entry = ledger.reserve("run", f"k{number}", "k", Spend(1))
        ledger.disconnect()
        return entry

    assert [entry.status for entry in at_once(act)] == ["pending"] * THREADS


def test_an_empty_ledger_in_memory_can_befork_to():
    """A server builds its agent, forks, and only then gets work: each process has its own runs."""
    ledger = MemoryLedger()
    assert os.waitpid(fork_to(lambda: called(ledger, "k")), 0)[1] == 0
    called(ledger, "k")


def test_a_ledger_in_memory_is_notfork_to():
    """Each process would spend the whole budget."""
    ledger = MemoryLedger()
    called(ledger, "k")

    def act():
        told = (
            "^this ledger lives in the memory of another process; "
            "share a SqliteLedger or a PostgresLedger instead$"
        )
        with pytest.raises(LedgerUnavailable, match=told):
            ledger.settle("run", "k", USED)

    assert os.waitpid(fork_to(act), 0)[1] == 0
