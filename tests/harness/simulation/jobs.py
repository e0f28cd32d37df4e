"""The runs of one simulation: what each is asked to do, and with what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any

from tests.harness.simulation.catalogs import catalog
from thrifty.budget import Budget, BudgetExceeded, InvalidInput, LedgerUnavailable, Spend, Step
from thrifty.budget.periods import Period

if TYPE_CHECKING:
    from tests.harness.simulation.world import World

TEAM, ORGANISATION = "team", "organisation"
ZONE = "Europe/Berlin"
NANO_PER_TOKEN = 3_000


@dataclass(frozen=True)
class Job:
    """A thread and what is to be done on it."""

    name: str
    steps: tuple[Step, ...]
    budget: Budget
    context: Mapping[str, Any]
    account: str
    """The account that it shares with others; empty for one of its own."""
    durability: str
    is_kept: bool
    """Whether there is a checkpointer; else a run is only known to its ledger."""
    api: str
    begins_after_s: float

    @property
    def thread(self) -> dict[str, Any]:
        """The configuration that names it."""
        return {"configurable": {"thread_id": self.name}}


def jobs(dice: Random) -> list[Job]:
    """One to four jobs, some of which share an account."""
    shares = dice.random() < 0.5
    return [_job(dice, f"job{i + 1}", shares) for i in range(dice.choice((1, 1, 2, 2, 3, 4)))]


def _job(dice: Random, name: str, shares: bool) -> Job:
    steps = catalog(dice, name)
    return Job(
        name,
        steps,
        _budget(dice, steps),
        _context(dice),
        account=TEAM if shares and dice.random() < 0.8 else "",
        durability=dice.choice(("sync", "async", "async", "exit")),
        is_kept=dice.random() < 0.85,
        api=dice.choice(("chat", "chat", "responses")),
        begins_after_s=dice.choice((0, 0, 0.5, 5)),
    )


def _context(dice: Random) -> dict[str, Any]:
    return {
        "propose_options": dice.random() < 0.4,
        "max_concurrency": dice.choice((1, 1, 2, 3)),
        "on_drift": dice.choice(("replan", "replan", "halt", "ask")),
        "approve_plan": dice.random() < 0.15,
        "max_replans": dice.choice((0, 3)),
        "max_steps": dice.choice((3, 6)),
    }


def _budget(dice: Random, steps: Sequence[Step]) -> Budget:
    """At least one limit, tight or wide."""
    tokens = sum(step.options[0].estimate.tokens for step in steps)
    room = dice.choice((0.5, 1.0, 2.0, 4.0))
    limits: list[Any] = [
        round(tokens * room) + 100,
        Decimal(round(tokens * room * NANO_PER_TOKEN)) / 10**9,
        dice.choice((1_500, 6_000, 60_000)),
        dice.randint(1, 9),
    ]
    kept = [limit if dice.random() < 0.6 else None for limit in limits]
    return Budget(*(kept if any(limit is not None for limit in kept) else limits))


def open_shared(world: World, dice: Random, given: Sequence[Job]) -> None:
    """Opens the account that jobs share, sometimes below another, and with periods."""
    if not any(job.account for job in given):
        return
    tokens = sum(job.budget.max_tokens or 3_000 for job in given)
    ledger, parent = world.books.ledger(), None
    if dice.random() < 0.5:
        above = _limits(dice, tokens * 2)
        ledger.open(ORGANISATION, above, zone=ZONE)
        parent = ORGANISATION
    limits = _limits(dice, tokens)
    if dice.random() < 0.2:  # a minute's limit stays as it is, so that the audit can hold it
        limits["minute"] = Budget(max_tokens=tokens // 2, max_tool_calls=dice.randint(2, 6))
    if parent and dice.random() < 0.2:
        ledger.grant(parent, TEAM, above["run"].left_after(_tenth(above["run"])))
    else:
        ledger.open(TEAM, limits, parent=parent, zone=ZONE)


def _tenth(limits: Budget) -> Spend:
    return Spend(*((limit or 0) // 10 for limit in limits.limits))


def _limits(dice: Random, tokens: int) -> dict[Period, Budget]:
    """Limits of an account's whole life, and sometimes of some of its periods."""
    periods: list[Period] = ["hour", "day", "month"]
    chosen = [period for period in periods if dice.random() < 0.25]
    return {period: _limit(dice, tokens) for period in ("run", *chosen)}


def _limit(dice: Random, tokens: int) -> Budget:
    room = dice.choice((0.4, 0.8, 1.5, 3.0))
    return Budget(
        round(tokens * room) if dice.random() < 0.8 else None,
        Decimal(round(tokens * room * NANO_PER_TOKEN)) / 10**9 if dice.random() < 0.5 else None,
        None,
        dice.randint(3, 20) if dice.random() < 0.5 else None,
    )


def operate(world: World, dice: Random, given: Sequence[Job]) -> None:
    """Does what people do with accounts while others spend from them, and what clocks do."""
    tokens = sum(job.budget.max_tokens or 3_000 for job in given)
    has_shared = any(job.account for job in given)
    for _ in range(dice.choice((0, 2, 5))):
        world.schedule.pause(dice.choice((0, 1, 5, 60)) * 1_000_000_000)
        acts = [world.step_clock, lambda: world.books.ledger().sweep()]
        if has_shared:
            acts += [
                lambda: world.books.ledger().set_limits(TEAM, _kept_minute(world, dice, tokens)),
                lambda: _move(world, dice),
                lambda: world.books.ledger().open("beside", "1k tokens a day", zone=ZONE),
            ]
        act = dice.choice(acts)
        with suppress(LedgerUnavailable, BudgetExceeded):
            act()
    if has_shared and dice.random() < 0.1:
        with suppress(LedgerUnavailable):
            world.books.ledger().close(TEAM)


def _kept_minute(world: World, dice: Random, tokens: int) -> dict[Period, Budget]:
    """Other limits, but for that of a minute."""
    account = world.books.rows(TEAM).account
    kept = {period: Budget.of_limits(amounts) for period, amounts in account.limits}
    return {**_limits(dice, tokens), **{p: b for p, b in kept.items() if p == "minute"}}


def _move(world: World, dice: Random) -> None:
    ledger = world.books.ledger()
    ledger.open("elsewhere", {"day": _limit(dice, 4_000)}, zone="America/New_York")
    with suppress(InvalidInput):  # something is held for it
        ledger.move(TEAM, dice.choice((None, "elsewhere")))
