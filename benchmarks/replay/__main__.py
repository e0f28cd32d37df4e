"""Chooses plans of a real log under budgets, from earlier bills, and says what came of it.

    python -m benchmarks.replay --data ../shared/data/opencatp

Prints the tables of `benchmarks/replay.md`.
"""

import argparse
from pathlib import Path

from benchmarks.replay.cases import cases_of, tuned_on
from benchmarks.replay.log import read
from benchmarks.replay.policies import past_of, replay
from benchmarks.replay.tables import against, forecasts, overview


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder of plans.jsonl")
    rows = read(parser.parse_args().data)
    cases, tuned = cases_of(rows), tuned_on(rows)
    print(f"{len(rows):,} executed plans")
    past = past_of(rows)
    print(forecasts(cases, past))
    results = list(replay(cases, past))
    print(overview(cases, results))
    for name, wanted in (("all", (True, False)), ("tuned on", (True,)), ("held out", (False,))):
        pairs = [(c, r) for c, r in zip(cases, results, strict=True) if (c.task in tuned) in wanted]
        print(against(name, *zip(*pairs, strict=True)))


if __name__ == "__main__":
    main()
