"""The invariants, held against the books and the provider's own bill after every event.

Nothing here asks the agent whether it is right. The books are read row by row and added up anew;
what was really sent and billed is what the provider wrote down; who may write is known from the
leases that were handed out. A first breach ends the simulation.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from tests.harness.simulation.asked import Asked, Place
from tests.harness.simulation.books import AccountRows
from tests.harness.simulation.provider import NANO_PER_TOKEN
from thrifty.ledger.idempotent_calls import fingerprint
from thrifty.ledger.records import AccountOrLease, Entry, Lease
from thrifty.ledger.storage import Counter
from thrifty.models.costs.input_bound import as_json
from thrifty.models.providers.caps import CAP_FIELDS
from thrifty.models.providers.openai import OpenAIModel

if TYPE_CHECKING:
    from tests.harness.simulation.world import World

STEPS: ContextVar[tuple[Place, ...]] = ContextVar("simulated_steps", default=())
"""The entries of the steps in whose code something happens, the outermost first."""
NOT_ASKED = (*OpenAIModel.delivery_fields, *CAP_FIELDS)
"""Fields of a request by which it does not ask anything else."""
LIMITED = (0, 1, 3)
"""Tokens, money and calls; time is not the ledger's to limit."""
NAMES = ("tokens", "nano-USD", "ms", "calls")
OPEN = ("unsent", "pending", "granted")
BECOMES = {
    "unsent": ("unsent", "pending", "settled", "in_doubt", "released"),
    "pending": ("pending", "settled", "in_doubt", "released"),
    "settled": ("settled",),
    "in_doubt": ("in_doubt", "settled"),
    "released": ("released", "unsent", "pending"),
    "granted": ("granted", "returned"),
    "returned": ("returned",),
}
"""What an entry can be after a write, by what it was before."""
MINUTE_MS = 60_000
FULL_EVERY = 16
"""All accounts are looked at after so many events; those that are written to, after each."""


class Breach(BaseException):
    """A promise that was not kept."""


