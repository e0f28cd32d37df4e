"""What a person reads of each event of a run."""

from typing import Any

import pytest

from tests.cli.samples import HOSTILE, OUTLINE
from thrifty.budget import Spend
from thrifty.cli.view.notices import describe_event


def decided(kind: str, reason: str = "because") -> dict[str, Any]:
    return {"event": "decided", "kind": kind, "reason": reason}


def ended(status: str, reason: str = "", actual: Spend = Spend()) -> dict[str, Any]:
    spent = actual.to_state()
    event = {"event": "step_finished", "option": OUTLINE.name, "status": status}
    return {**event, "reason": reason, "actual": spent}


def test_a_step_starts():
    event = {"event": "step_started", "option": OUTLINE.name}
    assert describe_event(event) == ("start", OUTLINE.name)


def test_an_end_tells_what_was_spent():
    line = describe_event(ended("done", actual=Spend(512, 0, 980, 1)))
    assert line == ("done", f"{OUTLINE.name}  512 tokens, 980 ms, 1 call")


def test_a_failure_tells_why_and_what_it_cost():
    line = describe_event(ended("failed", "the server failed (500)", Spend(9, 0, 0, 1)))
    assert line is not None
    assert line[1] == f"{OUTLINE.name}  the server failed (500); 9 tokens, 1 call"


@pytest.mark.parametrize("kind", ["replan", "downgrade", "skip", "halt", "options"])
def test_a_decision_tells_its_reason(kind):
    assert describe_event(decided(kind)) == (kind, f"{kind}: because")


def test_a_skipped_step_is_said_once():
    """By the decision to skip it."""
    assert describe_event(ended("skipped", "because")) is None


def test_the_first_plan_is_left_to_its_table_and_later_ones_are_lines():
    assert describe_event({"event": "plan_made", "plan": {}, "reason": "A"}) is None
    later = describe_event({"event": "replanned", "plan": {}, "reason": "A, B: worth 3.0"})
    assert later == ("replan", "new plan: A, B: worth 3.0")


def test_being_offline_is_not_said_again():
    assert describe_event(decided("offline")) is None


def test_hostile_text_becomes_one_harmless_line():
    line = describe_event(decided("halt", f"{HOSTILE}\n{HOSTILE}"))
    assert line is not None
    assert line[1].isprintable()


@pytest.mark.parametrize("kind", ["spend_changed", "step_progress", "waiting", "done"])
def test_what_is_shown_elsewhere_is_worth_no_line(kind):
    assert describe_event({"event": kind}) is None
