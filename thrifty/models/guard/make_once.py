"""Makes a call that is made once, or judges what became of it: a step's call, or a tool's."""

from collections.abc import Callable
from typing import TypeVar

from thrifty.ledger.latest_call import LatestCall
from thrifty.ledger.notes import Notes
from thrifty.models.guard.ask_person import skip_answers

T = TypeVar("T")


def make_once(
    find: Callable[[], LatestCall],
    begin: Callable[[LatestCall], T | None],
    judge: Callable[[LatestCall], T | None],
    notes: Notes,
) -> T:
    """Makes the latest call of a piece of work, unless it was made before.

    Args:
        find: finds the latest call, or reserves it.
        begin: makes one that was never sent. None where what came of it is to be judged.
        judge: what came of one that was. None where a person lets it be made again.
        notes: about the work.

    Raises:
        BudgetExceeded: there was no call, and a new one does not fit.
        GraphInterrupt: a person is asked first.
    """
    is_first = True
    while True:
        call = find()
        if is_first:
            skip_answers(call.allowed_by)
        is_first = False
        if call.entry.status == "unsent":
            if (begun := begin(call)) is not None:
                return begun
            call = call.reread(notes)
        if (judged := judge(call)) is not None:
            return judged
