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
    cells = [line.strip("| ").split(" | ") for line in table[0].splitlines()]
    return [cells[0], *cells[2:]]


def test_the_table_of_what_went_wrong_is_that_of_the_tests():
    written = [
        [name, *[CELLS[case.charged.get(name, wrong.charged)] for case in COLUMNS.values()]]
        for name, wrong in WRONG.items()
    ]
    assert rows("### What went wrong, and what is charged") == [
        ["what goes wrong", *COLUMNS],
        *written,
    ]
