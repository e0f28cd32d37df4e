"""The cache: it knows what its run's state says, and nothing that it said once."""

import pytest

from thrifty import InvalidInput, Outcome, Spend, Step, StepOption
from thrifty.executors.draft import Draft
from thrifty.run.run_cache import RunCache


def option(step: str) -> StepOption:
    return StepOption(f"{step} (local)", step, "local", "does it", Spend(), 1.0)


A, B, C = (option(step) for step in "ABC")
STEPS = [Step(o.step, (o,)) for o in (A, B, C)]
DONE_A = Outcome(A, "done", "text of A").to_state()
FAILED_B = Outcome(B, "failed", reason="it raised").to_state()
STOPPED_B = Outcome(B, "stopped").to_state()
CUT_B = Outcome(B, "cut", "text of").to_state()


def contents(cache: RunCache) -> tuple[list[str], set[str], list[str], str]:
    tried = [f"{outcome.step} {outcome.status}" for outcome in cache.outcomes]
    failed = [outcome.reason for outcome in cache.failures]
    return (
        tried,
        cache.finished,
        failed,
        str(cache.accumulate("draft", None, lambda: Draft(STEPS), Draft.add)),
    )


def test_it_grows_with_the_state():
    cache = RunCache()
    assert contents(cache.update([DONE_A])) == (["A done"], {"A"}, [], "## A\n\ntext of A")
    grown = contents(cache.update([DONE_A, FAILED_B]))
    assert grown == (["A done", "B failed"], {"A"}, ["it raised"], "## A\n\ntext of A")
    assert contents(cache.update([DONE_A, FAILED_B])) == grown


def test_it_comes_to_the_same_however_often_it_was_asked():
    states = [STOPPED_B, CUT_B, DONE_A]
    step_by_step = RunCache()
    for known in range(len(states) + 1):
        contents(step_by_step.update(states[:known]))
    assert contents(step_by_step) == contents(RunCache().update(states))
    assert contents(step_by_step)[1:3] == ({"A", "B"}, [])


def test_of_a_run_that_went_back_it_knows_nothing():
    for past in ([DONE_A], [CUT_B], []):
        cache = RunCache().update([DONE_A, FAILED_B])
        assert contents(cache)[2]
        kept = cache.compute_once("steps", None, lambda: "of another past")
        assert contents(cache.update(past)) == contents(RunCache().update(past))
        assert cache.compute_once("steps", None, lambda: "anew") == "anew" != kept


def test_what_is_made_of_facts_is_made_once_until_they_change():
    cache, made = RunCache(), []
    for facts in ([1], [1], [2], [1]):
        cache.compute_once("sum", facts, lambda facts=facts: made.append(facts))
    assert made == [[1], [2], [1]]


def test_an_object_that_was_written_is_handed_on_and_not_read_again():
    cache, outcome = RunCache(), Outcome(A, "done", "text of A")
    state = cache.write(outcome)
    assert cache.read(Outcome, state) is outcome
    assert cache.update([state]).outcomes[0] is outcome


def test_plain_data_that_nobody_wrote_here_is_read_once():
    cache = RunCache()
    outcome = cache.read(Outcome, DONE_A)
    assert outcome == Outcome.from_state(DONE_A)
    assert cache.read(Outcome, DONE_A) is outcome


def test_a_copy_is_read_anew_as_somebody_may_have_changed_it():
    cache = RunCache()
    state = cache.write(Outcome(A, "done", "text of A"))
    assert cache.read(Outcome, {**state, "text": "changed"}).text == "changed"
    with pytest.raises(InvalidInput, match="outcome"):
        cache.read(Outcome, {**state, "status": "x"})
