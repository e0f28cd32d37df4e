"""What the docs say of vendors is what the tests ask of each."""

import re
from pathlib import Path

from tests.models.vendors.cases import CASES
from tests.models.vendors.vendor_case import ALL, BILL, NOTHING
from tests.models.vendors.what_went_wrong import WRONG

METERING = Path(__file__).parents[2] / "docs" / "metering.md"
CELLS = {NOTHING: "nothing", ALL: "all", BILL: "bill"}
COLUMNS = {case.column: case for case in CASES}


def rows(heading: str) -> list[list[str]]:
    """The table below a heading, without the line under its head."""
    section = METERING.read_text("utf-8").partition(f"\n{heading}\n")[2]
    table = re.search(r"(?m)(^\|.*\n)+", section)
    assert table, heading
    lines = (line.removeprefix("|").removesuffix("|") for line in table[0].splitlines())
    cells = [[cell.strip() for cell in line.split("|")] for line in lines]
    return [cells[0], *cells[2:]]


def exceptions(name: str) -> str:
    """At whom it is charged otherwise than at most vendors."""
    otherwise: dict[str, list[str]] = {}
    for column, case in COLUMNS.items():
        if name in case.charged:
            otherwise.setdefault(CELLS[case.charged[name]], []).append(column)
    return ", ".join(f"{cell} at {', '.join(where)}" for cell, where in otherwise.items())


def test_the_table_of_what_went_wrong_is_that_of_the_tests():
    written = [[name, CELLS[wrong.charged], exceptions(name)] for name, wrong in WRONG.items()]
    assert rows("### What went wrong, and what is charged") == [
        ["what goes wrong", "charged", "but"],
        *written,
    ]


def test_whoever_is_asked_is_named():
    section = METERING.read_text("utf-8").partition("### What went wrong, and what is charged")[2]
    for column in COLUMNS:
        assert column in section.partition("| what goes wrong")[0]
