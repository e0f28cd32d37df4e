"""Every line of the table of faults has tests, and they are there."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| (\d+) \|.*\|([^|]*)\|$", re.M)
NAME = re.compile(r"`([^`]+::test_\w+)`")
LINES = {
    int(number): NAME.findall(tests)
    for number, tests in ROW.findall((ROOT / "docs" / "faults.md").read_text("utf-8"))
}


def test_every_line_has_a_test():
    assert list(LINES) == list(range(1, 38))
    assert all(LINES.values())


def test_every_test_it_names_is_collected():
    """pytest refuses a name that it does not find, and says which."""
    names = sorted({f"tests/{name}" for tests in LINES.values() for name in tests})
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"]
    found = subprocess.run([*command, *names], cwd=ROOT, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout + found.stderr
