"""What Studio draws and asks for: the graph, the input form, the settings, the prompts."""

import pytest

from tests.studio.conftest import GRAPH
from thrifty import Context
from thrifty.prompts import load_prompt

pytestmark = pytest.mark.studio

EDGES = {
    ("__start__", "generate_options"),
    ("generate_options", "plan"),
    ("plan", "route"),
    ("route", "run_llm"),
    ("route", "run_local"),
    ("route", "check_spend"),
    ("run_llm", "check_spend"),
    ("run_local", "check_spend"),
    ("check_spend", "route"),
    ("check_spend", "plan"),
    ("check_spend", "approve"),
    ("check_spend", "finish"),
    ("plan", "approve"),
    ("plan", "finish"),
    ("approve", "route"),
    ("approve", "plan"),
    ("approve", "finish"),
    ("finish", "__end__"),
}


@pytest.fixture(scope="module")
def schemas(sdk):
    (assistant,) = sdk.assistants.search(graph_id=GRAPH, metadata={"created_by": "system"})
    return sdk.assistants.get_schemas(assistant["assistant_id"])


@pytest.fixture(scope="module")
def settings(schemas):
    return schemas["context_schema"]["properties"]


def limit_of(schema):
    """The branch of a form's field that is not null."""
    (branch,) = (b for b in schema.get("anyOf", [schema]) if b.get("type") != "null")
    return branch


def test_the_graph_is_drawn_as_designed(client):
    drawn = client.assistants.get_graph(GRAPH)
    assert {(edge["source"], edge["target"]) for edge in drawn["edges"]} == EDGES
    assert {node["id"] for node in drawn["nodes"]} == {end for edge in EDGES for end in edge}


def test_the_input_form_has_a_task_messages_and_a_budget(schemas):
    form = schemas["input_schema"]["properties"]
    assert set(form) == {"task", "messages", "budget", "documents", "words", "run_id"}
    assert (form["task"]["title"], form["task"]["description"]) == (
        "Task",
        "What is to be done: any task, in any language.",
    )
    assert form["messages"]["type"] == "array"


@pytest.mark.parametrize(
    ("field", "kind"),
    [
        ("max_tokens", "integer"),
        ("max_cost_usd", "number"),
        ("max_latency_ms", "integer"),
        ("max_tool_calls", "integer"),
    ],
)
def test_each_limit_has_a_title_a_description_and_a_bound(schemas, settings, field, kind):
    for limits in (schemas["input_schema"]["$defs"]["BudgetForm"]["properties"], settings):
        limit = limits[field]
        assert limit["title"]
        assert limit["description"]
        assert (limit_of(limit)["type"], limit_of(limit)["minimum"]) == (kind, 0)


def test_the_output_says_what_comes_back(schemas):
    assert set(schemas["output_schema"]["properties"]) == {
        "answer", "draft", "results", "structured", "status", "halt_reason", "spend", "plan",
        "receipt", "messages",
    }  # fmt: skip


def test_every_setting_says_what_it_is_and_has_bounds(settings):
    assert set(settings) == set(Context.model_fields)
    for name, setting in settings.items():
        assert setting["title"], name
        assert setting["description"], name
        bounded = {"maximum", "maxLength", "enum", "const"} & set(limit_of(setting))
        assert bounded or setting["type"] == "boolean", name


def test_settings_stand_at_the_nodes_that_read_them(settings):
    nodes = {name: setting.get("langgraph_nodes") for name, setting in settings.items()}
    assert nodes["model"] == ["generate_options", "run_llm"]
    assert nodes["propose_options"] == ["generate_options"]
    assert nodes["engine"] == nodes["max_steps"] == ["plan"]
    assert nodes["max_concurrency"] == ["route"]
    assert nodes["on_drift"] == nodes["max_replans"] == ["check_spend"]


def test_prompts_can_be_edited_at_their_nodes(settings):
    prompts = {name: s for name, s in settings.items() if name.endswith("_prompt")}
    assert len(prompts) == 7
    for name, prompt in prompts.items():
        asks = name in ("propose_prompt", "decompose_prompt")
        at = "generate_options" if asks else "run_llm"
        assert (prompt["langgraph_type"], prompt["langgraph_nodes"]) == ("prompt", [at])
        assert prompt["default"] == load_prompt(name.removesuffix("_prompt"))


def test_no_setting_names_an_address_a_key_or_a_price(schemas, settings):
    assert schemas["context_schema"]["additionalProperties"] is False
    for name in settings:
        assert not {"url", "key", "price", "host", "api"} & set(name.split("_"))
