"""What a person reads of each update of the graph's stream."""

from typing import Any

import pytest
from langgraph.types import Overwrite

from tests.cli.samples import HOSTILE, OUTLINE
from thrifty.budget import Outcome, Spend
from thrifty.cli.live import Notice, folded, notices


def decided(kind: str, reason: str = "because") -> dict[str, Any]:
    return {"decisions": [{"kind": kind, "reason": reason, "at_ms": 1}]}


def ended(**fields: Any) -> dict[str, Any]:
    return {"run_llm": {"outcomes": [Outcome(OUTLINE, **fields).to_state()]}}


def test_a_wave_starts_each_of_its_options():
    update = {"route": {"wave": [{"option": OUTLINE.to_state()}], "outcomes": [], "decisions": []}}
    assert list(notices(update)) == [Notice("start", OUTLINE.name, about=OUTLINE.name)]


def test_an_end_tells_what_was_spent():
    update = ended(status="done", text="x", actual=Spend(512, 0, 980, 1))
    (notice,) = notices(update)
    assert notice == Notice(
        "done", f"{OUTLINE.name}  512 tokens, 980 ms, 1 call", about=OUTLINE.name
    )


def test_a_failure_tells_why_and_what_it_cost():
    update = ended(status="failed", reason="the server failed (500)", actual=Spend(9, 0, 0, 1))
    (notice,) = notices(update)
    assert notice.text == f"{OUTLINE.name}  the server failed (500); 9 tokens, 1 call"


@pytest.mark.parametrize("kind", ["replan", "downgrade", "skip", "halt", "options"])
def test_a_decision_tells_its_reason(kind):
    assert [n.text for n in notices({"check_spend": decided(kind)})] == [f"{kind}: because"]


def test_a_skipped_step_is_said_once():
    skipped = Outcome(OUTLINE, "skipped", reason="because").to_state()
    update = {"route": {"wave": [], "outcomes": [skipped], **decided("skip")}}
    assert [notice.kind for notice in notices(update)] == ["skip"]


def test_the_first_plan_is_left_to_its_table_and_later_ones_are_lines():
    assert not list(notices({"plan": {"plan": {}, "first_plan": {}, **decided("plan")}}))
    (later,) = notices({"plan": {"plan": {}, **decided("plan", "A, B: worth 3.0")}})
    assert later == Notice("replan", "new plan: A, B: worth 3.0")


def test_being_offline_is_not_said_again():
    opened = {"decisions": Overwrite(decided("offline")["decisions"]), "outcomes": Overwrite([])}
    assert not list(notices({"generate_options": opened}))


def test_hostile_text_becomes_one_harmless_line():
    (notice,) = notices({"check_spend": decided("halt", f"{HOSTILE}\n{HOSTILE}")})
    assert notice.text.isprintable()


@pytest.mark.parametrize("update", [{}, {"plan": None}, {"__interrupt__": ()}])
def test_an_update_without_changes_is_worth_no_line(update):
    assert not list(notices(update))
    assert folded({"a": 1}, update)["a"] == 1


def test_outcomes_add_up_and_everything_else_is_replaced():
    known = folded({"spend": 1}, ended(status="done", text="x"))
    known = folded(known, {**ended(status="cut", text="y"), "check_spend": {"spend": 2}})
    assert [outcome["text"] for outcome in known["outcomes"]] == ["x", "y"]
    assert known["spend"] == 2
