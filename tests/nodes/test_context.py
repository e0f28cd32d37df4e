"""What a run may change: a deployment's form offers its own model roles."""

import pytest

from thrifty import Context, InvalidInput, Settings, create_budget_agent

ROLES = {"strong": "openai:gpt-5", "cheap": "anthropic:claude-haiku-4-5", "local": "llama3"}


def test_the_form_offers_the_roles_that_there_are():
    agent = create_budget_agent(settings=Settings(models=ROLES))
    form = agent.get_context_jsonschema()
    role = form["properties"]["model"]
    assert (role["enum"], role["default"]) == (["", "strong", "cheap", "local"], "")
    as_it_is = Context.model_json_schema()
    del role["enum"]
    assert form == as_it_is


def test_a_role_that_is_not_there_is_refused_with_those_that_are():
    agent = create_budget_agent(settings=Settings(models=ROLES))
    with pytest.raises(InvalidInput, match="model roles: strong, cheap, local") as refused:
        agent.invoke({"task": "Say why."}, context={"model": "gpt-5"})
    assert refused.value.field == "context.model"
