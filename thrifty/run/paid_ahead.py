"""What a run that starts again has paid before. It will find those answers in the ledger.

Their cost is spent already. A plan with only what is left would choose other steps, and leave
what was paid for unused. So a plan may spend their cost, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from thrifty.budget import Budget, Outcome, Spend, total_spend
from thrifty.budget.resources import RESOURCES
from thrifty.ledger.records import Entry


@dataclass(frozen=True, slots=True)
class PaidAhead:
    """The steps of a run that stood in its ledger when this invocation began."""

    charged: dict[str, Spend]
    """What those with an answer cost, by option."""
    known: frozenset[str]
    """All options that were tried, with an answer or without."""

    @classmethod
    def read(cls, entries: Iterable[Entry], prefixes: tuple[str, ...]) -> PaidAhead:
        """Reads the entries of a run.

        Args:
            entries: all of them.
            prefixes: with what the keys of its steps begin.
        """
        steps = [entry for entry in entries if entry.key.startswith(prefixes)]
        charged: dict[str, Spend] = {}
        for entry in steps:
            if entry.status == "settled" and entry.answer:
                charged[entry.label] = charged.get(entry.label, Spend()) + entry.charged
        return cls(charged, frozenset(entry.label for entry in steps))

    def add_to(self, left: Budget, limits: Budget, outcomes: Sequence[Outcome]) -> Budget:
        """What a plan can count on, as long as the run comes to what it did the first time.

        Args:
            left: what is left in the ledger.
            limits: the run's.
            outcomes: what became of its steps so far. What those cost is spent.
        """
        tried = {outcome.option.name for outcome in outcomes}
        ahead = [spend for name, spend in self.charged.items() if name not in tried]
        if not ahead or any(self._is_new(outcome) for outcome in outcomes):
            return left
        found = replace(total_spend(ahead), latency_ms=0).amounts
        more = {resource.name: amount for resource, amount in zip(RESOURCES, found, strict=True)}
        return limits.tightest_with(left.raised_by(more))

    def _is_new(self, outcome: Outcome) -> bool:
        """Whether the run has paid for a step of which it knew nothing the first time."""
        bill = replace(outcome.actual, latency_ms=0)
        return bill != Spend() and outcome.option.name not in self.known
