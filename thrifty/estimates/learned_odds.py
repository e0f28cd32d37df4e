"""What ratings and verdicts of earlier runs say of later ones: chances, and how good checks are.

Each chance is a Beta distribution: a prior that counts as so many observations, moved by what was
seen. It is kept by executor, model and kind of work, so that what was learned of one step holds for
others of its kind. A rating is a number from 0 (wrong) to 1 (right). Verdicts without a rating say
a little of how often results are right, and nothing of how good a check is. Nothing that may be
spent rests on any of this. Source of the shrinkage: A. Gelman et al., "Bayesian Data Analysis",
third edition (2013), section 2.4.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from thrifty.budget import InvalidInput, validate
from thrifty.budget.plain_data import PlainData
from thrifty.estimates.bill_record import BillRecord
from thrifty.estimates.history import BilledOption, BillHistory
from thrifty.steering.forecast import ExecutorModel

CHANCE_WEIGHT = 4.0
"""The prior of a chance counts as so many ratings,"""
CHECK_WEIGHT = 10.0
"""and that of a check's two shares, and of what a second attempt finds, as so many."""
UNRATED_WEIGHT = 4.0
"""All verdicts without a rating count as no more ratings than this."""
RIGHT = 0.5
"""A rating from this on is that of a right result."""
BILL_RATIO_MAX = 10.0
COUNT_MAX = 1e6
SHARES = {"ratings": 1, "checks": 2, "seconds": 1, "verdicts": 1}
"""How many pairs of a part and the whole that it is of each kind of sums has."""

Sums = Mapping[str, tuple[float, ...]]
"""Sums of observations, by what they are of: a JSON list of names."""


@dataclass(frozen=True, slots=True)
class LearnedOdds(PlainData[dict[str, Any]]):
    """Sums of what was seen.

    Raises:
        InvalidInput: a sum is no number that it can be.
    """

    PLAIN_NAME = "odds"

    ratings: Sums = field(default_factory=dict)
    """By executor, model and kind: the ratings, and how many there are."""
    checks: Sums = field(default_factory=dict)
    """By check and kind: right results that passed, right results, wrong ones that failed, wrong
    ones."""
    seconds: Sums = field(default_factory=dict)
    """By the first and the second executor and model, and kind: the ratings of the second where the
    first was wrong, and how many there are."""
    verdicts: Sums = field(default_factory=dict)
    """By executor, model, kind and check: results that passed without rating, and all these."""
    bills: Sums = field(default_factory=dict)
    """By executor, model and kind: what second attempts came to as multiples of what was expected,
    and how many there are."""

    def __post_init__(self) -> None:
        for name in ("ratings", "checks", "seconds", "verdicts", "bills"):
            sums = validate.instance(f"odds.{name}", getattr(self, name), Mapping, "{}")
            for key, amounts in sums.items():
                _check_amounts(f"odds.{name}.{key}", amounts, SHARES.get(name, 0))

    def chance(
        self, who: ExecutorModel, kind: str, prior: float, check: str, strength: tuple[float, float]
    ) -> float:
        """The chance that a result is right.

        Args:
            who: makes it.
            kind: of work.
            prior: the chance where nothing is known.
            check: the name of the check that such results have to pass. Empty for none.
            strength: the sensitivity and the specificity of that check.
        """
        right, count = self.ratings.get(_key(*who, kind), (0.0, 0.0))
        passed, judged = self.verdicts.get(_key(*who, kind, check), (0.0, 0.0))
        informative = sum(strength) - 1.0
        weight, suggested = 0.0, 0.0
        if check and judged and informative > 0:
            # What passes is s·p + (1 - t)·(1 - p), so the share that passed suggests a p.
            suggested = (passed / judged - (1 - strength[1])) / informative
            weight = min(UNRATED_WEIGHT, judged * informative**2)
        suggested = min(1.0, max(0.0, suggested))
        total = CHANCE_WEIGHT + count + weight
        return (CHANCE_WEIGHT * prior + right + weight * suggested) / total

    def strength(self, check: str, kind: str, prior: tuple[float, float]) -> tuple[float, float]:
        """The sensitivity and the specificity of a check.

        Args:
            check: its name.
            kind: of the work that it judges.
            prior: the two where nothing is known.
        """
        passed, right, failed, wrong = self.checks.get(_key(check, kind), (0.0,) * 4)
        return (
            (CHECK_WEIGHT * prior[0] + passed) / (CHECK_WEIGHT + right),
            (CHECK_WEIGHT * prior[1] + failed) / (CHECK_WEIGHT + wrong),
        )

    def after_wrong(
        self, first: ExecutorModel, then: ExecutorModel, kind: str, prior: float
    ) -> float:
        """The chance that a second result is right where the first was wrong."""
        right, count = self.seconds.get(_key(*first, *then, kind), (0.0, 0.0))
        return (CHECK_WEIGHT * prior + right) / (CHECK_WEIGHT + count)

    def bill_ratio(self, then: ExecutorModel, kind: str, prior: float) -> float:
        """What a second attempt comes to after a failed check, as a multiple of its estimate."""
        ratios, count = self.bills.get(_key(*then, kind), (0.0, 0.0))
        return (CHECK_WEIGHT * prior + ratios) / (CHECK_WEIGHT + count)


