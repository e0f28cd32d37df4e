"""What a provider charges for each use, beyond tokens."""

import pytest

from thrifty import Budget, InvalidInput
from thrifty.models.costs.prices import PriceList
from thrifty.models.costs.use_fees import hosted_kind, hosted_kinds, use_fee
from thrifty.models.guard.unmetered_request import UnmeteredRequest

SEARCHING = [
    *("gpt-4o-search-preview", "gpt-4o-mini-search-preview-2025-03-11", "gpt-5-search-api"),
    *("o3-deep-research", "o4-mini-deep-research-2025-06-26", "sonar", "perplexity/sonar-pro"),
    "openai/gpt-5:online",
]
PLAIN = ["gpt-4o", "o3", "research-assistant", "my-searcher", "llama3:8b", "sonarqube-7b"]


@pytest.mark.parametrize("model", [*SEARCHING, *PLAIN])
def test_models_that_search_by_themselves_are_known_by_their_names(model):
    assert bool(use_fee({"model": model})) == (model in SEARCHING)


def test_a_fee_that_was_declared_is_none_that_is_unknown():
    tools = {"model": "sonar", "tools": [{"type": "web_search_20250305"}, {"type": "mcp"}]}
    assert use_fee({"model_name": "sonar"}) == "sonar, which searches by itself"
    assert use_fee(tools, ["web_search"]) == "tools: mcp"
    assert use_fee(tools, ["web_search", "mcp"]) == ""
    assert hosted_kinds(tools) == ["web_search", "web_search", "mcp"]
    assert [hosted_kind(tool) for tool in (None, {"type": "function"})] == ["", ""]
    assert use_fee({"web_search_options": {"user_location": {}}}) == "web_search_options"


@pytest.mark.parametrize(
    ("tool", "has_fee"),
    [
        ({"type": "web_search_preview"}, True),
        ({"type": "web_search_20250305", "name": "web_search"}, True),
        ({"type": "code_interpreter", "container": {"type": "auto"}}, True),
        ({"google_search": {}}, True),
        ({"function_declarations": [], "google_search": {}}, True),
        ({"type": "function", "function": {"name": "web_search"}}, False),
        ({"name": "web_search", "input_schema": {}}, False),
        ({"type": "bash_20250124", "name": "bash"}, False),
        ({"function_declarations": []}, False),
        ("web_search", False),
    ],
)
def test_tools_that_run_at_a_provider_are_told_from_those_that_run_here(tool, has_fee):
    assert bool(use_fee({"model": "own", "tools": [tool]})) == has_fee


@pytest.mark.parametrize(
    "params", [{"model": "gpt-4o-search-preview"}, {"tools": [{"type": "web_search_20250305"}]}]
)
def test_the_guard_refuses_fees_while_money_is_limited(params):
    sent = UnmeteredRequest.read({"messages": []}, {"model": "own", "max_tokens": 9, **params})
    with pytest.raises(InvalidInput, match="each use has a fee"):
        sent.worst_case(Budget(max_cost_usd=1), PriceList({}))
    assert sent.worst_case(Budget(max_tokens=900), PriceList({})).tokens > 0
