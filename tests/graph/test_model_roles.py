"""Options and proposals ask models by role, each at its own address and price."""

import pytest
from langchain_openai import ChatOpenAI

from tests.graph.conftest import TASK, decisions_of, receipt_of
from tests.harness.llm_server import Answer, LLMServer, ServerError, Unauthorized
from thrifty import (
    InvalidInput,
    Model,
    Settings,
    Spend,
    StepOption,
    TokenPrice,
    create_budget_agent,
)

ROOMY = {"max_tokens": 20_000, "max_tool_calls": 9}
ROLES = {"strong": "gpt-5", "cheap": "gpt-5-mini"}


def option(step: str, role: str = "", value: float = 5.0) -> StepOption:
    payload = {"model": role} if role else {}
    name = f"{step} ({role or 'any'})"
    return StepOption(name, step, "llm", "says what", Spend(300, 0, 900, 1), value, payload=payload)


def asked(server: LLMServer) -> list[str]:
    return [request.model for request in server.requests]


def test_proposals_ask_the_cheap_model_and_steps_the_strong_one(online, server):
    online(models=ROLES, catalog=[option("Aims")]).invoke({"task": TASK, "budget": ROOMY})
    assert asked(server)[:2] == ["gpt-5-mini", "gpt-5"]


def test_it_is_said_when_the_cheap_model_cannot_be_asked(online, server):
    models = {"strong": "gpt-5", "cheap": Model("gpt-5-mini", key_variable="NO_SUCH_KEY")}
    result = online(models=models, catalog=[option("Aims")]).invoke({"task": TASK, "budget": ROOMY})
    assert asked(server) == ["gpt-5"]
    told = "extra steps were not asked for: offline: NO_SUCH_KEY holds no key"
    assert told in decisions_of(result, "options")


def test_one_model_alone_does_both(online, server):
    agent = online(models={"local": "tiny"}, catalog=[option("Aims")])
    agent.invoke({"task": TASK, "budget": ROOMY})
    assert set(asked(server)) == {"tiny"}


def test_a_run_chooses_a_role_for_all_that_names_none(online, server):
    """Also for proposals: nothing is sent to a model that it did not choose."""
    agent = online(models={**ROLES, "local": "tiny"}, catalog=[option("Aims")])
    agent.invoke({"task": TASK, "budget": ROOMY}, context={"model": "local"})
    assert set(asked(server)) == {"tiny"}


@pytest.mark.parametrize("role", ["gpt-5-mini", "Strong", "../x"])
def test_a_role_that_is_not_there_is_refused_before_anything_is_spent(online, server, role):
    with pytest.raises(InvalidInput, match="model roles: strong, cheap") as refused:
        online(models=ROLES, catalog=[option("Aims", role)])
    assert refused.value.field == f"option 'Aims ({role})'.payload.model"
    with pytest.raises(InvalidInput, match="model roles: strong, cheap") as refused:
        online(models=ROLES).invoke({"task": TASK, "budget": ROOMY}, context={"model": role})
    assert refused.value.field == "context.model"
    assert not server.requests


@pytest.fixture
def other() -> LLMServer:
    with LLMServer() as running:
        yield running


def two_servers(server: LLMServer, other: LLMServer) -> dict[str, Model]:
    return {
        "strong": Model("gpt-5", base_url=server.base_url, key_variable="KEY_OF_ONE"),
        "local": Model(
            "gpt-5",
            base_url=other.base_url,
            key_variable="KEY_OF_OTHER",
            price=TokenPrice(0, 0),
            api="responses",
        ),
    }


