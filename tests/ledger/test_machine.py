"""Random acts on every ledger, compared with a tiny model after each one.

After each step each period of each account is what the model sums up over its list of calls, and
each refusal names the account, the period and the amounts that the model names. The clock goes on
and is put back, over midnights of several zones and the days on which their clocks change.
"""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from tests.conftest import fresh_schema
from tests.harness.ledger_model import (
    NOTHING,
    OPEN,
    Account,
    Amounts,
    Call,
    Grant,
    Limits,
    LimitsByPeriod,
    Model,
    Refusal,
    excess,
    give_up,
)
from tests.ledger.shorthand import ms_of
from tests.long_cases import long_but
from thrifty.budget import (
    AccountClosed,
    Budget,
    BudgetExceeded,
    InvalidInput,
    KeyReused,
    LeaseLost,
    ReservationClosed,
    Spend,
)
from thrifty.ledger.memory import MemoryLedger
from thrifty.ledger.owner import process_name
from thrifty.ledger.postgres import PostgresLedger
from thrifty.ledger.protocol import Ledger
from thrifty.ledger.records import Lease
from thrifty.ledger.sqlite import SqliteLedger

STARTS_MS = ms_of("2027-03-27 21:58:30")
"""Some hours before clocks are put forward in Berlin, which has midnight in an hour."""
MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
NAMES = ["a", "b", "c", "d", "e", "f"]
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Tokyo"]
PERIODS = ["minute", "hour", "day", "month"]

small = st.integers(0, 60)
amounts = st.tuples(small, small, st.integers(0, 3))
limit = st.none() | st.integers(0, 100) | st.integers(100, 1_000)
limits = st.tuples(limit, limit, st.none() | st.integers(0, 20))
windows = st.dictionaries(st.sampled_from(PERIODS), limits, max_size=2)
shares = st.tuples(st.integers(0, 300), st.integers(0, 300), st.integers(0, 12))
some = st.integers(0, 99)
"""Picks one of what there is, by its number."""
keys = st.sampled_from(["k1", "k2", "k3", "k4", "k5", "k6"])
names = st.sampled_from(NAMES)
owners = st.sampled_from(["ann", "bob"])
on_ms = st.sampled_from(
    [1, 4_000, 10_000, 59_999, 10 * MINUTE_MS, HOUR_MS, 7 * HOUR_MS, DAY_MS, 32 * DAY_MS]
)
back_ms = st.sampled_from([1, 10_000, 61_000, HOUR_MS, 5 * HOUR_MS, DAY_MS])


def spend(of: Amounts) -> Spend:
    tokens, cost, calls = of
    return Spend(tokens, cost, 0, calls)


def budget(of: Limits) -> Budget:
    tokens, cost, calls = of
    return Budget.of_limits((tokens, cost, None, calls))


def counted(of: Spend) -> Amounts:
    return of.tokens, of.cost_nano_usd, of.tool_calls


def by_period(run: Limits, others: LimitsByPeriod) -> LimitsByPeriod:
    """In the order of the periods. One that limits nothing is none."""
    limited = (p for p in PERIODS if any(limit is not None for limit in others.get(p, ())))
    return {"run": run, **{period: others[period] for period in limited}}


def tighter(limits: Limits, others: Limits) -> Limits:
    tokens, cost, calls = (
        b if a is None else a if b is None else min(a, b)
        for a, b in zip(limits, others, strict=True)
    )
    return tokens, cost, calls


