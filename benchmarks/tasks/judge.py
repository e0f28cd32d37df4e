"""Lays pairs of answers before judges, blind, and keeps what they say.

python -m benchmarks.tasks.judge --desk FOLDER

FOLDER/pairs/<set>/<name>.md has a pair as A and B: each set has every pair once, in the other
order. A judge's YAML, in FOLDER/verdicts/<judge>/<name>.yaml, is kept in `verdicts/<judge>.yaml`.
"""

import argparse
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from benchmarks.tasks.delivered import Delivered, read_delivered
from benchmarks.tasks.load import GROUPS, BenchmarkTask, load_tasks
from benchmarks.tasks.pairs import Sheet, sheets
from benchmarks.tasks.verdicts import collect_verdicts, write_verdicts


def all_sheets(tasks: Iterable[BenchmarkTask], delivered: Mapping[str, Delivered]) -> list[Sheet]:
    """The pairs of all tasks that have one, in both orders."""
    return [
        sheet
        for task in tasks
        if task.id in delivered
        for sheet in sheets(task, delivered[task.id])
    ]


def lay_out(laid: Iterable[Sheet], desk: Path) -> None:
    """Writes each sheet where judges look, and takes away those of texts that are no more."""
    wanted = {desk / "pairs" / sheet.set / f"{sheet.name}.md": sheet.text for sheet in laid}
    for file in desk.glob("pairs/*/*.md"):
        if file not in wanted:
            file.unlink()
    for file, text in wanted.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")


def main(arguments: Sequence[str] | None = None) -> None:
    """Lays out, and takes up."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tasks.judge", description=__doc__)
    parser.add_argument("--desk", type=Path, required=True)
    desk = parser.parse_args(arguments).desk
    tasks = [task for group in GROUPS for task in load_tasks(group)]
    laid = all_sheets(tasks, read_delivered())
    lay_out(laid, desk)
    print(f"{len(laid)} sheets are there")
    for judge, verdicts in collect_verdicts(laid, desk).items():
        write_verdicts(judge, verdicts)
        print(f"{judge}: {len(verdicts)} of {len(laid)} verdicts")


if __name__ == "__main__":
    main()
