"""One round of the ledger's benchmark, on whichever version of thrifty is imported.

    PYTHONPATH=… python -P benchmarks/ledger_round.py sqlite FULL /tmp/x.sqlite --depth 2

It prints how many microseconds a reserve + settle takes. It runs on versions from before accounts
stood in a tree, too: where those take a deeper account, it is one that was granted.
"""

import argparse
import random
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from thrifty.budget import Budget, Spend

ANSWER = "an answer of some length " * 40
WARM_UP = 300
"""Pairs before the clock starts: a ledger lives for months, and its file is new for a moment."""
SEED = 4
ROOT = Budget(10**14, 900_000, None, 10**9)
SHARE = Budget(10**10, 800, None, 10**5)


@dataclass(frozen=True, slots=True)
class Pair:
    """A call as its caller knows it: planned and priced before the ledger is asked."""

    account: str
    key: str
    worst_case: Spend
    actual: Spend


def open_ledger(storage: str, how: str, place: str) -> Any:
    """A new ledger.

    Args:
        storage: `memory`, `sqlite` or `postgres`.
        how: of SQLite, its `synchronous`.
        place: the file, or how to connect to an empty schema.
    """
    if storage == "memory":
        from thrifty.ledger.memory import MemoryLedger

        return MemoryLedger()
    if storage == "sqlite":
        from thrifty.ledger.sqlite import SqliteLedger

        return SqliteLedger(place, synchronous=how)  # type: ignore[arg-type]
    from thrifty.ledger.postgres import PostgresLedger

    return PostgresLedger(place)


def open_account(ledger: Any, name: str, depth: int) -> str:
    """Opens an account so many levels deep, the root included, all but itself shared."""
    ledger.open("root", ROOT)
    above = "root"
    for level in range(2, depth + 1):
        below = name if level == depth else f"level {level}"
        if hasattr(ledger, "set_limits"):
            ledger.open(below, SHARE if level == depth else ROOT, parent=above)
        else:
            ledger.grant(above, below, SHARE)
        above = below
    return above


def random_pair(account: str, key: str, rng: random.Random) -> Pair:
    prompt, answer = rng.randrange(200, 800), rng.randrange(50, 900)
    actual = Spend(prompt + answer, prompt * 2_500 + answer * 10_000, 800, 1)
    return Pair(account, key, Spend(prompt + 1000, 15_000_000, 0, 1), actual)


def measure_us(ledger: Any, accounts: list[str], pairs: int, callers: int, seed: int) -> float:
    """Microseconds for one reserve + settle, as all callers together see their throughput.

    Args:
        ledger: which is new.
        accounts: of which each pair takes one.
        pairs: how many.
        callers: how many threads, or 0 for the main thread alone.
        seed: of the dice.
    """
    rng = random.Random(seed)
    work = [random_pair(rng.choice(accounts), f"run/1/option {i}.1", rng) for i in range(pairs)]

    def act(pair: Pair) -> None:
        ledger.reserve(pair.account, pair.key, "Outline", pair.worst_case)
        ledger.settle(pair.account, pair.key, pair.actual, ANSWER)

    def act_all(some: list[Pair]) -> None:
        for pair in some:
            act(pair)

    with ThreadPoolExecutor(max(1, callers)) as pool:
        warm_up = [random_pair(rng.choice(accounts), f"warm up {i}", rng) for i in range(WARM_UP)]
        list(pool.map(act, warm_up))
        began = time.perf_counter()
        if callers:
            list(pool.map(act_all, [work[caller::callers] for caller in range(callers)]))
        else:
            act_all(work)
        return (time.perf_counter() - began) / pairs * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("storage", choices=["memory", "sqlite", "postgres"])
    parser.add_argument("how")
    parser.add_argument("place")
    parser.add_argument("--depth", type=int, default=1)
    parser.add_argument("--runs", type=int, default=1, help="how many accounts at that depth")
    parser.add_argument("--pairs", type=int, default=1_000)
    parser.add_argument("--callers", type=int, default=1, help="threads; 0 is the main one")
    parser.add_argument("--turn", type=int, default=0)
    options = parser.parse_args()
    ledger = open_ledger(options.storage, options.how, options.place)
    accounts = [open_account(ledger, f"run {i}", options.depth) for i in range(options.runs)]
    seed = SEED + options.turn
    print(measure_us(ledger, accounts, options.pairs, options.callers, seed))


if __name__ == "__main__":
    main()
