"""What ratings and verdicts of earlier runs have taught, as tables and as data."""

import json
from collections.abc import Iterator
from typing import Any

from rich.table import Table
from rich.text import Text

from thrifty.budget.plain_text import single_line
from thrifty.estimates.learned_odds import LearnedOdds
from thrifty.receipt.terminal import make_table


def odds_data(odds: LearnedOdds) -> dict[str, Any]:
    """The sums as data, each with what it is of."""
    return {
        "results": [
            {"kind": kind, "executor": executor, "model": model, "right": right, "rated": count}
            for (executor, model, kind), (right, count) in _read(odds.ratings)
        ],
        "checks": [
            {
                "kind": kind,
                "check": check,
                "right_passed": passed,
                "right": right,
                "wrong_failed": failed,
                "wrong": wrong,
            }
            for (check, kind), (passed, right, failed, wrong) in _read(odds.checks)
        ],
        "second_attempts": [
            {
                "kind": names[4],
                "first": names[1] or names[0],
                "second": names[3] or names[2],
                "right": right,
                "rated": count,
            }
            for names, (right, count) in _read(odds.seconds)
        ],
    }


def odds_tables(odds: LearnedOdds) -> Iterator[Table]:
    """The same as tables, where there is something in them."""
    data = odds_data(odds)
    if data["results"]:
        table = make_table(("Kind of work", "by"), ("rated", "right"))
        for row in data["results"]:
            who = row["model"] or row["executor"]
            table.add_row(*_texts(row["kind"], who), f"{row['rated']:.0f}", f"{row['right']:.1f}")
        yield table
    if data["checks"]:
        table = make_table(("Check", "of"), ("right passed", "wrong failed"))
        for row in data["checks"]:
            passed = f"{row['right_passed']:.0f} of {row['right']:.0f}"
            failed = f"{row['wrong_failed']:.0f} of {row['wrong']:.0f}"
            table.add_row(*_texts(row["check"], row["kind"]), passed, failed)
        yield table
    if data["second_attempts"]:
        table = make_table(("Where this was wrong", "this came", "at"), ("rated", "right"))
        for row in data["second_attempts"]:
            names = _texts(row["first"], row["second"], row["kind"])
            table.add_row(*names, f"{row['rated']:.0f}", f"{row['right']:.1f}")
        yield table


def _read(sums: Any) -> Iterator[tuple[list[str], tuple[float, ...]]]:
    return ((json.loads(key), amounts) for key, amounts in sums.items())


def _texts(*names: str) -> list[Text]:
    return [Text(single_line(name)) for name in names]
