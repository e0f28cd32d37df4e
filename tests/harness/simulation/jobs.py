"""The runs of one simulation: what each is asked to do, and with what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any

from tests.harness.simulation.catalogs import catalog
from thrifty.budget import Budget, Step

if TYPE_CHECKING:
    from tests.harness.simulation.world import World

TEAM, ORGANISATION = "team", "organisation"
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
        "proposal_model": "gpt-5-mini",
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
    """Opens the account that jobs share; sometimes it is itself a share of a larger one."""
    if not any(job.account for job in given):
        return
    tokens = sum(job.budget.max_tokens or 3_000 for job in given)
    room = dice.choice((0.4, 0.8, 1.5))
    limits = Budget(
        round(tokens * room) if dice.random() < 0.8 else None,
        Decimal(round(tokens * room * NANO_PER_TOKEN)) / 10**9 if dice.random() < 0.5 else None,
        None,
        dice.randint(3, 20) if dice.random() < 0.5 else None,
    )
    if dice.random() < 0.5:
        world.books.open(ORGANISATION, limits)
        world.books.grant(ORGANISATION, TEAM, limits.left_after(_tenth(limits)))
    else:
        world.books.open(TEAM, limits)


def _tenth(limits: Budget) -> Any:
    from thrifty.budget import Spend

    return Spend(*((limit or 0) // 10 for limit in limits.limits))
