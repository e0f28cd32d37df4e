"""Checks what an attempt has left, right after it has ended."""

from thrifty.budget import Outcome
from thrifty.checks.builtin import WantedText
from thrifty.executors.protocol import Work
from thrifty.executors.registry import MODEL_EXECUTORS
from thrifty.run.run_so_far import RunSoFar


def check_attempt(outcome: Outcome, work: Work, run: RunSoFar) -> Outcome:
    """An attempt with what its checks say.

    Args:
        outcome: as its executor left it.
        work: that was done.
        run: with the step that it was for, and the deployment's checks.
    """
    step = run.steps_by_name()[outcome.step]
    # How long a section should be is a model's guess. How long the answer is to be, somebody said.
    words = run.facts["run"]["words"] if step.role == "answer" else 0
    wanted = WantedText(work.task, words)
    by_model = outcome.option.executor in MODEL_EXECUTORS
    return run.checks.apply(outcome, step, wanted, by_model)
