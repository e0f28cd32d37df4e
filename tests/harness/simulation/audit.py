"""The invariants, held against the books and the provider's own bill after every event.

Nothing here asks the agent whether it is right. The books are read row by row and added up anew;
what was really sent and billed is what the provider wrote down; who may write is known from the
leases that were handed out. A first breach ends the simulation.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from tests.harness.simulation.asked import Asked, Place
from tests.harness.simulation.provider import NANO_PER_TOKEN
from thrifty.ledger.idempotent_calls import fingerprint
from thrifty.ledger.protocol import AccountOrLease, Entry, Lease
from thrifty.models.input_bound import as_json
from thrifty.models.providers.openai import DELIVERY_FIELDS

if TYPE_CHECKING:
    from tests.harness.simulation.world import World

STEPS: ContextVar[tuple[Place, ...]] = ContextVar("simulated_steps", default=())
"""The entries of the steps in whose code something happens, the outermost first."""
LIMITED = (0, 1, 3)
"""Tokens, money and calls; time is not the ledger's to limit."""
NAMES = ("tokens", "nano-USD", "ms", "calls")
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
        self._spent: dict[str, tuple[int, ...]] = {}
        self._holders: dict[tuple[str, str], Lease] = {}
        self._excused: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
        self._unlimited: defaultdict[str, set[int]] = defaultdict(set)
        """Of each account, what had no limit at some time: it may have been given one since."""
        self._answers: defaultdict[tuple[str, str], set[str]] = defaultdict(set)

    # Who may write.

    def may_write(self, account: AccountOrLease) -> bool:
        """Whether the one who shows this is who holds the run now."""
        if isinstance(account, Lease):
            holder = self._holders.get((account.account, account.run))
            return holder is not None and holder.fence == account.fence
        return (account, account) not in self._holders

    def taken(self, lease: Lease, over: int | None) -> None:
        """Takes note of a new owner.

        Raises:
            Breach: the run was held by somebody else.
        """
        place = lease.account, lease.run
        holder = self._holders.get(place)
        if holder and holder.owner != lease.owner and holder.fence != over:
            self.breach(f"{lease.owner} took {lease.run} while {holder.owner} held it")
        self._holders[place] = lease

    def is_held(self, run: str) -> bool:
        """Whether a run was taken, and not given back."""
        return any(lease.account == run for lease in self._holders.values())

    def left(self, lease: Lease) -> None:
        """Takes note of a lease that was given back."""
        self._holders.pop((lease.account, lease.run), None)

    # What is in the books.

    def wrote(self, name: str, account: AccountOrLease, may_write: bool, result: Any) -> None:
        """Looks at the books after something was written.

        Raises:
            Breach: a promise was not kept.
        """
        self.events += 1
        if not may_write:
            self.breach(f"{name} by {account!r}, who does not hold the run")
        written = account.account if isinstance(account, Lease) else account
        if isinstance(result, Entry):
            self._note(written, result)
        if name in ("open", "extend"):
            self._note_limits(written)
        if name in ("reclaim", "take") or self.events % FULL_EVERY == 0:
            self.look_at_all()
        else:
            self._look_up_from(written)

    def look_at_all(self) -> None:
        """Looks at every account.

        Raises:
            Breach: a promise was not kept.
        """
        for account in self._world.books.names:
            self._look_at(account)

    def reconciled(self, account: str, lowered: Sequence[int]) -> None:
        """Takes note that the provider's own word lowered what was charged."""
        while account:
            before = self._spent[account]
            pairs = zip(before, lowered, strict=True)
            self._spent[account] = tuple(was - less for was, less in pairs)
            state, _ = self._world.books.rows(account)
            account = state.parent

    def _note(self, account: str, entry: Entry) -> None:
        if entry.fingerprint:
            self._by_digest[entry.fingerprint][account, entry.key] = None
        if entry.status == "settled" and entry.answer and entry.fingerprint:
            base = entry.key.rpartition(".")[0]
            self._answers[account, entry.fingerprint].add(base)

    def _note_limits(self, account: str) -> None:
        """Limits that somebody sets under what is spent and reserved keep what is there."""
        state, _ = self._world.books.rows(account)
        for i in LIMITED:
            taken, limit = state.spent[i] + state.reserved[i], state.limits[i]
            self._excused[account][i] = 0 if limit is None else max(0, taken - limit)

    def _look_up_from(self, account: str) -> None:
        while account:
            state = self._look_at(account)
            account = state.parent

    def _look_at(self, account: str) -> Any:
        state, entries = self._world.books.rows(account)
        self._unlimited[account] |= {i for i in LIMITED if state.limits[i] is None}
        self._add_up(account, state, entries)
        self._hold_limits(account, state, entries)
        for entry in entries:
            self._hold_bill(account, entry)
        spent = tuple(state.spent)
        before = self._spent.get(account, (0, 0, 0, 0))
        if any(now < was for now, was in zip(spent, before, strict=True)):
            self.breach(f"{account}: committed spend fell from {before} to {spent}")
        self._spent[account] = spent
        return state

    def _add_up(self, account: str, state: Any, entries: list[Entry]) -> None:
        keys = [entry.key for entry in entries]
        if len(set(keys)) < len(keys):
            self.breach(f"{account}: a key is counted twice in {keys}")
        for i in range(4):
            charged = sum(entry.charged.amounts[i] for entry in entries)
            held = sum(_held(entry, i) for entry in entries)
            if (state.spent[i], state.reserved[i]) != (charged, held):
                told = f"spent {state.spent[i]}, reserved {state.reserved[i]} {NAMES[i]}"
                self.breach(f"{account}: {told}, but its entries say {charged} and {held}")
        for entry in entries:
            if entry.is_grant:
                child, _ = self._world.books.rows(entry.key)
                if tuple(child.spent) != entry.charged.amounts:
                    own = entry.charged.amounts
                    self.breach(f"{account}: {entry.key} spent {child.spent}, its grant says {own}")

    def _hold_limits(self, account: str, state: Any, entries: list[Entry]) -> None:
        for i in LIMITED:
            limit = state.limits[i]
            if limit is None:
                continue
            excess = state.spent[i] + state.reserved[i] - limit
            if excess > 0 and excess > self._excuse(account, entries, i):
                self.breach(f"{account}: {excess} {NAMES[i]} over its limit of {limit}")

    def _excuse(self, account: str, entries: list[Entry], i: int) -> int:
        """How far over an account may be: what providers took beyond their own caps."""
        excused = self._excused[account][i]
        for entry in entries:
            over = entry.charged.amounts[i] - entry.reserved.amounts[i]
            if entry.is_grant:
                _, below = self._world.books.rows(entry.key)
                excused += self._excuse(entry.key, below, i)
            elif over > 0 and any(a.broke_its_cap for a in self._by_place[account, entry.key]):
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
        state, _ = self._world.books.rows(place[0])
        free = self._free(place[0], state, is_code=place != asked.own)
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
        state, _ = self._world.books.rows(account)
        is_code = any(asked.own != (account, entry.key) for asked in billed)
        free = self._free(account, state, is_code)
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

    def _free(self, account: str, state: Any, is_code: bool) -> set[int]:
        """What nothing limits; of code that is at work, also what nothing limited as it began."""
        now = {i for i in LIMITED if state.limits[i] is None}
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
    if entry.status in ("unsent", "pending"):
        return entry.reserved.amounts[i]
    if entry.status == "granted":
        return max(0, entry.reserved.amounts[i] - entry.charged.amounts[i])
    return 0


def _due(other: Asked) -> tuple[int, int]:
    """What an earlier request takes of a step's reservation."""
    return other.tokens, other.cost_nano_usd


def _digest(body: Mapping[str, Any]) -> str:
    return fingerprint(
        as_json({name: body[name] for name in sorted(body) if name not in DELIVERY_FIELDS})
    )
