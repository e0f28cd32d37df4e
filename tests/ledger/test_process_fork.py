"""Who has something open is told of a fork before it, and on both sides after it."""

import os

from thrifty.ledger import process_fork


class Told:
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.what = []

    def before_fork(self) -> None:
        self.what.append("before")

    def after_fork(self, in_child: bool) -> None:
        self.what.append(in_child)


def test_both_sides_are_told_which_they_are():
    told = Told()
    process_fork.register_fork_aware(told)
    child = os.fork()
    if not child:
        os._exit(0 if told.what == ["before", True] else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert told.what == ["before", False]
