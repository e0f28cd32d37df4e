"""Runs the agent on logged answers, ten questions a run, with checks and without.

    python -m benchmarks.checked --data ../shared/data/gsm8k

Prints the tables of `benchmarks/checked.md`.
"""

import argparse
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.checked.history import learned_store
from benchmarks.checked.questions import Question, in_runs, read_questions, split_questions
from benchmarks.checked.replayed_run import QUESTIONS_A_RUN, expect, run_agent
from benchmarks.checked.replies import replies
from benchmarks.checked.report import bought_table, right_table, single_models_line
from benchmarks.checked.tally import Tally
from tests.harness.llm_server import LLMServer

SHARES = (0.1, 0.2, 0.3, 0.5, 0.7, 1.0)
"""The caps, as shares of what the strong model comes to."""
HISTORY_SHARE = 0.5
"""The cap of the runs from which the agent has learned."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to run the agent."""

    name: str
    ratings: int
    """How many results of earlier runs were rated. Nought: it has learned nothing."""
    context: Mapping[str, Any]


VARIANTS = (
    Variant("direct", 0, {"check_results": False}),
    Variant("checked, no ratings", 0, {}),
    Variant("checked, 50 ratings", 50, {}),
    Variant("checked, 200 ratings", 200, {}),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder of answers.jsonl")
    parser.add_argument("--splits", type=int, default=5, help="how often history is drawn anew")
    given = parser.parse_args()
    logging.disable(logging.WARNING)
    questions = read_questions(given.data)
    with LLMServer() as server:
        server.script(*replies(questions))
        tallies, whole = run_all(questions, range(given.splits), server)
    print(single_models_line(whole))
    print(right_table(tallies, whole, SHARES))
    print(bought_table(tallies, SHARES))


def run_all(
    questions: Sequence[Question], seeds: Sequence[int], server: LLMServer
) -> tuple[dict[tuple[str, float], Tally], dict[str, Tally]]:
    """What each variant came to at each cap, and each model alone without a cap.

    Args:
        questions: of the log.
        seeds: a split into history and test each.
        server: that has the answers.
    """
    tallies: dict[tuple[str, float], Tally] = {
        (variant.name, share): Tally() for variant in VARIANTS for share in SHARES
    }
    whole = {role: Tally() for role in ("strong", "cheap")}
    for seed in seeds:
        history, test = split_questions(list(questions), seed)
        expected, runs = expect(history), in_runs(test, QUESTIONS_A_RUN)
        for role, tally in whole.items():
            for asked in runs:
                ended = run_agent(asked, expected, None, server, roles=(role,))
                tally.add(ended, asked, ended.result["spend"]["cost_nano_usd"])
        strong = whole["strong"]
        full_nano_usd = strong.spent_nano_usd * QUESTIONS_A_RUN // strong.questions
        for variant in VARIANTS:
            cap = round(HISTORY_SHARE * full_nano_usd)
            store = learned_store(history, variant.ratings, expected, cap, server)
            for share, asked in _pairs(runs):
                cap = round(share * full_nano_usd)
                ended = run_agent(asked, expected, cap, server, store.frozen(), **variant.context)
                tallies[variant.name, share].add(ended, asked, cap)
    return tallies, whole


def _pairs(runs: Sequence[list[Question]]) -> Iterator[tuple[float, list[Question]]]:
    return ((share, asked) for share in SHARES for asked in runs)


if __name__ == "__main__":
    main()
