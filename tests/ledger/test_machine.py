"""Random acts on every ledger, compared with a tiny model after each one.

After each step: counters are the sums of the entries, a parent's spending is its own and its
sub-agents', and spent + reserved ≤ limit unless an overrun or a lowered limit says otherwise.
"""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from tests.conftest import fresh_schema
from tests.harness.ledger_model import Account, Amounts, Call, Limits, Model
from thrifty.budget import (
    Budget,
    BudgetExceeded,
    InvalidInput,
    KeyReused,
    LeaseLost,
    ReservationClosed,
    Spend,
)
from thrifty.ledger.memory import MemoryLedger
from thrifty.ledger.postgres import PostgresLedger
from thrifty.ledger.protocol import Lease, Ledger
from thrifty.ledger.sqlite import SqliteLedger

small = st.integers(0, 60)
amounts = st.tuples(small, small, st.integers(0, 3))
limit = st.none() | st.integers(0, 100) | st.integers(100, 1_000)
limits = st.tuples(limit, limit, st.none() | st.integers(0, 20))
shares = st.tuples(st.integers(0, 300), st.integers(0, 300), st.integers(0, 12))
some = st.integers(0, 99)
"""Picks one of what there is, by its number."""
keys = st.sampled_from(["k1", "k2", "k3", "k4", "k5", "k6"])
owners = st.sampled_from(["ann", "bob"])
CHILDREN = ["a/1", "a/2", "a/1/1"]
OPEN = ("unsent", "pending")


def spend(of: Amounts) -> Spend:
    tokens, cost, calls = of
    return Spend(tokens, cost, 0, calls)


def budget(of: Limits) -> Budget:
    tokens, cost, calls = of
    return Budget.of_limits((tokens, cost, None, calls))


def counted(of: Spend) -> Amounts:
    return of.tokens, of.cost_nano_usd, of.tool_calls


