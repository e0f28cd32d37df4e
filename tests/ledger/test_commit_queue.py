"""Threads that wait for a commit share the next one, whatever becomes of one of them."""

import gc
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.harness.fork import fork_to
from thrifty.budget import LedgerUnavailable
from thrifty.ledger import commit_queue
from thrifty.ledger.commit_queue import BATCH_MAX, CommitQueue
from thrifty.ledger.queued_work import QueuedWork
from thrifty.ledger.thread_waker import QueueWaker

WAIT_S = 60


class Disk:
    """Commits what it is given, once it is let; remembers what was committed together."""

    def __init__(self, threads=1, callers_commit=False):
        self.trips, self.closed, self.committers = [], [], []
        self.fails = set()
        self.is_free = threading.Event()
        self.queue = CommitQueue(self.commit, self.close, threads, callers_commit=callers_commit)

    def commit(self, tasks):
        self.committers.append(threading.current_thread())
        self.trips.append([task.work(None) for task in tasks])
        assert self.is_free.wait(WAIT_S)
        for task in tasks:
            task.attempt(None)
        if self.fails & set(self.trips[-1]):
            raise OSError(self.trips[-1])

    def close(self):
        self.closed.append(threading.current_thread())

    def do(self, name):
        return self.queue.run(lambda _: name)

    def wait_until(self, committing, waiting):
        """Waits until so many are being committed, and so many wait."""
        workplace = self.queue._workplace
        while (
            sum(map(len, workplace.batches.values())) != committing
            or workplace.items.qsize() != waiting
        ):
            time.sleep(0.002)


@pytest.fixture
def pool():
    with ThreadPoolExecutor(6) as threads:
        yield threads


@pytest.fixture
def disk():
    made = Disk()
    yield made
    made.is_free.set()
    made.queue.stop()


@pytest.fixture
def ask(disk, pool):
    """Lets one be committed, and others queue behind it in this order."""

    def ask(*names):
        asked = []
        for waiting, name in enumerate(names):
            asked.append(pool.submit(disk.do, name))
            disk.wait_until(1, waiting)
        return asked

    return ask


def test_who_waits_for_a_commit_shares_the_next_one(disk, ask):
    asked = ask(*"abcd")
    disk.is_free.set()
    assert [one.result(WAIT_S) for one in asked] == list("abcd")
    assert disk.trips == [["a"], ["b", "c", "d"]]
    assert disk.do("e") == "e"


def test_no_commit_is_of_more_than_a_batch(disk):
    """What waits beyond it is committed next."""
    with ThreadPoolExecutor(BATCH_MAX + 2) as many:
        asked = [many.submit(disk.do, 0)]
        disk.wait_until(1, 0)
        asked += [many.submit(disk.do, number) for number in range(1, BATCH_MAX + 2)]
        disk.wait_until(1, BATCH_MAX + 1)
        disk.is_free.set()
        assert [one.result(WAIT_S) for one in asked] == list(range(BATCH_MAX + 2))
    assert [len(trip) for trip in disk.trips] == [1, BATCH_MAX, 1]


def test_where_a_shared_commit_fails_each_tries_by_itself(disk, ask):
    asked = ask(*"abcd")
    disk.fails = {"b"}
    disk.is_free.set()
    with pytest.raises(OSError, match="b"):
        asked[1].result(WAIT_S)
    assert [asked[place].result(WAIT_S) for place in (0, 2, 3)] == ["a", "c", "d"]
    assert disk.trips == [["a"], ["b", "c", "d"], ["b"], ["c"], ["d"]]
    assert disk.do("e") == "e"


def test_where_nothing_was_attempted_all_are_told_at_once(disk, ask, monkeypatch):
    """A disk that is not there is not asked once more for each."""
    asked, trips = ask(*"abc"), []

    def fail(tasks):
        trips.append(len(tasks))
        raise OSError("no disk")

    monkeypatch.setattr(disk, "commit", fail)
    queue = CommitQueue(fail, lambda: None)
    tasks = [QueuedWork(lambda _: None, "write", None, QueueWaker()) for _ in range(3)]
    for task in tasks:
        queue._submit(task, 1)
    for task in tasks:
        task._waker.sleep()
        with pytest.raises(OSError, match="no disk"):
            task.take_result()
    assert sum(trips) == 3
    disk.is_free.set()
    assert [one.result(WAIT_S) for one in asked] == list("abc")


