"""A receipt in a file is input from a stranger: read whole, or refused in one clear sentence."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.budget.strategies import plain_data, texts
from tests.receipt.strategies import receipts
from thrifty.budget import InvalidInput
from thrifty.receipt.html import receipt_page
from thrifty.receipt.receipt_data import Receipt


def places(part, path=()):
    """Every place in plain data."""
    yield path
    if isinstance(part, dict | list):
        for key, member in part.items() if isinstance(part, dict) else enumerate(part):
            yield from places(member, (*path, key))


def changed(part, path, new):
    """Plain data with something else in one place; None takes a field away."""
    if not path:
        return new
    copy = part.copy()
    if new is None and len(path) == 1 and isinstance(copy, dict):
        del copy[path[0]]
    else:
        copy[path[0]] = changed(part[path[0]], path[1:], new)
    return copy


@given(receipts(texts), plain_data, st.data())
def test_whatever_stands_in_it_is_read_or_refused(receipt, new, data):
    state = receipt.to_state()
    path = data.draw(st.sampled_from(list(places(state))))
    with suppress(InvalidInput):
        receipt_page(Receipt.from_state(changed(state, path, new)))


@pytest.mark.parametrize("name", ["run_id", "lines", "spent", "halt_reason"])
def test_a_field_that_is_missing_is_named(name):
    state = json.loads(EXAMPLE)
    del state[name]
    with pytest.raises(InvalidInput, match=f"receipt.{name}"):
        Receipt.from_state(state)


def test_a_receipt_from_before_steps_had_times_is_still_shown():
    state = json.loads(EXAMPLE)
    page = receipt_page(Receipt.from_state(state))
    assert "Outline plan" in page
    assert "Timeline" not in page


EXAMPLE = """{
  "run_id": "run-1", "task": "Plan", "status": "done", "halt_reason": "",
  "budget": {"max_tokens": 100}, "spent": {"tokens": 60, "tool_calls": 1}, "planned": {},
  "within_budget": true, "bound_by": [], "bound_by_accounts": [], "decisions": [],
  "lines": [{"label": "Outline plan", "executor": "llm", "status": "done", "planned": null,
             "actual": {"tokens": 60, "tool_calls": 1}, "value": 3.0, "reason": ""}]
}"""
