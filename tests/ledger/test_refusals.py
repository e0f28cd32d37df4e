"""The contract of every ledger: a refusal tells what was touched, what stands there, and why."""

import pytest

from tests.ledger.shorthand import CALL, USED, called
from thrifty.budget import (
    Budget,
    BudgetExceeded,
    InvalidInput,
    KeyReused,
    LeaseLost,
    ReservationClosed,
    Spend,
)
from thrifty.ledger.records import Lease

SHARE = Budget(max_tokens=2_000, max_cost_usd=0.1, max_tool_calls=5)


def refused(kind, act):
    with pytest.raises(kind) as raised:
        act()
    return raised.value


def closed(act) -> tuple[str, str]:
    refusal = refused(ReservationClosed, act)
    return refusal.key, refusal.status


def reused(act) -> tuple[str, str]:
    refusal = refused(KeyReused, act)
    return refusal.key, refusal.why


def test_what_does_not_fit_is_named_by_its_label(ledger):
    called(ledger)
    act = lambda: ledger.reserve("run", "k", "Polish", Spend(10_001))  # noqa: E731
    assert str(refused(BudgetExceeded, act)).startswith("Polish does not fit: 1 token short")
    wide = Budget(max_tokens=10_001, max_cost_usd=0, max_tool_calls=0)
    for label, told in (("", "sub"), ("Research", "Research")):
        refusal = refused(
            BudgetExceeded, lambda label=label: ledger.grant("run", "sub", wide, label)
        )
        assert str(refusal).startswith(f"{told} does not fit: 1 token short")


def test_a_share_that_cannot_grow_is_named_by_its_label(ledger):
    called(ledger)
    ledger.grant("run", "sub", SHARE, "Research")
    wide = Budget(max_tokens=10_002, max_cost_usd=0.1, max_tool_calls=5)
    refusal = refused(BudgetExceeded, lambda: ledger.set_limits("sub", wide))
    assert refusal.missing == {"tokens": 2}
    assert str(refusal).startswith("Research does not fit")


def test_a_closed_reservation_is_named_with_what_it_has_become(ledger):
    called(ledger, "settled", "released", "doubtful", "pending")
    ledger.settle("run", "settled", USED)
    ledger.release("run", "released")
    ledger.charge_in_full("run", "doubtful")
    assert closed(lambda: ledger.release("run", "settled")) == ("settled", "settled")
    assert closed(lambda: ledger.charge_in_full("run", "settled")) == ("settled", "settled")
    assert closed(lambda: ledger.settle("run", "released", USED)) == ("released", "released")
    assert closed(lambda: ledger.release("run", "doubtful")) == ("doubtful", "in_doubt")
    assert closed(lambda: ledger.mark_sent("run", "pending")) == ("pending", "pending")
    assert closed(lambda: ledger.reconcile("run", "pending", USED)) == ("pending", "pending")
    assert closed(lambda: ledger.settle("run", "none", USED)) == ("none", "unknown")


def test_a_grant_that_is_no_grant_is_named_with_what_it_is(ledger):
    called(ledger, "call")
    ledger.grant("run", "sub", SHARE)
    ledger.reclaim("run", "sub")
    assert closed(lambda: ledger.reclaim("run", "call")) == ("call", "pending")
    assert closed(lambda: ledger.reclaim("run", "none")) == ("none", "unknown")
    assert closed(lambda: ledger.settle("run", "sub", USED)) == ("sub", "returned")


def test_a_key_that_is_taken_is_named_with_what_it_stands_for(ledger):
    called(ledger)
    ledger.open("other", Budget())
    ledger.grant("run", "sub", SHARE)
    ledger.reserve("run", "k", "Outline", CALL, fingerprint="aa")
    reserve = lambda key, **more: ledger.reserve("run", key, "Outline", CALL, **more)  # noqa: E731
    assert reused(lambda: reserve("sub")) == ("sub", "names the account of a sub-agent")
    assert reused(lambda: reserve("k", fingerprint="bb")) == ("k", "stands for another request")
    assert reused(lambda: ledger.grant("run", "k", SHARE)) == ("k", "stands for a call")
    stranger = "is the account of somebody else"
    assert reused(lambda: ledger.grant("run", "other", SHARE)) == ("other", stranger)
    assert reused(lambda: ledger.grant("other", "sub", SHARE)) == ("sub", stranger)


def test_the_call_of_another_run_is_named_with_its_run(ledger):
    called(ledger)
    mine, theirs = ledger.take("run", "a", run="one"), ledger.take("run", "a", run="two")
    ledger.reserve(mine, "k", "Outline", CALL)
    acts = [
        lambda: ledger.reserve(theirs, "k", "Outline", CALL),
        lambda: ledger.mark_sent(theirs, "k"),
        lambda: ledger.settle(theirs, "k", USED),
        lambda: ledger.release(theirs, "k"),
        lambda: ledger.charge_in_full(theirs, "k"),
        lambda: ledger.settle("run", "k", USED),
    ]
    for act in acts:
        assert reused(act) == ("k", "belongs to run 'one'")