@pytest.mark.parametrize("error", [KeyError, KeyboardInterrupt, SystemExit])
def test_what_the_work_raises_is_for_its_own_thread(error):
    def commit(tasks):
        for task in tasks:
            task.attempt(None)

    def work(_):
        raise error("k")

    queue = CommitQueue(commit, lambda: None)
    with pytest.raises(error, match="k"):
        queue.run(work)
    assert queue.run(lambda _: 1) == 1
    queue.stop()


def interrupt(*_):
    raise KeyboardInterrupt


def test_who_is_interrupted_as_it_waits_leaves_the_work_to_be_done(disk, monkeypatch):
    """And what it waited with is not used again: it may be woken for this yet."""
    before = signal.signal(signal.SIGUSR1, interrupt)
    asker = threading.main_thread().ident

    def interrupt_soon():
        disk.wait_until(1, 0)
        signal.pthread_kill(asker, signal.SIGUSR1)

    interrupting = threading.Thread(target=interrupt_soon)
    try:
        interrupting.start()
        with pytest.raises(KeyboardInterrupt):
            disk.do("a")
    finally:
        signal.signal(signal.SIGUSR1, before)
    interrupting.join()
    assert disk.queue._workplace.idle_wakers == []
    disk.is_free.set()
    assert disk.do("b") == "b"
    assert disk.trips == [["a"], ["b"]]
    assert len(disk.queue._workplace.idle_wakers) == 1


def test_a_signal_handler_may_ask_in_the_thread_that_waits(disk):
    told = []

    def ask_too(*_):
        disk.is_free.set()
        told.append(disk.do("of the handler"))

    before = signal.signal(signal.SIGUSR1, ask_too)

    def signal_soon():
        disk.wait_until(1, 0)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGUSR1)

    signalling = threading.Thread(target=signal_soon)
    try:
        signalling.start()
        assert disk.do("a") == "a"
    finally:
        signal.signal(signal.SIGUSR1, before)
    signalling.join()
    assert told == ["of the handler"]
    assert disk.trips == [["a"], ["of the handler"]]


def test_several_threads_work_at_one_queue(pool):
    disk = Disk(threads=2)
    asked = []
    for number, name in enumerate("abc"):
        asked.append(pool.submit(disk.do, name))
        disk.wait_until(min(number + 1, 2), max(number - 1, 0))
    assert sorted(disk.trips) == [["a"], ["b"]]
    disk.is_free.set()
    assert [one.result(WAIT_S) for one in asked] == list("abc")
    disk.queue.stop()
    assert len(set(disk.closed)) == 2
    assert not disk.queue.is_running


def test_it_stops_after_what_is_queued_and_begins_anew(disk, ask, pool):
    asked = ask("a", "b")
    stopping = pool.submit(disk.queue.stop)
    disk.wait_until(1, 2)
    late = pool.submit(disk.do, "late")
    disk.wait_until(1, 3)
    disk.is_free.set()
    stopping.result(WAIT_S)
    assert [one.result(WAIT_S) for one in asked] == ["a", "b"]
    assert late.result(WAIT_S) == "late"
    assert disk.trips == [["a"], ["b"], ["late"]]
    assert len(disk.closed) == 1


@pytest.mark.parametrize("callers_commit", [False, True])
def test_what_asks_and_what_stops_never_miss_each_other(pool, callers_commit):
    """A stop between two questions leaves nobody waiting."""
    disk = Disk(callers_commit=callers_commit)
    disk.is_free.set()

    def ask(caller):
        return [disk.do((caller, turn)) for turn in range(200)]

    asked = [pool.submit(ask, caller) for caller in range(4)]
    stops = [pool.submit(lambda: [disk.queue.stop() for _ in range(200)]) for _ in range(2)]
    for caller, one in enumerate(asked):
        assert one.result(WAIT_S) == [(caller, turn) for turn in range(200)]
    for one in stops:
        one.result(WAIT_S)
    assert sorted(name for trip in disk.trips for name in trip) == [
        (caller, turn) for caller in range(4) for turn in range(200)
    ]
    disk.queue.stop()


@pytest.fixture
def own():
    """A disk whose callers commit, at which a thread of the queue is at hand."""
    made = Disk(callers_commit=True)
    made.is_free.set()
    made.do("first")
    yield made
    made.is_free.set()
    made.queue.stop()


