"""Threads that wait for a commit share the next one, whatever becomes of one of them."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from thrifty.ledger.group_commit import GroupCommit, QueuedWork

WAIT_S = 240


class Disk:
    """Commits what it is given, once it is let; remembers what was committed together."""

    def __init__(self):
        self.trips = []
        self.fails = set()
        self.is_free = threading.Event()
        self.together = GroupCommit()

    def commit(self, tasks):
        results = [task.work(None) for task in tasks]
        self.trips.append(results)
        assert self.is_free.wait(WAIT_S)
        if self.fails & set(results):
            raise OSError(results)
        for task in tasks:
            task.attempt(None)

    def do(self, name):
        return self.together.run(lambda _: name, self.commit)

    def queued(self, count):
        """Waits until so many stand in the queue, with the one that leads."""
        while len(self.together._waiting) != count:
            time.sleep(0.005)


@pytest.fixture
def pool():
    with ThreadPoolExecutor(6) as threads:
        yield threads


@pytest.fixture
def disk():
    return Disk()


@pytest.fixture
def queue(disk, pool):
    """Lets one thread lead, and others queue behind it in this order."""

    def queue(*names):
        asked = []
        for count, name in enumerate(names, 1):
            asked.append(pool.submit(disk.do, name))
            disk.queued(count)
        return asked

    return queue


def test_who_waits_for_a_commit_shares_the_next_one(disk, queue):
    asked = queue(*"abcd")
    disk.is_free.set()
    assert [one.result(WAIT_S) for one in asked] == list("abcd")
    assert disk.trips == [["a"], ["b", "c", "d"]]
    assert disk.do("e") == "e"


def test_where_a_shared_commit_fails_the_others_try_without_who_was_told(disk, queue):
    asked = queue(*"abcd")
    disk.fails = {"b"}
    disk.is_free.set()
    with pytest.raises(OSError, match="b"):
        asked[1].result(WAIT_S)
    assert [asked[place].result(WAIT_S) for place in (0, 2, 3)] == ["a", "c", "d"]
    assert disk.trips == [["a"], ["b", "c", "d"], ["c", "d"]]
    assert disk.do("e") == "e"


def test_a_refusal_is_for_its_own_thread():
    def refuse(tasks):
        for task in tasks:
            with pytest.raises(KeyError):
                task.attempt(None)

    def work(_):
        raise KeyError("k")

    with pytest.raises(KeyError, match="k"):
        GroupCommit().run(work, refuse)


@pytest.mark.parametrize("leads", [False, True])
def test_who_is_interrupted_as_it_waits_hands_on_what_it_has(disk, queue, pool, monkeypatch, leads):
    """Whether it was its turn just then or not."""
    asked = queue("a")
    wait, waits, may_go_on = QueuedWork.wait, threading.Event(), threading.Event()

    def interrupted(task):
        waits.set()
        if leads:
            wait(task)
        assert may_go_on.wait(WAIT_S)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(QueuedWork, "wait", interrupted)
        asked.append(pool.submit(disk.do, "b"))
        assert waits.wait(WAIT_S)
    asked.append(pool.submit(disk.do, "c"))
    disk.queued(3)
    if leads:
        disk.is_free.set()
        disk.queued(2)
    may_go_on.set()
    with pytest.raises(KeyboardInterrupt):
        asked[1].result(WAIT_S)
    disk.is_free.set()
    assert [asked[0].result(WAIT_S), asked[2].result(WAIT_S)] == ["a", "c"]
    assert disk.trips == [["a"], ["c"]]
