"""Answers in a shape: asked for as a function's arguments, counted, checked, told honestly."""

from dataclasses import replace

import pytest
from pydantic import BaseModel, Field

from tests.graph.conftest import receipt_of
from tests.harness.llm_server import Answer
from thrifty import InvalidInput, Model, Result, Spend, Step, StepOption

ROOMY = {"max_tokens": 20_000, "max_tool_calls": 9}
CONTEXT = {"propose_options": False}
GOOD = {"depot": "North", "vehicles": 14, "since": "2024-05-01"}


class Fleet(BaseModel):
    """What is known of a depot."""

    depot: str
    vehicles: int = Field(ge=0)
    since: str | None = None


SCHEMA = {
    "title": "Fleet of a depot",
    "type": "object",
    "properties": {
        "depot": {"type": "string"},
        "vehicles": {"type": "integer", "minimum": 0},
        "since": {"anyOf": [{"type": "string"}, {"type": "null"}]},
    },
    "required": ["depot", "vehicles"],
    "additionalProperties": False,
}
ANSWER = StepOption("Answer", "Answer", "llm", "Answer it.", Spend(600, 0, 900, 1), 9.0)
CATALOG = [Step("Answer", (ANSWER,), role="answer")]


@pytest.mark.parametrize("shape", [Fleet, SCHEMA])
@pytest.mark.parametrize("api", ["chat", "responses"])
def test_an_answer_comes_in_its_shape_and_is_on_the_bill(online, server, ledger, shape, api):
    server.script(Answer(GOOD))
    agent = online(api, catalog=CATALOG, response_format=shape)
    result = agent.invoke({"task": "Vans", "budget": ROOMY}, context=CONTEXT)
    assert result["structured"] == GOOD
    assert result["status"] == "done"
    assert result["results"]["Answer"]["data"] == GOOD
    receipt = receipt_of(result)
    assert receipt.spent.tokens == server.bill.total_tokens > 0
    (entry,) = ledger.entries(receipt.run_id)
    assert entry.reserved.tokens >= server.bill.input_tokens


BY_GRAMMAR = {"strong": Model("llama3", shape_field="response_format")}
"""At a server that leaves tools out where a model was not made for them."""


@pytest.mark.parametrize("shape", [Fleet, SCHEMA])
def test_a_server_without_tools_is_asked_for_the_shape_itself(online, server, ledger, shape):
    server.script(Answer(GOOD))
    agent = online(models=BY_GRAMMAR, catalog=CATALOG, response_format=shape)
    result = agent.invoke({"task": "Vans", "budget": ROOMY}, context=CONTEXT)
    assert (result["structured"], result["status"]) == (GOOD, "done")
    (request,) = server.requests
    assert not {"tools", "tool_choice"} & request.body.keys()
    wanted = request.body["response_format"]["json_schema"]
    assert wanted["schema"]["required"] == ["depot", "vehicles"]
    (entry,) = ledger.entries(receipt_of(result).run_id)
    assert entry.reserved.tokens >= entry.charged.tokens == server.bill.total_tokens


@pytest.mark.parametrize(
    ("models", "told"),
    [
        (None, "; if its server leaves out functions, set shape_field to response_format"),
        (BY_GRAMMAR, "answer with JSON"),
    ],
)
def test_text_where_a_shape_was_asked_for_is_paid_and_says_what_may_help(
    online, server, models, told
):
    server.script(Answer("14 vans", times=None))
    agent = online(models=models, catalog=CATALOG, response_format=Fleet)
    result = agent.invoke({"task": "Vans", "budget": ROOMY}, context=CONTEXT)
    assert (result["structured"], result["status"]) == (None, "halted")
    assert receipt_of(result).halt_reason.endswith(told)
    assert receipt_of(result).spent.tokens == server.bill.total_tokens > 0