def test_another_thread_than_the_main_one_does_its_work_itself(own, pool):
    """A signal handler never runs in it, and no other thread has to be woken."""
    assert pool.submit(lambda: (own.do("a"), threading.current_thread())).result(WAIT_S) == (
        "a",
        own.committers[-1],
    )
    assert own.do("b") == "b"
    assert own.committers[0] is own.committers[2] is not own.committers[1]
    assert threading.main_thread() not in own.committers


def test_the_first_to_ask_begins_the_thread_that_closes_in_the_end(pool):
    disk = Disk(callers_commit=True)
    disk.is_free.set()
    assert [pool.submit(disk.do, name).result(WAIT_S) for name in "ab"] == ["a", "b"]
    assert disk.committers[0].name == "thrifty ledger" != disk.committers[1].name
    disk.queue.stop()
    assert disk.closed == [disk.committers[0]]


def test_who_comes_while_another_does_its_work_shares_the_next_commit(own, pool):
    own.is_free.clear()
    asked = [pool.submit(own.do, "a")]
    while len(own.trips) < 2:
        time.sleep(0.002)
    for waiting, name in enumerate("bc", 1):
        asked.append(pool.submit(own.do, name))
        own.wait_until(0, waiting)
    own.is_free.set()
    assert [one.result(WAIT_S) for one in asked] == list("abc")
    assert own.trips[1:] == [["a"], ["b", "c"]]


def test_what_its_own_work_raises_is_raised_and_others_go_on(own, pool):
    own.fails = {"a"}
    with pytest.raises(OSError, match="a"):
        pool.submit(own.do, "a").result(WAIT_S)
    assert pool.submit(own.do, "b").result(WAIT_S) == own.do("b") == "b"


def test_work_of_ones_own_that_asks_a_ledger_is_refused(own, pool):
    told = "from within a transaction of a ledger"
    with pytest.raises(LedgerUnavailable, match=told):
        pool.submit(own.queue.run, lambda _: own.do("b")).result(WAIT_S)
    assert pool.submit(own.do, "c").result(WAIT_S) == "c"


def test_who_forks_while_another_does_its_work_has_a_queue_of_its_own(own, pool):
    own.is_free.clear()
    asked = pool.submit(own.do, "a")
    while len(own.trips) < 2:
        time.sleep(0.002)

    def ask():
        own.is_free = threading.Event()
        own.is_free.set()
        assert own.do("b") == "b"
        thread = threading.Thread(target=own.do, args=("c",))
        thread.start()
        thread.join(WAIT_S)
        assert own.trips[2:] == [["b"], ["c"]]

    assert os.waitpid(fork_to(ask), 0)[1] == 0
    own.is_free.set()
    assert asked.result(WAIT_S) == "a"


def test_a_stop_waits_for_who_does_its_work_itself(own, pool):
    own.is_free.clear()
    asked = pool.submit(own.do, "a")
    while len(own.trips) < 2:
        time.sleep(0.002)
    stopping = pool.submit(own.queue.stop)
    time.sleep(0.02)
    assert not own.closed
    own.is_free.set()
    stopping.result(WAIT_S)
    assert asked.result(WAIT_S) == "a"
    assert len(own.closed) == 1


def threads_of(begin):
    """The threads that something begins."""
    before = set(threading.enumerate())
    begin()
    return set(threading.enumerate()) - before


def end_all(threads):
    for thread in threads:
        thread.join(WAIT_S)
    return not any(thread.is_alive() for thread in threads)


@pytest.mark.parametrize("threads", [1, 3])
def test_the_threads_end_when_nobody_holds_the_queue(threads):
    disk = Disk(threads)
    closed = disk.closed

    def use_all():
        with ThreadPoolExecutor(threads) as many:
            asked = []
            for number in range(threads):
                asked.append(many.submit(disk.do, number))
                disk.wait_until(number + 1, 0)
            disk.is_free.set()
            assert [one.result(WAIT_S) for one in asked] == list(range(threads))

    begun = {thread for thread in threads_of(use_all) if thread.name == "thrifty ledger"}
    assert len(begun) >= threads
    disk.commit = disk.close = None
    del disk.queue
    assert end_all(begun)
    assert len(closed) == threads


