"""A ledger's file whose end is torn: it holds what it once held, or it says that it is damaged.

A process is killed while it writes, and a disk that lies may have kept its last writes in part
or not at all. Whatever is left must be the ledger as it was after some act, or be refused: no
sum that never was, and no account that begins anew.
"""

import random
import shutil
import struct

import pytest

from thrifty import Budget, Spend, SqliteLedger
from thrifty.budget import LedgerUnavailable
from thrifty.ledger.sqlite_file import PAGE_BYTES

CALLS = 12
PAID = Spend(30, 7, 5, 1)
HEADER, FRAME_HEADER, PAGE = 32, 24, PAGE_BYTES
"""Of SQLite's log (see "The WAL File Format"), in bytes."""
NOISE = {
    "zeros": lambda dice, size: bytes(size),
    "noise": lambda dice, size: dice.randbytes(size),
}


class Written:
    """A file that a process wrote and left open, and the ledger after each act."""

    def __init__(self, folder):
        self.path, self.log = folder / "ledger.sqlite", folder / "ledger.sqlite-wal"
        self.state_of = []
        self.ledger = SqliteLedger(self.path)
        self.ledger.open("run", Budget(max_tokens=10_000))
        self.state_of.append(state_of(self.ledger))
        for number in range(CALLS):
            self.ledger.reserve("run", f"k{number}", "call", Spend(100, 9, 0, 1))
            self.state_of.append(state_of(self.ledger))
            self.ledger.settle("run", f"k{number}", PAID, f"answer {number} " * 99)
            self.state_of.append(state_of(self.ledger))

    def copy(self, folder):
        """The file and its log as a killed process leaves them."""
        folder.mkdir()
        for file in (self.path, self.log):
            shutil.copy(file, folder / file.name)
        return folder / self.path.name, folder / self.log.name

    def commits(self):
        """Where in the log each act is whole."""
        log = self.log.read_bytes()
        salts = log[16:24]
        for start in range(HEADER, len(log), FRAME_HEADER + PAGE):
            _, pages_after, *_ = struct.unpack(">II", log[start : start + 8])
            if log[start + 8 : start + 16] == salts and pages_after:
                yield start + FRAME_HEADER + PAGE


def state_of(ledger):
    """What they say of money; answers have no sum that would betray a changed letter."""
    entries = [(e.key, e.status, e.reserved, e.charged) for e in ledger.entries("run")]
    return ledger.balance("run"), entries


def read_file(path):
    """What a process finds that opens the file anew; None where it is told that it is damaged."""
    ledger = SqliteLedger(path, busy_ms=100)
    try:
        ledger.open("run", Budget(max_tokens=10_000))
        return state_of(ledger)
    except LedgerUnavailable:
        return None
    finally:
        ledger.disconnect()


@pytest.fixture
def written(tmp_path):
    written = Written(tmp_path)
    yield written
    written.ledger.disconnect()


def cut(file, size):
    with file.open("r+b") as opened:
        opened.truncate(size)


def overwrite(file, start, data):
    with file.open("r+b") as opened:
        opened.seek(start)
        opened.write(data)


def test_a_log_that_is_cut_anywhere_holds_every_act_that_is_whole(written, tmp_path):
    commits = list(written.commits())
    states = written.state_of[-len(commits) - 1 :]  # the ones before are in the file
    assert len(states) >= len(written.state_of) - 1
    for number, (end, after) in enumerate(zip(commits, states[1:], strict=True)):
        for torn in (0, 1, FRAME_HEADER, PAGE):
            path, log = written.copy(tmp_path / f"{number} {torn}")
            cut(log, end + torn)
            assert read_file(path) == after
        path, log = written.copy(tmp_path / f"{number} short")
        cut(log, end - 1)
        assert read_file(path) == states[number]


@pytest.mark.parametrize("kind", NOISE)
def test_a_log_with_another_end_holds_every_act_before_it(written, tmp_path, kind):
    dice, commits = random.Random(1), list(written.commits())
    for number in range(30):
        path, log = written.copy(tmp_path / str(number))
        start = dice.randrange(HEADER, commits[-1])
        overwrite(log, start, NOISE[kind](dice, dice.choice([1, 512, commits[-1] - start])))
        whole = sum(end <= start for end in commits)
        assert read_file(path) in written.state_of[whole:]


@pytest.mark.parametrize("kind", ["cut", *NOISE])
def test_a_file_with_another_end_is_refused_or_holds_what_it_held(written, tmp_path, kind):
    """The log is in the file, and gone: there is nothing to recover from."""
    written.ledger.disconnect()
    assert not written.log.exists()
    dice, size = random.Random(2), written.path.stat().st_size
    refused = 0
    for number in range(80):
        path = shutil.copy(written.path, tmp_path / f"{number}.sqlite")
        start = dice.randrange(1, size) if number % 2 else dice.randrange(PAGE, size, PAGE)
        if kind == "cut":
            cut(path, start)
        else:
            overwrite(path, start, NOISE[kind](dice, size - start))
        seen = read_file(path)
        refused += seen is None
        assert seen in (None, *written.state_of), start
    assert refused
