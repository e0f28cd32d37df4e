"""What a person reads of each event of a run."""

from typing import Any

import pytest

from tests.cli.samples import HOSTILE, OUTLINE
from thrifty.budget import Spend
from thrifty.cli.view.notices import Notice, notices


def decided(kind: str, reason: str = "because") -> dict[str, Any]:
    return {"event": "decided", "kind": kind, "reason": reason}


def ended(status: str, reason: str = "", actual: Spend = Spend()) -> dict[str, Any]:
    spent = actual.to_state()
    event = {"event": "step_finished", "option": OUTLINE.name, "status": status}
    return {**event, "reason": reason, "actual": spent}


def test_a_step_starts():
    event = {"event": "step_started", "option": OUTLINE.name}
    assert list(notices(event)) == [Notice("start", OUTLINE.name)]


def test_an_end_tells_what_was_spent():
    (notice,) = notices(ended("done", actual=Spend(512, 0, 980, 1)))
    assert notice == Notice("done", f"{OUTLINE.name}  512 tokens, 980 ms, 1 call")


def test_a_failure_tells_why_and_what_it_cost():
    (notice,) = notices(ended("failed", "the server failed (500)", Spend(9, 0, 0, 1)))
    assert notice.text == f"{OUTLINE.name}  the server failed (500); 9 tokens, 1 call"


@pytest.mark.parametrize("kind", ["replan", "downgrade", "skip", "halt", "options"])
def test_a_decision_tells_its_reason(kind):
    assert [n.text for n in notices(decided(kind))] == [f"{kind}: because"]


def test_a_skipped_step_is_said_once():
    """By the decision to skip it."""
    assert not list(notices(ended("skipped", "because")))


def test_the_first_plan_is_left_to_its_table_and_later_ones_are_lines():
    assert not list(notices({"event": "plan_made", "plan": {}, "reason": "A"}))
    (later,) = notices({"event": "replanned", "plan": {}, "reason": "A, B: worth 3.0"})
    assert later == Notice("replan", "new plan: A, B: worth 3.0")


def test_being_offline_is_not_said_again():
    assert not list(notices(decided("offline")))


def test_hostile_text_becomes_one_harmless_line():
    (notice,) = notices(decided("halt", f"{HOSTILE}\n{HOSTILE}"))
    assert notice.text.isprintable()


@pytest.mark.parametrize("kind", ["spend_changed", "step_progress", "waiting", "done"])
def test_what_is_shown_elsewhere_is_worth_no_line(kind):
    assert not list(notices({"event": kind}))