def test_a_queue_that_its_own_thread_lets_go_ends():
    """The last one that holds it may be a piece of work."""
    held = [CommitQueue(lambda tasks: [task.attempt(None) for task in tasks], lambda: None)]
    task = QueuedWork(lambda _: held.clear(), "write", None, QueueWaker())
    begun = threads_of(lambda: held[0]._submit(task, 1))
    task._waker.sleep()
    assert held == []
    assert end_all(begun)


def test_what_was_raised_does_not_keep_the_queue():
    def commit(tasks):
        raise OSError("no disk")

    class Owner:
        """What holds a queue, as a storage does."""

        def __init__(self):
            self.queue = CommitQueue(commit, lambda: None)

        def do(self):
            return self.queue.run(lambda _: 1)

    owners = [Owner()]

    def use():
        with pytest.raises(OSError, match="no disk"):
            owners[0].do()

    begun = threads_of(use)
    gc.disable()
    try:
        owners.clear()
        assert end_all(begun)
    finally:
        gc.enable()


def test_work_that_asks_a_ledger_is_refused_and_does_not_hang():
    """No ledger's thread ever waits for a ledger, be it another one."""
    told = "^a ledger was asked from within a transaction of a ledger; ask after it has ended$"
    disk, other = Disk(), Disk()
    disk.is_free.set()
    other.is_free.set()
    for asked in (disk, other):
        with pytest.raises(LedgerUnavailable, match=told):
            disk.queue.run(lambda _, asked=asked: asked.do("b"))
    assert disk.do("a") == "a"
    disk.queue.stop()
    assert other.trips == []


def test_where_no_thread_can_start_nothing_is_queued(monkeypatch):
    disk = Disk()
    disk.is_free.set()

    def refuse(thread):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        with pytest.raises(LedgerUnavailable, match=r"\(can't start new thread\); end some"):
            disk.do("a")
    assert disk.do("b") == "b"
    assert disk.trips == [["b"]]
    disk.queue.stop()


def test_who_forks_as_it_waits_is_told_in_the_child_alone(disk):
    """In a signal handler, that is. The parent does the work; the child has nobody who would."""
    forked = []

    def fork(*_):
        forked.append(os.fork())
        if forked[0]:
            assert os.waitpid(forked[0], 0)[1] == 0
            disk.is_free.set()

    before = signal.signal(signal.SIGUSR1, fork)

    def signal_soon():
        disk.wait_until(1, 0)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGUSR1)

    threading.Thread(target=signal_soon).start()
    try:
        result = disk.do("a")
    except LedgerUnavailable as error:
        os._exit(0 if "its parent does what was asked" in str(error) else 1)
    finally:
        if forked and not forked[0]:
            os._exit(2)
        signal.signal(signal.SIGUSR1, before)
    assert result == "a"
    assert disk.do("b") == "b"
    assert disk.trips == [["a"], ["b"]]


AT_EXIT = """
import atexit, sys, time
from thrifty.ledger.commit_queue import CommitQueue
from thrifty.ledger.queued_work import QueuedWork
from thrifty.ledger.thread_waker import QueueWaker
def commit(tasks):
    for task in tasks:
        task.attempt(None)
queue = CommitQueue(commit, lambda: print("closed", flush=True))
queue.run(lambda _: print("done", flush=True))
atexit.register(lambda: queue.run(lambda _: print("done at the end", flush=True)))
left = QueuedWork(lambda _: print("left behind", flush=True), "write", None, QueueWaker())
queue._submit(left, 1)
"""


def test_the_end_of_a_program_waits_for_what_is_queued_and_closes():
    ended = subprocess.run(
        [sys.executable, "-c", AT_EXIT], capture_output=True, text=True, timeout=WAIT_S, check=True
    )
    assert ended.stdout.split("\n") == ["done", "left behind", "done at the end", "closed", ""]
    assert ended.stderr == ""


def test_the_end_of_a_program_does_not_wait_for_ever(disk, ask, monkeypatch):
    (asked,) = ask("a")
    monkeypatch.setattr(commit_queue, "EXIT_WAIT_S", 0.01)
    commit_queue._stop_all()
    assert not asked.done()
    disk.is_free.set()
    assert asked.result(WAIT_S) == "a"


def test_a_program_that_ends_is_told_so(disk, monkeypatch):
    monkeypatch.setattr(sys, "is_finalizing", lambda: True)
    with pytest.raises(LedgerUnavailable, match=r"^Python is shutting down; ask the ledger before"):
        disk.do("a")