class Machine(RuleBasedStateMachine):
    """Each rule does one thing to the ledger and to the model, and compares what they say."""

    def __init__(self, ledger: Ledger, done: Callable[[], None]) -> None:
        super().__init__()
        self.ledger, self.done = ledger, done
        self.model = Model()
        self.leases: dict[str, Lease] = {}

    def teardown(self) -> None:
        self.done()

    def shown(self, name: str) -> str | Lease:
        """What the present owner shows."""
        return self.leases.get(name, name)

    def account(self, number: int) -> str:
        """One of the accounts there are."""
        names = list(self.model.accounts)
        return names[number % len(names)]

    @initialize(of=limits)
    def open_two(self, of):
        for name in ("a", "b"):
            assert self.ledger.open(name, budget(of)).budget == budget(of)
            self.model.accounts[name] = Account(of)

    @rule(name=st.sampled_from(["a", "b"]), of=limits)
    def open(self, name, of):
        if self.loosens_children(name, of):
            with pytest.raises(InvalidInput):
                self.ledger.open(self.shown(name), budget(of))
            return
        assert self.ledger.open(self.shown(name), budget(of)).budget == budget(of)
        self.model.accounts[name].limits = of

    @rule(child=st.sampled_from(CHILDREN), of=limits)
    def open_granted(self, child, of):
        account = self.model.accounts.get(child)
        if account is None or account.is_returned:
            return
        tokens, cost, calls = (
            b if a is None else a if b is None else min(a, b)
            for a, b in zip(account.limits, of, strict=True)
        )
        lower: Limits = tokens, cost, calls
        if self.loosens_children(child, lower):
            with pytest.raises(InvalidInput):
                self.ledger.open(self.shown(child), budget(of))
            return
        assert self.ledger.open(self.shown(child), budget(of)).budget == budget(lower)
        account.limits = lower

    @rule(which=some, key=keys, worst=amounts, unsent=st.booleans())
    def reserve(self, which, key, worst, unsent):
        name = self.account(which)

        def act():
            return self.ledger.reserve(self.shown(name), key, key, spend(worst), unsent=unsent)

        account = self.model.accounts[name]
        call = account.calls.get(key)
        if call is not None and call.status != "released":
            entry = act()
            assert (entry.status, counted(entry.charged)) == (call.status, call.charged)
        elif self.model.fits(name, worst):
            account.calls.pop(key, None)
            account.calls[key] = Call(name, act().status, worst)
            assert account.calls[key].status == ("unsent" if unsent else "pending")
        else:
            with pytest.raises(BudgetExceeded):
                act()

    @rule(
        which=some,
        what=some,
        act=st.sampled_from(["settle", "charge_in_full", "release", "mark_sent", "reconcile"]),
        actual=amounts,
    )
    def close(self, which, what, act, actual):
        busy = [name for name, account in self.model.accounts.items() if account.calls]
        if not busy:
            return
        name = busy[which % len(busy)]
        account = self.model.accounts[name]
        key = [*account.calls, "unknown"][what % (len(account.calls) + 1)]
        arguments = [spend(actual)] if act in ("settle", "reconcile") else []
        shown = name if act == "reconcile" else self.shown(name)

        def do():
            return getattr(self.ledger, act)(shown, key, *arguments)

        call = account.calls.get(key, Call("", "unknown", (0, 0, 0)))
        froms, to = {
            "settle": (OPEN, "settled"),
            "charge_in_full": (OPEN, "in_doubt"),
            "release": (OPEN, "released"),
            "mark_sent": (("unsent",), "pending"),
            "reconcile": (("in_doubt",), "settled"),
        }[act]
        is_again = call.status == to and act != "mark_sent"
        if act == "reconcile":
            is_again = is_again and call.charged == actual
        if call.status in froms:
            assert do().status == to
            call.status = to
            charged = {"in_doubt": call.reserved, "settled": actual}
            call.charged = charged.get(to, (0, 0, 0))
            self.model.shut_returned()
        elif is_again:
            assert counted(do().charged) == call.charged
        else:
            with pytest.raises(ReservationClosed):
                do()

    @rule(which=some, of=limits | shares)
    def extend(self, which, of):
        name = self.account(which)
        account = self.model.accounts[name]
        if of == account.limits:
            return

        def act():
            return self.ledger.set_limits(name, budget(of))

        refusal = self.why_not_extended(name, of)
        if refusal is not None:
            with pytest.raises(refusal):
                act()
            return
        assert act().budget == budget(of)
        account.limits = of

    def why_not_extended(self, name, of):
        account = self.model.accounts[name]
        if self.loosens_children(name, of):
            return InvalidInput
        if not account.parent:
            return None
        if account.is_returned:
            return ReservationClosed
        if self.is_looser(of, self.model.accounts[account.parent].limits):
            return InvalidInput
        before, was = self.model.share(name), account.limits
        account.limits = of
        after = self.model.share(name)
        account.limits = was
        tokens, cost, calls = (max(0, b - a) for a, b in zip(before, after, strict=True))
        growth: Amounts = tokens, cost, calls
        return None if self.model.can_grant(account.parent, growth) else BudgetExceeded

    def is_looser(self, child, parent):
        return any(c is None and p is not None for c, p in zip(child, parent, strict=True))

    def loosens_children(self, name, of):
        model = self.model
        now_limited = any(
            a is None and b is not None
            for a, b in zip(model.accounts[name].limits, of, strict=True)
        )
        open_ones = [model.accounts[child] for child in model.children(name)]
        return now_limited and any(
            self.is_looser(child.limits, of) for child in open_ones if not child.is_returned
        )

    @rule(child=st.sampled_from(CHILDREN), of=shares | limits)
    def grant(self, child, of):
        parent = child.rpartition("/")[0]
        if (above := self.model.accounts.get(parent)) is None:
            return

        def act():
            return self.ledger.grant(self.shown(parent), child, budget(of))

        if child in self.model.accounts:
            assert act() == self.ledger.balance(child)
        elif self.is_looser(of, above.limits):
            with pytest.raises(InvalidInput):
                act()
        elif self.model.can_grant(parent, (of[0] or 0, of[1] or 0, of[2] or 0)):
            assert act().budget == budget(of)
            self.model.accounts[child] = Account(of, parent)
        else:
            with pytest.raises(BudgetExceeded):
                act()

    @rule(child=st.sampled_from(CHILDREN))
    def reclaim(self, child):
        parent = child.rpartition("/")[0]
        if child not in self.model.accounts:
            return
        if not self.model.accounts[child].is_returned:
            self.model.reclaim(child)
        entry = self.ledger.reclaim(self.shown(parent), child)
        assert (entry.status, counted(entry.charged)) == ("returned", self.model.spent(child))

    @rule(which=some, owner=owners, by_force=st.booleans())
    def take(self, which, owner, by_force):
        name = self.account(which)
        account = self.model.accounts[name]
        held = self.leases.get(name)
        if held is not None and held.owner != owner and not by_force:
            with pytest.raises(LeaseLost):
                self.ledger.take(name, owner)
            return
        lease = self.ledger.take(name, owner, over_fence=held.fence if held else None)
        if held is not None and held.owner == owner:
            assert lease == held
            return
        account.fences[name] = account.fences.get(name, 0) + 1
        assert lease.fence == account.fences[name]
        self.model.give_up(name, name)
        if held is not None:
            with pytest.raises(LeaseLost):
                self.ledger.reserve(held, "zombie", "zombie", Spend())
        self.leases[name] = lease

    @rule(which=some)
    def leave(self, which):
        name = self.account(which)
        if (lease := self.leases.pop(name, None)) is not None:
            self.ledger.give_back(lease)

    @rule(which=some)
    def grant_what_is_another_account(self, which):
        with pytest.raises(KeyReused):
            self.ledger.grant(self.shown("b"), self.account(which), Budget(0, 0, 0, 0))

    @invariant()
    def agrees_with_the_model(self):
        for name, account in self.model.accounts.items():
            balance = self.ledger.balance(name)
            assert counted(balance.spent) == self.model.spent(name)
            assert counted(balance.reserved) == self.model.held(name)
            assert balance.budget == budget(account.limits)
            calls = {entry.key: entry for entry in self.ledger.entries(name) if not entry.is_grant}
            assert {k: e.status for k, e in calls.items()} == {
                k: c.status for k, c in account.calls.items()
            }

    @invariant()
    def nothing_is_left_in_what_was_reclaimed(self):
        for name, account in self.model.accounts.items():
            left = self.ledger.balance(name).left
            assert not account.is_returned or left == Budget(0, 0, None, 0)

    @invariant()
    def children_and_own_are_the_parents(self):
        for name in self.model.accounts:
            entries = self.ledger.entries(name)
            assert sum(e.charged.tokens for e in entries) == self.ledger.balance(name).spent.tokens
            for entry in (e for e in entries if e.is_grant):
                assert entry.charged == self.ledger.balance(entry.key).spent


def run(make: Callable[[], tuple[Ledger, Callable[[], None]]], percent: int) -> None:
    """Runs the machine on new ledgers, as often as this part of the profile's examples."""

    class Made(Machine):
        def __init__(self) -> None:
            super().__init__(*make())

    run_state_machine_as_test(
        Made,
        settings=settings(
            max_examples=settings.default.max_examples * percent // 100,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )


def test_memory():
    run(lambda: (MemoryLedger(), lambda: None), percent=150)


def test_sqlite():
    def make() -> tuple[Ledger, Callable[[], None]]:
        folder = TemporaryDirectory()
        ledger = SqliteLedger(Path(folder.name) / "ledger.sqlite", synchronous="NORMAL")

        def done() -> None:
            ledger.disconnect()
            folder.cleanup()

        return ledger, done

    run(make, percent=40)


def test_postgres(postgres):
    def make() -> tuple[Ledger, Callable[[], None]]:
        ledger = PostgresLedger(fresh_schema(postgres))
        return ledger, ledger.disconnect

    run(make, percent=15)
