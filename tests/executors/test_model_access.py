"""Which model may be asked for an option: none whose fees nobody can count, where money counts."""

from thrifty import Settings, Spend, StepOption
from thrifty.executors.model_access import ModelAccess
from thrifty.models.roles.model_roles import ModelRoles

OPTION = StepOption("Facts (LLM)", "Facts", "llm", "Find facts.", Spend(300, tool_calls=1), 9.0)


def test_a_model_that_searches_by_itself_is_planned_for_only_where_money_is_not_limited():
    roles = ModelRoles(Settings("sk-test", models={"strong": "gpt-4o-search-preview"}))
    why = ModelAccess(roles, is_cost_limited=True).unavailable_reason(OPTION)
    assert why.startswith("gpt-4o-search-preview, which searches by itself; each use has a fee: ")
    assert not ModelAccess(roles, is_cost_limited=False).unavailable_reason(OPTION)
