"""Chooses plans of a real log under budgets, from earlier bills, and says what came of it.

    python -m benchmarks.replay --data ../shared/data/opencatp

Prints the tables of `benchmarks/replay.md`.
"""

import argparse
from pathlib import Path

from benchmarks.replay.cases import make_cases, tuning_tasks
from benchmarks.replay.execution_log import read_log
from benchmarks.replay.policy_table import bills_before, replay_cases
from benchmarks.replay.tables import comparison_table, forecast_table, overview_table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder of plans.jsonl")
    rows = read_log(parser.parse_args().data)
    cases, tuned = make_cases(rows), tuning_tasks(rows)
    print(f"{len(rows):,} executed plans")
    past = bills_before(rows)
    print(forecast_table(cases, past))
    results = list(replay_cases(cases, past))
    print(overview_table(cases, results))
    for name, wanted in (("all", (True, False)), ("tuned on", (True,)), ("held out", (False,))):
        pairs = [(c, r) for c, r in zip(cases, results, strict=True) if (c.task in tuned) in wanted]
        print(comparison_table(name, *zip(*pairs, strict=True)))


if __name__ == "__main__":
    main()