NO_ODDS = LearnedOdds()
"""Where nothing was seen yet."""


def learn_odds(history: BillHistory) -> LearnedOdds:
    """What a history says of results.

    Args:
        history: every attempt that is known, with its verdict and its rating.
    """
    by_run = {
        (record.run, work.option): (work, record)
        for work, records in history.records.items()
        for record in records
    }
    if not by_run:
        return NO_ODDS
    tried = list(by_run.values())
    return LearnedOdds(
        ratings=_add_up(_ratings(tried)),
        checks=_add_up(_check_tables(tried)),
        seconds=_add_up(_seconds(by_run)),
        verdicts=_add_up(_verdicts(tried)),
        bills=_add_up(_second_bills(tried)),
    )


def _check_amounts(name: str, amounts: tuple[float, ...], shares: int) -> None:
    """Refuses sums from which no chance follows: a client of a server can write state."""
    size = 2 * (shares or 1)
    if len(amounts) != size:
        raise InvalidInput(name, len(amounts), f"give {size} numbers")
    for amount in amounts:
        validate.number(name, amount, maximum=COUNT_MAX)
    for part, whole in zip(amounts[::2], amounts[1::2], strict=True):
        if shares and part > whole:
            raise InvalidInput(name, part, f"use {whole:g} at the most, which it is a part of")


Tried = tuple[BilledOption, BillRecord]
Observation = tuple[str, tuple[float, ...]]


def _ratings(tried: Iterable[Tried]) -> Iterator[Observation]:
    for work, record in tried:
        if record.rating is not None:
            yield _key(*work.executor_model, record.kind), (record.rating, 1.0)


def _check_tables(tried: Iterable[Tried]) -> Iterator[Observation]:
    for _, record in tried:
        if record.rating is None or record.passed is None:
            continue
        passed, is_right = float(record.passed), record.rating >= RIGHT
        row = (passed, 1.0, 0.0, 0.0) if is_right else (0.0, 0.0, 1.0 - passed, 1.0)
        yield _key(record.check, record.kind), row


def _seconds(by_run: Mapping[tuple[str, str], Tried]) -> Iterator[Observation]:
    for (run, _), (work, record) in by_run.items():
        first = by_run.get((run, record.after))
        if record.rating is None or first is None:
            continue
        first_work, first_record = first
        if first_record.rating is not None and first_record.rating < RIGHT:
            names = *first_work.executor_model, *work.executor_model, record.kind
            yield _key(*names), (record.rating, 1.0)


def _verdicts(tried: Iterable[Tried]) -> Iterator[Observation]:
    for work, record in tried:
        # A second attempt is made at what is hard: it says nothing of the rest.
        if record.rating is None and record.passed is not None and not record.after:
            key = _key(*work.executor_model, record.kind, record.check)
            yield key, (float(record.passed), 1.0)


def _second_bills(tried: Iterable[Tried]) -> Iterator[Observation]:
    for work, record in tried:
        expected, actual = record.expected.tokens, record.actual.tokens
        if record.after and expected and actual:
            ratio = min(actual / expected, BILL_RATIO_MAX)
            yield _key(*work.executor_model, record.kind), (ratio, 1.0)


def _add_up(observations: Iterable[Observation]) -> dict[str, tuple[float, ...]]:
    sums: dict[str, tuple[float, ...]] = defaultdict(tuple)
    for key, amounts in observations:
        before = sums[key] or (0.0,) * len(amounts)
        sums[key] = tuple(a + b for a, b in zip(before, amounts, strict=True))
    return dict(sums)


def _key(*names: str) -> str:
    return json.dumps(names)
