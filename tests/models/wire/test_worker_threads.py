"""Threads that work beside an event loop."""

import time
from threading import Event, Thread, current_thread

import pytest

from thrifty.models.wire import worker_threads
from thrifty.models.wire.worker_threads import WorkerThreads


def test_what_is_done_is_handed_on_and_what_is_raised_as_well():
    threads = WorkerThreads("worker", 2)
    assert threads.submit(divmod, 7, 2).result(240) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        threads.submit(divmod, 7, 0).result(240)


def test_there_are_as_many_threads_as_there_is_work_up_to_a_number():
    threads, may_end, names = WorkerThreads("worker", 2), Event(), []

    def work(number):
        names.append(current_thread().ident)
        assert may_end.wait(240)
        return number

    assert not threads.is_in_use
    results = [threads.submit(work, number) for number in range(5)]
    while len(names) < 2:
        time.sleep(0.001)
    assert len(set(names)) == 2
    may_end.set()
    assert [result.result(240) for result in results] == [0, 1, 2, 3, 4]
    assert len(set(names)) == 2
    assert all(thread is not None for thread in names)


def test_one_that_waits_does_what_comes_next():
    threads = WorkerThreads("worker", 8)
    first = threads.submit(current_thread).result(240)
    while threads._idle < 1:
        time.sleep(0.001)
    assert threads.submit(current_thread).result(240) is first
    assert first.daemon


def test_threads_end_when_there_is_nothing_to_do_and_come_back(monkeypatch):
    monkeypatch.setattr(worker_threads, "IDLE_S", 0.01)
    threads = WorkerThreads("worker", 8)
    first = threads.submit(current_thread).result(240)
    first.join(240)
    assert not threads.is_in_use
    assert threads.submit(current_thread).result(240) is not first


def test_where_no_thread_can_be_started_it_is_done_at_once(monkeypatch):
    """As when the interpreter is about to end."""

    def refuse(thread):
        raise RuntimeError("can't create new thread at interpreter shutdown")

    threads = WorkerThreads("worker", 8)
    monkeypatch.setattr(Thread, "start", refuse)
    assert threads.submit(current_thread).result(240) is current_thread()


@pytest.mark.parametrize("end", [lambda: 7, lambda: 1 // 0])
def test_a_thread_outlives_work_that_nobody_waits_for_any_more(end):
    """As when a deadline passes while a large answer is parsed."""
    threads, has_begun, may_end = WorkerThreads("worker", 1), Event(), Event()

    def work():
        has_begun.set()
        assert may_end.wait(240)
        return end()

    left = threads.submit(work)
    assert has_begun.wait(240)
    assert left.cancel()
    may_end.set()
    assert threads.submit(current_thread).result(240).name == "worker"