def test_a_lost_lease_is_told_with_the_one_in_force(ledger, clock):
    called(ledger)
    mine = ledger.take("run", "a", run="one")
    clock.ms += 5
    stale = Lease("run", "one", "z", 9, 0)
    acts = [
        lambda: ledger.take("run", "b", run="one"),
        lambda: ledger.take("run", "b", run="one", over_fence=9),
        lambda: ledger.reserve(stale, "k", "Outline", CALL),
        lambda: ledger.give_back(stale),
    ]
    for act in acts:
        lost = refused(LeaseLost, act)
        assert (lost.run, lost.holder, lost.since_ms, lost.fence) == ("one", "a", clock.ms - 5, 1)
    ledger.give_back(mine)
    lost = refused(LeaseLost, lambda: ledger.reserve(mine, "k", "Outline", CALL))
    assert (lost.run, lost.holder, lost.since_ms, lost.fence) == ("one", "", clock.ms, 1)


def test_a_lease_that_never_was_is_told_as_one_that_nobody_holds(ledger):
    called(ledger)
    lost = refused(LeaseLost, lambda: ledger.give_back(Lease("run", "one", "z", 9, 7)))
    assert (lost.run, lost.holder, lost.since_ms, lost.fence) == ("one", "", 0, 0)


def test_an_account_that_was_never_opened_is_named(ledger):
    acts = [
        lambda: ledger.reserve("nobody", "k", "Outline", CALL),
        lambda: ledger.reconcile("nobody", "k", USED),
        lambda: ledger.set_limits("nobody", Budget()),
        lambda: ledger.move("nobody", None),
        lambda: ledger.close("nobody"),
        lambda: ledger.sweep("nobody"),
        lambda: ledger.open("new", Budget(), parent="nobody"),
        lambda: ledger.take("nobody", "a"),
        lambda: ledger.grant("nobody", "sub", SHARE),
        lambda: ledger.reclaim("nobody", "sub"),
        lambda: ledger.balance("nobody"),
        lambda: ledger.entry("nobody", "k"),
        lambda: ledger.entries("nobody"),
        lambda: ledger.overruns("nobody"),
    ]
    for act in acts:
        assert refused(KeyError, act).args == ("nobody",)
    assert ledger.owner_of("nobody") == ""


def test_a_name_that_cannot_be_kept_is_told_by_its_field(ledger):
    called(ledger, "k")
    acts = {
        "account": lambda name: ledger.open(name, Budget()),
        "key": lambda name: ledger.reserve("run", name, "Outline", CALL),
        "label": lambda name: ledger.reserve("run", "l", name, CALL),
        "child": lambda name: ledger.grant("run", name, SHARE),
        "owner": lambda name: ledger.take("run", name),
        "run": lambda name: ledger.take("run", "a", run=name),
    }
    for field, act in acts.items():
        longest = 250 if field in ("account", "child", "run") else 400
        for name in ("", "x" * (longest + 1), *([] if field == "run" else [None])):
            refusal = refused(InvalidInput, lambda act=act, name=name: act(name))
            told = (refusal.field, refusal.value, refusal.remedy)
            assert told == (field, name, f"use 1 to {longest} characters")
        refusal = refused(InvalidInput, lambda act=act: act("a\0"))
        remedy = "leave out control characters and half characters"
        assert (refusal.field, refusal.value, refusal.remedy) == (field, "a\0", remedy)
    for field, act in {
        "fingerprint": lambda: ledger.reserve("run", "l", "l", CALL, fingerprint="x" * 401),
        "label": lambda: ledger.grant("run", "sub", SHARE, "x" * 401),
        "latency_ms": lambda: ledger.charge_in_full("run", "k", -1),
        "account": lambda: ledger.reserve(Lease("\0", "run", "a", 1, 0), "l", "l", CALL),
    }.items():
        assert refused(InvalidInput, act).field == field
    assert [entry.status for entry in ledger.entries("run")] == ["pending"]


@pytest.mark.parametrize("name", ["", "x" * 251, "a\0", "\ud800", None], ids=ascii)
def test_a_name_that_no_account_can_have_is_told_by_every_act(ledger, name):
    called(ledger)
    acts = [
        lambda: ledger.set_limits(name, Budget()),
        lambda: ledger.close(name),
        lambda: ledger.move(name, None),
        lambda: ledger.reconcile(name, "k", USED),
        lambda: ledger.take(name, "a", run="one"),
    ]
    for act in acts if name is None else [*acts, lambda: ledger.sweep(name)]:
        refusal = refused(InvalidInput, act)
        assert (refusal.field, refusal.value) == ("account", name)
    if name is not None:
        parent = [
            lambda: ledger.open("new", Budget(), parent=name),
            lambda: ledger.move("run", name),
        ]
        for act in parent:
            refusal = refused(InvalidInput, act)
            assert (refusal.field, refusal.value) == ("parent", name)


def test_the_longest_names_are_taken(ledger):
    name, text = "n" * 250, "t" * 400
    ledger.open(name, Budget())
    entry = ledger.reserve(name, text, text, CALL, fingerprint=text)
    assert ledger.release(name, text)._replace(status="pending") == entry
    assert ledger.grant(name, "c" * 250, Budget(), text).spent == Spend()
    assert ledger.take(name, text, run="r" * 250).run == "r" * 250
