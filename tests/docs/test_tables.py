"""Every line of the tables of faults and of features has tests, and they are there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| (\d+) \|.*\|([^|]*)\|$", re.M)
NAME = re.compile(r"`([^`]+::test_\w+)`")
FAULTS, FEATURES = (
    (ROOT / "docs" / page).read_text("utf-8") for page in ("faults.md", "features.md")
)
LINES = {int(number): NAME.findall(tests) for number, tests in ROW.findall(FAULTS)}


def test_every_line_has_a_test():
    assert list(LINES) == list(range(1, len(LINES) + 1))
    assert all(LINES.values())
    rows = re.findall(r"^\| (?!feature )(.*) \|$", FEATURES, re.M)
    assert rows
    assert all(NAME.search(row) for row in rows)


@pytest.mark.long
def test_every_test_it_names_is_collected():
    """pytest refuses a name that it does not find, and says which."""
    names = sorted({f"tests/{name}" for name in NAME.findall(FAULTS + FEATURES)})
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"]
    found = subprocess.run([*command, *names], cwd=ROOT, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout + found.stderr
