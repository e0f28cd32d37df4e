"""Counts verdicts: by task, by judge, and how far they hang on the order."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import comb

from benchmarks.tasks.verdicts import Verdict, Winner

SIGNS: Mapping[Winner, int] = {"steps": 1, "tie": 0, "direct": -1}
WINNERS: tuple[Winner, ...] = ("steps", "tie", "direct")


def outcome(verdicts: Iterable[Verdict]) -> Winner:
    """Who wins a task: whom more verdicts are for than against, each judge and order alike."""
    balance = sum(SIGNS[verdict.winner] for verdict in verdicts)
    return "steps" if balance > 0 else "direct" if balance < 0 else "tie"


def by_task(judges: Mapping[str, Sequence[Verdict]]) -> dict[str, list[Verdict]]:
    """All verdicts on each task."""
    tasks: dict[str, list[Verdict]] = {}
    for verdict in (verdict for verdicts in judges.values() for verdict in verdicts):
        tasks.setdefault(verdict.task, []).append(verdict)
    return tasks


def sign_test(wins: int, losses: int) -> float:
    """How likely a result at least as uneven is, if either side wins as often. Both ends count."""
    count, fewer = wins + losses, min(wins, losses)
    tail = sum(comb(count, each) for each in range(fewer + 1)) / 2**count
    return min(1.0, 2 * tail)


@dataclass(frozen=True, slots=True)
class OrderBias:
    """How far a judge goes by the order."""

    pairs: int
    """Pairs that were judged in both orders."""
    changed: int
    """Those with another winner in the other order."""
    firsts: int
    """Verdicts for what was shown first."""
    decided: int
    """Verdicts that are no ties."""


def order_bias(verdicts: Sequence[Verdict]) -> OrderBias:
    """Of one judge."""
    winners: dict[str, dict[str, Winner]] = {}
    for verdict in verdicts:
        winners.setdefault(verdict.task, {})[verdict.first] = verdict.winner
    both = [set(each.values()) for each in winners.values() if len(each) == len(("A", "B"))]
    decided = [verdict for verdict in verdicts if verdict.winner != "tie"]
    return OrderBias(
        pairs=len(both),
        changed=sum(len(each) > 1 for each in both),
        firsts=sum(verdict.winner == verdict.first for verdict in decided),
        decided=len(decided),
    )


def counts(winners: Iterable[Winner]) -> tuple[int, int, int]:
    """How often steps won, nobody, and the direct answer."""
    found = Counter(winners)
    return found["steps"], found["tie"], found["direct"]