class Audit:
    """Watches one simulation."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.asked: list[Asked] = []
        self.events = 0
        self._by_place: defaultdict[Place, list[Asked]] = defaultdict(list)
        self._by_digest: defaultdict[str, dict[Place, None]] = defaultdict(dict)
        self._entries: dict[Place, Entry] = {}
        """Every entry as it was when it was last looked at."""
        self._holders: dict[str, Lease] = {}
        self._excused: defaultdict[int, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
        """Of each counter, how far its limits were set below what was used."""
        self._limits: dict[int, Any] = {}
        self._unlimited: defaultdict[str, set[int]] = defaultdict(set)
        """Of each account, what had no limit at some time: it may have been given one since."""
        self._answers: defaultdict[tuple[str, str], set[str]] = defaultdict(set)

    # Who may write.

    def may_write(self, account: AccountOrLease) -> bool:
        """Whether the one who shows this is who holds the run now."""
        if isinstance(account, Lease):
            holder = self._world.books.lease(account.run)
            return holder is not None and holder.fence == account.fence
        return self._world.books.lease(account) is None

    def is_held(self, run: str) -> bool:
        """Whether a run was taken, and not given back."""
        return self._world.books.lease(run) is not None

    def _look_at_lease(self, run: str) -> None:
        """A run is only taken from an owner who seems to be gone."""
        holder, before = self._world.books.lease(run), self._holders.pop(run, None)
        if holder is not None:
            self._holders[run] = holder
            if before is not None and before.owner != holder.owner:
                process = self._world.processes.get(before.owner.partition(" #")[0])
                if process is not None and not process.seems_gone:
                    self.breach(f"{holder.owner} took {run} while {before.owner} held it")

    # What is in the books.

    def wrote(self, account: str) -> None:
        """Looks at the books after something was written.

        Args:
            account: whose call it was. Empty where it was more than one call.

        Raises:
            Breach: a promise was not kept.
        """
        self.events += 1
        if not account or self.events % FULL_EVERY == 0:
            self.look_at_all()
        else:
            self._look_at(account)

    def look_at_all(self) -> None:
        """Looks at every account.

        Raises:
            Breach: a promise was not kept.
        """
        for account in self._world.books.names():
            self._look_at_lease(account)
            self._look_at(account)

    def _look_at(self, name: str) -> None:
        rows = self._world.books.rows(name)
        self._unlimited[name] |= self._world.books.unlimited(name)
        self._hold_history(rows.own)
        for counter in rows.counters:
            booked = [entry for entry in rows.booked if counter.id in entry.counters]
            self._note_limits(counter)
            self._add_up(name, counter, booked)
            self._hold_limits(name, counter, booked)
        self._hold_minutes(rows)
        for entry in rows.own:
            self._hold_bill(name, entry)

    def _hold_history(self, entries: list[Entry]) -> None:
        """What an entry may become: what is paid stays paid, and a doubt only becomes a bill."""
        for entry in entries:
            before = self._entries.get((entry.account, entry.key))
            if before is None or (before.status, before.charged) != (entry.status, entry.charged):
                # What settles a doubt may come when another has begun to ask once more.
                is_late = before is not None and before.status == "in_doubt"
                self._note(entry, is_late)
            is_new = before is None or before.at_ms != entry.at_ms
            if is_new and entry.status in ("unsent", "pending"):
                self._hold_windows(entry)
            if before is not None and entry.status not in BECOMES[before.status]:
                self.breach(f"{entry.account} {entry.key}: {before.status} became {entry.status}")
            is_again = before is not None and before.status == entry.status == "settled"
            if is_again and before is not None and before.charged != entry.charged:
                self.breach(f"{entry.account} {entry.key} was settled twice")
            self._entries[entry.account, entry.key] = entry

    def _hold_windows(self, entry: Entry) -> None:
        """A new reservation is booked once in each period of its account and of those above it."""
        counters = self._world.books.counters(entry.counters)
        booked = [(counter.account, counter.period) for counter in counters]
        expected = self._world.books.periods(entry.account)
        if len(booked) != len(expected) or set(booked) != expected:
            self.breach(f"{entry.account} {entry.key} is booked in {booked}, not in {expected}")

    def _note(self, entry: Entry, is_late: bool) -> None:
        account = entry.account
        if entry.fingerprint:
            self._by_digest[entry.fingerprint][account, entry.key] = None
        if entry.status == "settled" and entry.answer and entry.fingerprint and not is_late:
            base = entry.key.rpartition(".")[0]
            self._answers[account, entry.fingerprint].add(base)

    def _note_limits(self, counter: Counter) -> None:
        """Limits that somebody sets under what is spent and reserved keep what is there."""
        if self._limits.get(counter.id) == counter.limits:
            return
        self._limits[counter.id] = counter.limits
        for i in LIMITED:
            taken, limit = counter.spent[i] + counter.reserved[i], counter.limits[i]
            self._excused[counter.id][i] = 0 if limit is None else max(0, taken - limit)

    def _add_up(self, name: str, counter: Counter, booked: list[Entry]) -> None:
        what = f"{name}, {counter.period} from {counter.starts_ms}"
        for i in range(4):
            charged = sum(entry.charged.amounts[i] for entry in booked)
            held = sum(_held(entry, i) for entry in booked)
            if (counter.spent[i], counter.reserved[i]) != (charged, held):
                told = f"spent {counter.spent[i]}, reserved {counter.reserved[i]} {NAMES[i]}"
                self.breach(f"{what}: {told}, but its entries say {charged} and {held}")
        for entry in booked:
            if not counter.starts_ms <= entry.at_ms < counter.ends_ms:
                self.breach(f"{what}: {entry.key} was reserved at {entry.at_ms}")

    def _hold_limits(self, name: str, counter: Counter, booked: list[Entry]) -> None:
        for i in LIMITED:
            limit = counter.limits[i]
            if limit is None:
                continue
            excess = counter.spent[i] + counter.reserved[i] - limit
            if excess > 0 and excess > self._excused[counter.id][i] + self._overruns(booked, i):
                what = f"{excess} {NAMES[i]} over its limit of {limit} a {counter.period}"
                self.breach(f"{name}: {what}")

    def _hold_minutes(self, rows: AccountRows) -> None:
        """No sixty seconds, wherever they begin, have more than the limit of a minute.

        Said by the moments of the calls, and not by windows. The limit of a minute stays the same
        in a simulation, and its clock may be put back.
        """
        limits = dict(rows.account.limits).get("minute")
        if limits is None:
            return
        counted = {c.id for c in rows.counters if c.period == "minute"}
        calls = [entry for entry in rows.booked if counted & set(entry.counters)]
        for i in (i for i in LIMITED if limits[i] is not None):
            for first in calls:
                within = [e for e in calls if 0 <= e.at_ms - first.at_ms < MINUTE_MS]
                used = sum(entry.charged.amounts[i] + _held(entry, i) for entry in within)
                if used - self._overruns(within, i) > (limits[i] or 0):
                    self.breach(f"{rows.account.name}: {used} {NAMES[i]} within a minute")

    def _overruns(self, entries: list[Entry], i: int) -> int:
        """How far over a counter may be: what providers took beyond their own caps."""
        excused = 0
        for entry in entries:
            over = entry.charged.amounts[i] - entry.reserved.amounts[i]
            asked = self._by_place[entry.account, entry.key]
            # Code that nothing limited as it began may be limited since.
            was_free = i in self._unlimited[entry.account]
            if over > 0 and (was_free or any(a.broke_its_cap for a in asked)):
                excused += over
        return excused

    # What was sent and billed.

    def sent(self, body: Mapping[str, Any], question: Any) -> Asked:
        """Finds what stands for a request that has arrived.

        Raises:
            Breach: nothing does, or too little, or its answer was paid before.
        """
        asked = Asked(
            number=len(self.asked) + 1,
            model=question.model,
            digest=_digest(body),
            input_tokens=question.input_tokens,
            cap=question.output_cap,
            cost_per_token=NANO_PER_TOKEN.get(question.model, (0, 0)),
        )
        self.asked.append(asked)
        own = asked.own = self._own_place(asked)
        asked.places = [*STEPS.get(), *([own] if own else [])]
        if not asked.places:
            self.breach(f"request {asked.number} was sent, and no reservation stands for it")
        for place in asked.places:
            self._by_place[place].append(asked)
            self._hold_cover(place, asked)
        if own:
            self._hold_unpaid(own, asked)
        return asked

    def _own_place(self, asked: Asked) -> Place | None:
        """The entry of this very request, which stands for no other."""
        for account, key in self._by_digest[asked.digest]:
            entry = self._world.books.row(account, key)
            others = self._by_place[account, key]
            if entry and self._covers(entry) and not any(o.is_billed for o in others):
                return account, key
        return None

    def _covers(self, entry: Entry) -> bool:
        """Whether something is there that a request can be billed to.

        Who fell asleep when all was ready sends its request on waking: no ledger can stop it by
        then, but whoever took the run over has charged it in full.
        """
        if entry.status == "in_doubt":
            return self._world.schedule.actor.process.is_given_up
        return entry.status == "pending"

    def _hold_cover(self, place: Place, asked: Asked) -> None:
        entry = self._world.books.row(*place)
        if entry is None or not self._covers(entry):
            status = entry.status if entry else "unknown"
            self.breach(f"request {asked.number} was sent while {place} is {status}")
            return
        if asked.cap is None:
            self.breach(f"request {asked.number} was sent without a cap")
        beside = [other for other in self._by_place[place] if other is not asked]
        tokens = asked.worst_tokens + sum(_due(other)[0] for other in beside)
        cost = asked.worst_cost_nano_usd + sum(_due(other)[1] for other in beside)
        calls = 1 + sum(other.is_billed for other in beside)
        free = self._free(place[0], is_code=place != asked.own)
        for i, needed in ((0, tokens), (1, cost), (3, calls)):
            if i not in free and needed > entry.reserved.amounts[i]:
                held = entry.reserved.amounts[i]
                self.breach(f"request {asked.number} may take {needed} {NAMES[i]} of {held}")

    def _hold_unpaid(self, own: Place, asked: Asked) -> None:
        account, key = own
        entry = self._world.books.row(account, key)
        if entry and entry.status == "in_doubt":
            return  # it was on its way before the run was taken over
        paid = self._answers[account, asked.digest]
        if not key.startswith("metered") and paid:
            self.breach(f"request {asked.number}, {key}: its answer was paid before, as {paid}")
        billed = [other for other in self._by_place[own] if other is not asked and other.is_billed]
        if billed:
            self.breach(f"request {asked.number} is the second to be billed as {own}")

    def _hold_bill(self, account: str, entry: Entry) -> None:
        """What the provider has billed for an entry is in it, whatever the agent knows of it."""
        billed = self._by_place.get((account, entry.key))
        if not billed:
            return
        broken = any(asked.broke_its_cap for asked in billed)
        tokens = sum(asked.tokens for asked in billed)
        cost = sum(asked.cost_nano_usd for asked in billed)
        calls = sum(asked.is_billed for asked in billed)
        covered = entry.reserved if entry.status in ("unsent", "pending") else entry.charged
        is_code = any(asked.own != (account, entry.key) for asked in billed)
        free = self._free(account, is_code)
        for i, real in ((0, tokens), (1, cost), (3, calls)):
            known = covered.amounts[i]
            if i in free and (i == 1 or is_code):
                continue  # what is not limited need not be known before: a price, or what code does
            if real > known and not broken:
                where = f"{account} {entry.key} ({entry.status})"
                self.breach(f"{where}: {real} {NAMES[i]} were billed, {known} are in the books")
        is_known = not is_code and all(asked.is_told for asked in billed)
        if entry.status == "settled" and is_known and entry.charged.tokens != tokens:
            told = f"settled at {entry.charged.tokens}, billed at {tokens}"
            self.breach(f"{account} {entry.key}: {told}")

    def _free(self, account: str, is_code: bool) -> set[int]:
        """What nothing limits; of code that is at work, also what nothing limited as it began."""
        now = self._world.books.unlimited(account)
        return now | self._unlimited[account] if is_code else now

    def breach(self, what: str) -> None:
        """Ends the simulation with a promise that was not kept.

        Raises:
            Breach: always.
        """
        self._world.breached(what)
        raise Breach(what)


def _held(entry: Entry, i: int) -> int:
    """What of an entry is still held, said once more in other words than the ledger's."""
    return entry.reserved.amounts[i] if entry.status in OPEN else 0


def _due(other: Asked) -> tuple[int, int]:
    """What an earlier request takes of a step's reservation."""
    return other.tokens, other.cost_nano_usd


def _digest(body: Mapping[str, Any]) -> str:
    return fingerprint(
        as_json({name: body[name] for name in sorted(body) if name not in NOT_ASKED})
    )
