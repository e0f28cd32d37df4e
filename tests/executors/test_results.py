"""Results: whole, finite, and small enough for a state; what a step reads of them."""

import math

import pytest
from langchain_core.documents import Document
from langchain_core.messages import AIMessage
from pydantic import BaseModel

from thrifty import InvalidInput, Outcome, Result, Spend, Step, StepOption
from thrifty.executors.output_text import output_data
from thrifty.executors.results import Readings, Results

ROWS = [{"depot": "North", "vehicles": 14}, {"depot": "South", "vehicles": 9}]


class Depot(BaseModel):
    """What an agent with a shape returns."""

    name: str
    vehicles: int


def option(step: str) -> StepOption:
    return StepOption(step, step, "local", "does it", Spend(), 1.0)


def step(name: str, requires=(), reads=None, role="section") -> Step:
    return Step(name, (option(name),), requires, reads, role=role)


def wrote(name: str, text: str = "text", data=None, status="done") -> Outcome:
    return Outcome(option(name), status, text, Spend(3), data=data)


@pytest.mark.parametrize("data", [None, 3, 0.5, True, "t", [], {}, ROWS, {"a": [None, [1]]}])
def test_data_is_kept_as_it_is(data):
    result = Result("text", data)
    assert result.data == data
    assert Result.from_answer(result.to_answer(), Spend(3)) == Result("text", data, Spend(3))


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (math.nan, "result.data: got nan"),
        ({"a": [math.inf]}, r"result\.data\.a\[0\]: got inf"),
        (2**63, "result.data: got 9223372036854775808"),
        ({1: "a"}, "result.data: got 1; use texts as keys"),
        ({"a": b"x"}, "result.data.a: got b'x'; use text, finite numbers"),
        (object, "result.data: got"),
        ("x" * 1_000_001, "result: got '1,000,.* bytes'; use at most 1,000,000"),
    ],
)
def test_data_that_no_state_holds_is_refused(data, told):
    with pytest.raises(InvalidInput, match=told):
        Result("text", data)


def test_data_that_holds_itself_is_refused():
    endless = []
    endless.append(endless)
    with pytest.raises(InvalidInput, match="nest at most 20 levels"):
        Result("text", endless)


def test_data_is_a_copy_of_its_own_and_its_texts_are_plain():
    rows = [["North\x1b[2J", (1, 2)]]
    result = Result("text", rows)
    rows.append("later")
    assert result.data == [["North[2J", [1, 2]]]


def test_data_alone_is_put_into_words():
    assert Result(data={"price": 3}).text == "- **price:** 3"


@pytest.mark.parametrize(
    ("output", "data"),
    [
        ("a text", None),
        (None, None),
        (AIMessage("m"), None),
        ([Document("d")], None),
        ({"messages": [AIMessage("m")]}, None),
        ({"output": "o"}, None),
        ({"output": "o", "rows": ROWS}, {"output": "o", "rows": ROWS}),
        (ROWS, ROWS),
        (4, 4),
        (Depot(name="North", vehicles=14), {"name": "North", "vehicles": 14}),
        (
            {"messages": [], "structured_response": Depot(name="N", vehicles=1)},
            {"name": "N", "vehicles": 1},
        ),
        ([math.nan], None),
    ],
)
def test_the_data_in_whatever_a_tool_or_a_runnable_returns(output, data):
    assert output_data(output) == data


def test_what_was_made_is_there_whole_and_what_failed_is_not():
    results = Results({"Handbook": "words"})
    results.add([wrote("A", data=ROWS), wrote("B", "half", status="cut")])
    results.add([wrote("C", "", status="failed"), wrote("D", "", status="skipped")])
    assert results.select(["A", "B", "C", "D", "Handbook"]) == {
        "A": Result("text", ROWS, Spend(3)),
        "B": Result("half", None, Spend(3)),
        "Handbook": Result("words"),
    }
    assert results.to_state()["A"] == {"text": "text", "data": ROWS}


@pytest.mark.parametrize(
    ("reader", "present", "absent"),
    [
        (step("R"), ("Handbook",), ()),
        (step("R", requires=("A",)), ("A", "Handbook"), ()),
        (step("R", requires=("A",), reads=()), (), ()),
        (step("R", reads=("Handbook", "A", "B", "A")), ("Handbook", "A"), ("B",)),
        (step("R", requires=("A",), role="revision"), ("A",), ()),
    ],
)
def test_a_step_reads_what_it_says_or_what_it_requires_and_every_document(reader, present, absent):
    results = Results({"Handbook": "words"})
    results.add([wrote("A")])
    assert results.readings_of(reader) == Readings(present, absent)
