"""A thread is woken by another one, also where the quick way is not there."""

import errno
import os
import threading

import pytest

from tests.harness.fork import fork_to
from thrifty.ledger.thread_waker import EventfdWaker, QueueWaker, make_waker

WAIT_S = 240
WAKERS = [
    pytest.param(
        lambda: EventfdWaker(os.eventfd(0)),
        id="eventfd",
        marks=pytest.mark.skipif(not hasattr(os, "eventfd"), reason="of Linux"),
    ),
    pytest.param(QueueWaker, id="queue"),
]


def sleeping(waker):
    thread = threading.Thread(target=waker.sleep, daemon=True)
    thread.start()
    return thread


@pytest.mark.parametrize("make", WAKERS)
def test_who_sleeps_is_woken(make):
    waker = make()
    thread = sleeping(waker)
    thread.join(0.05)
    assert thread.is_alive()
    waker.wake()
    thread.join(WAIT_S)
    assert not thread.is_alive()


@pytest.mark.parametrize("make", WAKERS)
def test_a_wake_up_that_comes_first_is_kept(make):
    waker = make()
    waker.wake()
    waker.sleep()


@pytest.mark.parametrize("make", WAKERS)
def test_a_forked_process_wakes_nobody_in_its_parent(make):
    waker = make()

    def act() -> None:
        waker.part_from_parent()
        waker.wake()
        waker.sleep()

    assert os.waitpid(fork_to(act), 0)[1] == 0
    thread = sleeping(waker)
    thread.join(0.05)
    assert thread.is_alive()
    waker.wake()
    thread.join(WAIT_S)


def test_where_no_more_files_may_be_opened_a_queue_wakes(monkeypatch):
    def refuse(start):
        raise OSError(errno.EMFILE, "too many open files")

    monkeypatch.setattr(os, "eventfd", refuse, raising=False)
    waker = make_waker()
    assert isinstance(waker, QueueWaker)
    waker.wake()
    waker.sleep()


@pytest.mark.skipif(not hasattr(os, "eventfd"), reason="of Linux")
def test_a_waker_that_nobody_holds_is_closed():
    waker = make_waker()
    descriptor = waker._descriptor
    os.fstat(descriptor)
    del waker
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)