def test_one_name_at_two_addresses_has_two_keys_two_protocols_and_two_prices(
    server, other, monkeypatch, ledger
):
    monkeypatch.setenv("KEY_OF_ONE", "sk-one")
    monkeypatch.setenv("KEY_OF_OTHER", "sk-other")
    agent = create_budget_agent(
        catalog=[option("Aims", "strong"), option("Costs", "local")],
        settings=Settings(api_key="sk-default", models=two_servers(server, other)),
        ledger=ledger,
    )
    budget = {**ROOMY, "max_cost_usd": 1}
    result = agent.invoke({"task": TASK, "budget": budget}, context={"propose_options": False})
    (one,), (two,) = server.requests, other.requests
    assert (one.headers["authorization"], two.headers["authorization"]) == (
        "Bearer sk-one",
        "Bearer sk-other",
    )
    assert ("messages" in one.body, "input" in two.body) == (True, True)
    lines = {line.label: line.actual for line in receipt_of(result).lines}
    assert lines["Aims (strong)"].cost_nano_usd > 0
    assert lines["Costs (local)"].cost_nano_usd == 0
    assert lines["Costs (local)"].tokens > 0


def test_a_role_without_its_key_is_left_out_and_the_other_does_the_work(server, other, monkeypatch):
    monkeypatch.setenv("KEY_OF_OTHER", "sk-other")
    options = [option("Aims", "strong", 9.0), option("Aims", "local", 4.0)]
    models = two_servers(server, other)
    agent = create_budget_agent(catalog=options, settings=Settings(models=models))
    context = {"propose_options": False}
    result = agent.invoke({"task": TASK, "budget": ROOMY}, context=context)
    assert not server.requests
    assert [line.label for line in receipt_of(result).lines] == ["Aims (local)"]
    reasons = {left["option"]: left["reason"] for left in result["plan"]["left_out"]}
    assert reasons["Aims (strong)"] == "offline: KEY_OF_ONE holds no key"


def test_a_model_out_of_order_leaves_the_others_at_work(server, other, monkeypatch):
    """A refused key is that of one address."""
    monkeypatch.setenv("KEY_OF_ONE", "sk-wrong")
    monkeypatch.setenv("KEY_OF_OTHER", "sk-other")
    server.script(Unauthorized(times=None))
    options = [
        option("Aims", "strong", 9.0),
        option("Aims", "local", 4.0),
        option("Costs", "strong", 9.0),
        option("Costs", "local", 4.0),
    ]
    agent = create_budget_agent(
        catalog=options, settings=Settings(models=two_servers(server, other))
    )
    context = {"propose_options": False}
    result = agent.invoke({"task": TASK, "budget": ROOMY}, context=context)
    assert len(server.requests) == 1
    done = [line.label for line in receipt_of(result).lines if line.status == "done"]
    assert done == ["Aims (local)", "Costs (local)"]
    assert result["status"] == "done"
    reasons = {left["option"]: left["reason"] for left in result["plan"]["left_out"]}
    assert reasons["Costs (strong)"].startswith(
        "gpt-5 (strong) is out of order: gpt-5: the server refused the request (401): "
    )


def test_a_chat_model_of_ones_own_is_asked_as_it_was_made(server, ledger):
    own = ChatOpenAI(
        model="gpt-5", base_url=server.base_url, api_key="sk-own", reasoning_effort="high"
    )
    agent = create_budget_agent(catalog=[option("Aims")], models={"strong": own}, ledger=ledger)
    context = {"propose_options": False}
    result = agent.invoke({"task": TASK, "budget": ROOMY}, context=context)
    (request,) = server.requests
    assert request.headers["authorization"] == "Bearer sk-own"
    assert request.body["reasoning_effort"] == "high"
    assert receipt_of(result).spent.tokens == server.bill.total_tokens


def test_a_transient_failure_of_the_only_model_is_tried_again(online, server):
    server.clear()
    server.script(ServerError(), Answer("Said. " * 40))
    agent = online(models={"strong": "gpt-5"}, catalog=[option("Aims")])
    context = {"propose_options": False}
    result = agent.invoke({"task": TASK, "budget": ROOMY}, context=context)
    assert (result["status"], len(server.requests)) == ("done", 2)
    assert not decisions_of(result, "halt")
