"""Bad input over the SDK: one error that names field, value and remedy, and nothing spent."""

import pytest

pytestmark = pytest.mark.studio

GOOD = {"task": "Draft a project plan for a tea party"}


@pytest.mark.parametrize(
    ("given", "context", "told"),
    [
        ({}, {}, "task: got None; write some text"),
        (
            {**GOOD, "budget": {"max_tokens": -5}},
            {},
            "max_tokens: got -5; use a whole number from 0 to 1,000,000,000,000,000",
        ),
        (
            {**GOOD, "budget": {"max_tokns": 5}},
            {},
            "budget.max_tokns: got 5; known fields: max_tokens, max_cost_usd, ",
        ),
        (GOOD, {"max_steps": -1}, "context.max_steps: got -1; it should be greater than or equal"),
        (GOOD, {"max_tokens": "5"}, "context.max_tokens: got '5'; it should be a valid integer"),
        (
            GOOD,
            {"outline_prompt": "no names"},
            "context.outline_prompt: got 'no names'; add the placeholder {{ assignment }}",
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_bad_input_is_refused_before_anything_is_spent(run, models, given, context, told):
    with pytest.raises(Exception, match=r"^InvalidInput: ") as refused:
        run(input=given, context=context)
    assert told in str(refused.value)
    assert not models.requests
