"""Chooses plans of a real log under budgets, from earlier bills, and says what came of it.

    python -m benchmarks.replay --data ../shared/data/opencatp

Prints the tables of `benchmarks/replay.md`.
"""

import argparse
from pathlib import Path

from benchmarks.replay.cases import BUDGETS, make_cases, tuning_tasks
from benchmarks.replay.execution_log import read_log
from benchmarks.replay.policy_table import bills_before, replay_cases
from benchmarks.replay.tables import comparison_table, forecast_table, overview_table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder of plans.jsonl")
    rows = read_log(parser.parse_args().data)
    tuned, past = tuning_tasks(rows), bills_before(rows)
    print(f"{len(rows):,} executed plans")
    print(forecast_table(make_cases(rows), past))
    for rule, budgets in BUDGETS.items():
        print(f"Budgets: {rule}\n")
        cases = make_cases(rows, rule)
        results = list(replay_cases(cases, past))
        for name, wanted in (("all", (True, False)), ("tuned on", (True,)), ("held out", (False,))):
            pairs = [
                (c, r) for c, r in zip(cases, results, strict=True) if (c.task in tuned) in wanted
            ]
            of_part = [list(part) for part in zip(*pairs, strict=True)]
            print(overview_table(*of_part, budgets))
            print(comparison_table(name, *of_part, budgets))


if __name__ == "__main__":
    main()
