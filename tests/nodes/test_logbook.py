"""The logbook: it knows what its run's state says, and nothing that it said once."""

from thrifty import Outcome, Spend, Step, StepOption
from thrifty.nodes.logbook import Logbook


def option(step: str) -> StepOption:
    return StepOption(f"{step} (local)", step, "local", "does it", Spend(), 1.0)


A, B, C = (option(step) for step in "ABC")
STEPS = [Step(o.step, (o,)) for o in (A, B, C)]
DONE_A = Outcome(A, "done", "text of A").to_state()
FAILED_B = Outcome(B, "failed", reason="it raised").to_state()
STOPPED_B = Outcome(B, "stopped").to_state()
CUT_B = Outcome(B, "cut", "text of").to_state()


def told(logbook: Logbook) -> tuple[list[str], set[str], list[str], str]:
    tried = [f"{outcome.step} {outcome.status}" for outcome in logbook.outcomes]
    failed = [outcome.reason for outcome in logbook.failures]
    return tried, logbook.finished, failed, str(logbook.draft(lambda: STEPS))


def test_it_grows_with_the_state():
    logbook = Logbook()
    assert told(logbook.reading([DONE_A])) == (["A done"], {"A"}, [], "## A\n\ntext of A")
    grown = told(logbook.reading([DONE_A, FAILED_B]))
    assert grown == (["A done", "B failed"], {"A"}, ["it raised"], "## A\n\ntext of A")
    assert told(logbook.reading([DONE_A, FAILED_B])) == grown


def test_it_comes_to_the_same_however_often_it_was_asked():
    states = [STOPPED_B, CUT_B, DONE_A]
    step_by_step = Logbook()
    for known in range(len(states) + 1):
        told(step_by_step.reading(states[:known]))
    assert told(step_by_step) == told(Logbook().reading(states))
    assert told(step_by_step)[1:3] == ({"A", "B"}, [])


def test_of_a_run_that_went_back_it_knows_nothing():
    for past in ([DONE_A], [CUT_B], []):
        logbook = Logbook().reading([DONE_A, FAILED_B])
        assert told(logbook)[2]
        kept = logbook.once("steps", None, lambda: "of another past")
        assert told(logbook.reading(past)) == told(Logbook().reading(past))
        assert logbook.once("steps", None, lambda: "anew") == "anew" != kept


def test_what_is_made_of_facts_is_made_once_until_they_change():
    logbook, made = Logbook(), []
    for facts in ([1], [1], [2], [1]):
        logbook.once("sum", facts, lambda facts=facts: made.append(facts))
    assert made == [[1], [2], [1]]
