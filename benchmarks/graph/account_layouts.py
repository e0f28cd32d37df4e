"""How many calls a second PostgreSQL books: on one account, on shares of one, on accounts apart.

All callers are threads of one process on one server: what they share is what the layout says.
"""

import argparse
import json
import time
from concurrent.futures import ThreadPoolExecutor
from statistics import median

from thrifty.budget import Budget, Spend
from thrifty.ledger.postgres import PostgresLedger

WORST, ACTUAL = Spend(1_000, 15_000_000, 0, 1), Spend(600, 9_000_000, 800, 1)
ANSWER = "an answer of some length " * 40
ACCOUNT_BUDGET = Budget(max_tokens=10**12, max_tool_calls=10**9)
SHARE_BUDGET = Budget(max_tokens=10**9, max_tool_calls=10**6)
ROUNDS = 3
LAYOUTS = ("one", "shares", "apart")
"""All callers on one account; each on its share of one, as runs are; each on one of its own."""


def open_account(layout: str, caller: int, name: str, ledger: PostgresLedger) -> str:
    """The account that a caller spends from, opened."""
    own = f"{name}/{caller}"
    if layout == "apart":
        ledger.open(own, ACCOUNT_BUDGET)
        return own
    ledger.open(name, ACCOUNT_BUDGET)
    if layout == "one":
        return name
    ledger.grant(name, own, SHARE_BUDGET)
    return own


def calls_per_second(layout: str, callers: int, calls: int, ledger: PostgresLedger) -> float:
    """Calls that are reserved and settled, by all callers together."""
    name = f"{layout}-{callers}-{time.monotonic_ns()}"
    accounts = [open_account(layout, caller, name, ledger) for caller in range(callers)]

    def book(caller: int) -> None:
        account = accounts[caller]
        for number in range(calls // callers):
            key = f"{caller}/call {number}"
            ledger.reserve(account, key, "Outline", WORST)
            ledger.settle(account, key, ACTUAL, ANSWER)

    with ThreadPoolExecutor(callers) as pool:
        began = time.perf_counter()
        list(pool.map(book, range(callers)))
        return calls / (time.perf_counter() - began)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("layout", choices=LAYOUTS)
    parser.add_argument("callers", type=int)
    parser.add_argument("--calls", type=int, default=800)
    parser.add_argument("--conninfo", required=True)
    a = parser.parse_args()
    ledger = PostgresLedger(a.conninfo)
    calls_per_second(a.layout, a.callers, a.callers * 4, ledger)
    rates = [calls_per_second(a.layout, a.callers, a.calls, ledger) for _ in range(ROUNDS)]
    ledger.disconnect()
    print(json.dumps(median(rates)))


if __name__ == "__main__":
    main()
