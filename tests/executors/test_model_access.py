"""Which model may be asked for an option: none whose fees nobody can count, where money counts."""

from dataclasses import replace

from thrifty import Model, Settings, Spend, StepOption, TokenPrice, UseFee
from thrifty.executors.model_access import ModelAccess
from thrifty.models.roles.model_roles import ModelRoles

OPTION = StepOption("Facts (LLM)", "Facts", "llm", "Find facts.", Spend(300, tool_calls=1), 9.0)


def access(model, *, is_cost_limited=True) -> ModelAccess:
    settings = Settings("sk-test", models={"strong": model})
    return ModelAccess(ModelRoles(settings), is_cost_limited)


def test_a_model_that_searches_by_itself_is_planned_for_only_where_money_is_not_limited():
    why = access("gpt-4o-search-preview").unavailable_reason(OPTION)
    assert why.startswith("gpt-4o-search-preview, which searches by itself; each use has a fee: ")
    assert "Model(..., fees={'web_search': UseFee(" in why
    free = access("gpt-4o-search-preview", is_cost_limited=False)
    assert not free.unavailable_reason(OPTION)


def test_with_a_declared_fee_it_is_planned_for_and_needs_its_price_as_well():
    fees = {"web_search": UseFee(0.01, uses_max=1, tokens_max=0)}
    name = "house-search-preview"
    assert not access(Model(name, price=TokenPrice(1, 5), fees=fees)).unavailable_reason(OPTION)
    assert "price" in access(Model(name, fees=fees)).unavailable_reason(OPTION)


def test_where_no_fee_can_be_declared_nobody_is_told_to():
    sonar = Model("openrouter:perplexity/sonar", key_variable="", base_url="http://127.0.0.1:9")
    assert "which cannot be declared here" in access(sonar).unavailable_reason(OPTION)


def test_a_person_is_told_which_model_works_with_tools():
    option = replace(OPTION, executor="llm with tools", payload={"model": "strong"})
    assert access("gpt-5").executor_label(option) == "gpt-5 with tools"