@pytest.mark.parametrize("shape", [Fleet, SCHEMA])
@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ({**GOOD, "vehicles": -1}, "structured.vehicles: got -1"),
        ({"depot": "North"}, "structured.vehicles"),
        ({**GOOD, "vehicles": "many"}, "structured.vehicles: got 'many'"),
    ],
)
def test_an_answer_of_another_shape_is_none_and_the_run_says_so(
    online, server, shape, answer, told
):
    server.script(Answer(answer, times=None))
    agent = online(catalog=CATALOG, response_format=shape)
    result = agent.invoke({"task": "Vans", "budget": ROOMY}, context=CONTEXT)
    assert result["structured"] is None
    assert result["status"] == "halted"
    assert told in receipt_of(result).halt_reason
    assert receipt_of(result).spent.tokens == server.bill.total_tokens > 0
    assert result["results"] == {}


def test_another_option_answers_where_one_failed(online, server):
    server.script(Answer({"depot": "North"}, times=None))
    mine = StepOption("Code", "Answer", "mine", "Look it up.", Spend(0, 0, 5, 0), 2.0)
    agent = online(
        catalog=[Step("Answer", (ANSWER, mine), role="answer")],
        executors={"mine": lambda work: Result("From the list.", GOOD)},
        response_format=Fleet,
    )
    result = agent.invoke({"task": "Vans", "budget": ROOMY}, context=CONTEXT)
    assert result["structured"] == GOOD
    assert result["draft"] == "From the list."
    assert result["status"] == "done"


def test_ways_that_fail_alike_are_told_of_once(online, server):
    again = replace(ANSWER, name="Answer again", value=8.0)
    mine = StepOption("Code", "Answer", "mine", "Look it up.", Spend(0, 0, 5, 0), 2.0)
    server.script(Answer({"depot": "North"}, times=None))
    agent = online(
        catalog=[Step("Answer", (ANSWER, again, mine), role="answer")],
        executors={"mine": lambda work: Result("From the list.", GOOD)},
        response_format=Fleet,
    )
    result = agent.invoke({"task": "Vans", "budget": ROOMY}, context=CONTEXT)
    assert len(server.requests) == 2
    (warning,) = receipt_of(result).warnings
    assert warning.startswith("Answer fell back to mine: structured.vehicles")


@pytest.mark.parametrize(
    ("output", "structured"),
    [(GOOD, GOOD), ('{"depot": "S", "vehicles": 1}', {"depot": "S", "vehicles": 1, "since": None})],
)
def test_an_executor_answers_in_the_shape_as_data_or_as_json(offline, output, structured):
    option = StepOption("Code", "Answer", "mine", "Look it up.", Spend(0, 0, 5, 0), 2.0)
    agent = offline(
        catalog=[Step("Answer", (option,), role="answer")],
        executors={"mine": lambda work: output},
        response_format=Fleet,
    )
    assert agent.invoke({"task": "Vans", "budget": ROOMY})["structured"] == structured


def test_what_an_executor_used_is_charged_whatever_its_shape(offline):
    option = StepOption("Code", "Answer", "mine", "Look it up.", Spend(50, 0, 5, 1), 2.0)
    agent = offline(
        catalog=[Step("Answer", (option,), role="answer")],
        executors={"mine": lambda work: Result("no JSON", spend=Spend(7))},
        response_format=Fleet,
    )
    result = agent.invoke({"task": "Vans", "budget": ROOMY})
    assert receipt_of(result).spent.tokens == 7
    assert result["structured"] is None
    assert "answer with JSON" in receipt_of(result).halt_reason


def test_answers_without_a_shape_are_texts(online):
    result = online(catalog=CATALOG).invoke({"task": "V", "budget": ROOMY}, context=CONTEXT)
    assert result["structured"] is None
    assert result["status"] == "done"


@pytest.mark.parametrize(
    ("shape", "told"),
    [
        (3, "response_format: got 3; use a pydantic class or a JSON schema"),
        ({"type": "array"}, "response_format.type: got 'array'; use a schema of an object"),
        ({"type": "object", "not": {}}, "response_format.not: got"),
    ],
)
def test_a_shape_that_nobody_can_check_is_refused(offline, shape, told):
    with pytest.raises(InvalidInput, match=told):
        offline(catalog=CATALOG, response_format=shape)


def test_a_shape_needs_a_step_that_answers(offline):
    with pytest.raises(InvalidInput, match="let a step of the recipe have the role answer"):
        offline(response_format=Fleet)