class Machine(RuleBasedStateMachine):
    """Each rule does one thing to the ledger and to the model, and compares what they say."""

    def __init__(self, make: Callable[[Callable[[], int]], Ledger]) -> None:
        super().__init__()
        self.model = Model(STARTS_MS)
        self.ledger = make(lambda: self.model.now_ms)
        self.leases: dict[str, Lease] = {}
        self.not_before_ms = 0
        """When an account last got a period or a zone. What it counts in windows before that, it
        counts from then on: so the clock is put back no further."""

    def shown(self, name: str) -> str | Lease:
        """What the present owner shows."""
        return self.leases.get(name, name)

    def account(self, number: int) -> str:
        """One of the accounts there are."""
        names = list(self.model.accounts)
        return names[number % len(names)]

    def refuses(self, refusal: Refusal, act: Callable[[], object]) -> None:
        """Has an act refused, for the reason that the model gives."""
        if not refusal.period:
            with pytest.raises(AccountClosed) as closed:
                act()
            assert closed.value.account == refusal.account
            return
        with pytest.raises(BudgetExceeded) as exceeded:
            act()
        told = exceeded.value
        assert (told.account, told.period, told.missing) == refusal
        assert told.zone == self.model.accounts[told.account].zone

    @initialize(of=limits, others=windows, zone=st.sampled_from(ZONES))
    def open_two(self, of, others, zone):
        self.open("a", None, of, others, zone)
        self.open("b", "a", of, {}, None)

    @rule(
        name=names,
        parent=st.none() | names,
        of=limits,
        others=windows,
        zone=st.none() | st.sampled_from(ZONES),
    )
    def open(self, name, parent, of, others, zone):
        given = by_period(of, others)

        def act():
            said = {period: budget(each) for period, each in given.items()}
            return self.ledger.open(self.shown(name), said, parent=parent, zone=zone)

        account = self.model.accounts.get(name)
        if account is None and parent is not None and parent not in self.model.accounts:
            with pytest.raises(KeyError):
                act()
        elif account is None:
            if closed := self.closed_in(parent):
                self.refuses(Refusal(closed, "", {}), act)
                return
            act()
            zone = zone or (self.model.accounts[parent].zone if parent else "UTC")
            self.model.accounts[name] = Account(given, parent or "", zone)
        elif account.is_closed:
            self.refuses(Refusal(name, "", {}), act)
        elif parent is not None and parent != account.parent:
            with pytest.raises(InvalidInput):
                act()
        else:
            if account.grant:
                given["run"] = tighter(given["run"], account.limits["run"])
            self.change_limits(account, given, zone, act)

    @rule(which=some, of=limits | shares, others=windows, zone=st.none() | st.sampled_from(ZONES))
    def set_limits(self, which, of, others, zone):
        name = self.account(which)
        account, given = self.model.accounts[name], by_period(of, others)

        def act():
            said = {period: budget(each) for period, each in given.items()}
            return self.ledger.set_limits(name, said, zone=zone)

        if account.is_closed:
            self.refuses(Refusal(name, "", {}), act)
        else:
            self.change_limits(account, given, zone, act)

    def closed_in(self, name: str | None) -> str:
        """The lowest account from this one up that was closed. Empty where none was."""
        path = self.model.path(name) if name else ()
        return next((each for each in path if self.model.accounts[each].is_closed), "")

    def change_limits(
        self,
        account: Account,
        given: LimitsByPeriod,
        zone: str | None,
        act: Callable[[], object],
    ) -> None:
        """What is held for a sub-agent grows with its limits, if that fits where it is held."""
        if account.grant and not account.grant.is_returned:
            before, was = self.model.held(account.grant), account.limits
            account.limits = given
            growth = excess(self.model.held(account.grant), before)
            account.limits = was
            if refusal := self.model.refusal_to_hold(account.parent, growth):
                self.refuses(refusal, act)
                return
        act()
        if given.keys() - account.limits.keys() or zone not in (None, account.zone):
            self.not_before_ms = self.model.now_ms
        account.limits, account.zone = given, zone or account.zone

    @rule(which=some, parent=st.none() | names)
    def move(self, which, parent):
        model, name = self.model, self.account(which)
        family = model.family(name)
        grants = [each for each in model.grants if not each.is_returned]
        if parent is not None and parent not in model.accounts:
            with pytest.raises(KeyError):
                self.ledger.move(name, parent)
        elif parent in family or any(g.child == name or g.path[0] in family for g in grants):
            with pytest.raises(InvalidInput):
                self.ledger.move(name, parent)
        else:
            self.ledger.move(name, parent)
            model.accounts[name].parent = parent or ""
            model.accounts[name].grant = None

    @rule(which=some, key=keys, worst=amounts, unsent=st.booleans())
    def reserve(self, which, key, worst, unsent):
        name = self.account(which)

        def act():
            return self.ledger.reserve(self.shown(name), key, key, spend(worst), unsent=unsent)

        call = self.model.call(name, key)
        if call is not None and call.status != "released":
            entry = act()
            assert (entry.status, counted(entry.charged)) == (call.status, call.charged)
            assert entry.at_ms == call.at_ms
            return
        refusal = self.model.refusal(name, worst)
        if refusal is not None and refusal.period:
            give_up(self.model.too_old(refusal.account))
            refusal = self.model.refusal(name, worst)
        if refusal is not None:
            self.refuses(refusal, act)
            return
        if call is not None:
            self.model.calls.remove(call)
        path, status = self.model.path(name), "unsent" if unsent else "pending"
        assert act().status == status
        self.model.calls.append(Call(name, key, path, self.model.now_ms, status, worst))

    @rule(which=some, worst=amounts, actual=st.none() | amounts)
    def spend_at_once(self, which, worst, actual):
        """A call of its own, so that much is spent: settled at once, or left open."""
        key = f"call {len(self.model.calls)}"
        self.reserve(which, key, worst, False)
        name = self.account(which)
        call = self.model.call(name, key)
        if call is not None and call.status == "pending" and actual is not None:
            assert self.ledger.settle(self.shown(name), key, spend(actual)).status == "settled"
            call.status, call.charged = "settled", actual

    @rule(
        which=some,
        act=st.sampled_from(["settle", "charge_in_full", "release", "mark_sent", "reconcile"]),
        actual=amounts,
    )
    def close_call(self, which, act, actual):
        unknown = Call("a", "unknown", ("a",), 0, "unknown", NOTHING)
        calls = [*self.model.calls, unknown]
        call = calls[which % len(calls)]
        arguments = [spend(actual)] if act in ("settle", "reconcile") else []
        shown = call.account if act == "reconcile" else self.shown(call.account)

        def do():
            return getattr(self.ledger, act)(shown, call.key, *arguments)

        froms, to = {
            "settle": ((*OPEN, "in_doubt"), "settled"),
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
            call.charged = {"in_doubt": call.reserved, "settled": actual}.get(to, NOTHING)
        elif is_again:
            assert counted(do().charged) == call.charged
        else:
            with pytest.raises(ReservationClosed):
                do()

    @rule(which=some, child=names, of=shares | limits)
    def grant(self, which, child, of):
        parent = self.account(which)

        def act():
            return self.ledger.grant(self.shown(parent), child, budget(of))

        existing = self.model.accounts.get(child)
        if existing is not None:
            if existing.grant and existing.grant.path[0] == parent:
                assert act() == self.ledger.balance(child)
            else:
                with pytest.raises(KeyReused):
                    act()
            return
        path, closed = self.model.path(parent), self.closed_in(parent)
        wanted: Amounts = (of[0] or 0, of[1] or 0, of[2] or 0)
        refusal = self.model.refusal_to_hold(parent, wanted)
        if closed:
            self.refuses(Refusal(closed, "", {}), act)
        elif refusal is not None:
            self.refuses(refusal, act)
        else:
            act()
            grant = Grant(child, path)
            self.model.grants.append(grant)
            zone = self.model.accounts[parent].zone
            self.model.accounts[child] = Account({"run": of}, parent, zone, grant=grant)

    @rule(which=some)
    def reclaim(self, which):
        grants = self.model.grants
        if not grants:
            with pytest.raises(ReservationClosed):
                self.ledger.reclaim(self.shown("a"), "b")
            return
        grant = grants[which % len(grants)]
        entry = self.ledger.reclaim(self.shown(grant.path[0]), grant.child)
        assert (entry.status, entry.charged) == ("returned", Spend())
        if not grant.is_returned:
            self.model.reclaim(grant)

    @rule(which=some, really=st.integers(0, 3))
    def close(self, which, really):
        """Seldom, since what is closed stays so."""
        if really:
            return
        name = self.account(which)
        assert self.ledger.close(name).is_closed
        self.model.accounts[name].is_closed = True

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
        account.fence += 1
        assert lease.fence == account.fence
        give_up(self.model.open_calls(name))
        if held is not None:
            with pytest.raises(LeaseLost):
                self.ledger.reserve(held, "zombie", "zombie", Spend())
        self.leases[name] = lease

    @rule(which=some)
    def leave(self, which):
        name = self.account(which)
        if (lease := self.leases.pop(name, None)) is not None:
            self.ledger.give_back(lease)
            give_up(self.model.open_calls(name))

    @rule(which=st.none() | some, is_ending=st.booleans())
    def sweep(self, which, is_ending):
        """What is too old; or, of a process that ends, all that it has open."""
        top = None if which is None else self.account(which)
        swept = self.ledger.sweep(top, owner=process_name() if is_ending else None)
        model = self.model
        in_top = [c for c in model.open_calls(*model.accounts) if top is None or top in c.path]
        expected = in_top if is_ending else model.too_old(top)
        give_up(expected)
        assert {(e.account, e.key, e.status) for e in swept} == {
            (c.account, c.key, c.status) for c in expected
        }

    @rule(by_ms=on_ms)
    def wait(self, by_ms):
        self.model.now_ms += by_ms

    @rule(by_ms=back_ms)
    def put_the_clock_back(self, by_ms):
        self.model.now_ms = max(self.model.now_ms - by_ms, self.not_before_ms)

    @invariant()
    def every_period_is_the_sum_of_its_calls(self):
        model = self.model
        for name in model.accounts:
            balance = self.ledger.balance(name)
            expected = [
                (
                    each,
                    period,
                    budget(limits),
                    model.spent(each, period),
                    model.reserved(each, period),
                )
                for each in model.path(name)
                for period, limits in model.accounts[each].limits.items()
            ]
            assert expected == [
                (p.account, p.period, p.budget, counted(p.spent), counted(p.reserved))
                for p in balance.periods
            ]
            assert balance.left == budget(model.left(name))

    @invariant()
    def entries_are_the_calls(self):
        model = self.model
        for name in model.accounts:
            entries = self.ledger.entries(name, below=True)
            calls = {(e.account, e.key): e for e in entries if not e.is_grant}
            assert len(calls) + sum(e.is_grant for e in entries) == len(entries)
            assert {
                place: (e.status, counted(e.reserved), counted(e.charged), e.at_ms)
                for place, e in calls.items()
            } == {
                (c.account, c.key): (c.status, c.reserved, c.charged, c.at_ms)
                for c in model.calls
                if name in c.path
            }
            own = [entry for entry in entries if entry.account == name]
            assert self.ledger.entries(name) == tuple(own)

    @invariant()
    def grants_hold_what_is_unused(self):
        for grant in self.model.grants:
            entry = self.ledger.entry(grant.path[0], grant.child)
            assert entry.status == ("returned" if grant.is_returned else "granted")
            assert grant.is_returned or counted(entry.reserved) == self.model.held(grant)

    @invariant()
    def accounts_stand_where_they_were_put(self):
        assert {each.name: (each.parent, each.zone) for each in self.ledger.accounts()} == {
            name: (account.parent, account.zone) for name, account in self.model.accounts.items()
        }


def run(
    make: Callable[[Callable[[], int]], Ledger],
    percent: int,
    done: Callable[[Ledger], None] = lambda ledger: None,
) -> None:
    """Runs the machine on new ledgers, as often as this part of the profile's examples."""

    class Made(Machine):
        def __init__(self) -> None:
            super().__init__(make)

        def teardown(self) -> None:
            done(self.ledger)

    run_state_machine_as_test(
        Made,
        settings=settings(
            max_examples=settings.default.max_examples * percent // 100,
            stateful_step_count=40,
            phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )


@pytest.mark.parametrize("percent", long_but([30, 150], 30))
def test_memory(percent):
    run(MemoryLedger, percent)


@pytest.mark.parametrize("percent", long_but([10, 40], 10))
def test_sqlite(percent):
    folder = TemporaryDirectory()
    files = iter(range(10**9))

    def make(now_ms: Callable[[], int]) -> Ledger:
        path = Path(folder.name) / f"{next(files)}.sqlite"
        return SqliteLedger(path, synchronous="NORMAL", now_ms=now_ms)

    with folder:
        run(make, percent, done=SqliteLedger.disconnect)


@pytest.mark.parametrize("percent", long_but([5, 15], 5))
def test_postgres(postgres, percent):
    def make(now_ms: Callable[[], int]) -> Ledger:
        return PostgresLedger(fresh_schema(postgres), now_ms=now_ms)

    run(make, percent, done=PostgresLedger.disconnect)
