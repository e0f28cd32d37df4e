"""How the agent's own chat models are built."""

import pytest

from thrifty.models.providers.openai import OpenAIModel


@pytest.mark.parametrize(
    ("model", "effort", "sent"),
    [
        ("gpt-5", "auto", "low"),
        ("o4-mini", "auto", "low"),
        ("gpt-4o", "auto", None),
        ("llama3", "auto", None),
        ("llama3", "high", "high"),
        ("gpt-5", "none", "none"),
    ],
)
def test_effort_is_sent_where_it_means_something(model, effort, sent):
    assert OpenAIModel.thinking(model, effort).effort == sent
