"""What a model answers when it is asked for steps: hostile input, of which a plan comes."""

import json
import time
from typing import Annotated

import pytest
from langchain_core.tools import StructuredTool
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from pydantic import BaseModel, BeforeValidator

from tests.options.decomposition_mutations import spoilt_replies
from tests.options.decompositions import DOCUMENT, GOOD, check, read, shown
from tests.options.hostile_decompositions import TEXTS, step, steps, tool
from thrifty.executors.registry import ExecutorRegistry
from thrifty.options.decomposition import Decomposition
from thrifty.options.read_decomposition import UNREADABLE, read_decomposition

SEEDS_AT_ONCE = 1
SEEDS = [
    pytest.param(seed, marks=[pytest.mark.long] * (seed >= SEEDS_AT_ONCE)) for seed in range(12)
]
MUTATIONS_PER_SEED = 1_000
USEFUL_SHARE = 0.95
"""Of 20,000 spoilt replies, 97% kept a plan."""


@pytest.mark.parametrize(("text", "wanted"), TEXTS.values(), ids=TEXTS)
def test_of_a_hostile_text_comes_what_can_be_planned(text, wanted):
    found = read(text)
    assert shown(found) == wanted
    check(found)


def test_there_are_texts_of_many_kinds():
    assert len(TEXTS) >= 75
    assert sum(bool(wanted) for _, wanted in TEXTS.values()) > len(TEXTS) / 2


@pytest.mark.parametrize("reply", [GOOD, DOCUMENT], ids=["answer", "sections"])
def test_a_good_reply_is_read_as_it_is_meant(reply):
    found = read(reply)
    check(found)
    assert not found.remarks
    assert (found.kind, found.words) == (reply["kind"], reply["words"])
    assert [each.instruction for each in found.steps] == [
        each["instruction"] for each in reply["steps"]
    ]
    assert read(f"Here you are:\n{json.dumps(reply)}") == found


def test_who_is_told_of_a_step_by_its_id_reads_it_and_is_told_its_name():
    found = read(
        steps(
            {"id": "s1", "name": "Options", "instruction": "Name three options. s3 weighs them."},
            {"id": "s2", "name": "Costs", "instruction": "Add costs to the options of s1."},
            {"id": "a3", "name": "Text", "instruction": "Write it from S2, as a report of 2027s1."},
        )
    )
    check(found)
    options, costs, text = found.steps
    assert options.instruction == "Name three options. s3 weighs them."
    assert (costs.instruction, costs.reads) == (
        "Add costs to the options of 'Options'.",
        ("Options",),
    )
    assert text.instruction == "Write it from 'Costs', as a report of 2027s1."
    assert text.reads[0] == "Costs"
    assert read(found.to_state()) == found


def test_an_id_that_may_be_a_word_is_left_in_its_sentence():
    prices = {"id": "prices", "name": "Search", "instruction": "Look up what it costs."}
    found = read(steps(prices, {"id": "x", "name": "Table", "instruction": "Compare prices."}))
    assert found.steps[1].instruction == "Compare prices."


@pytest.mark.parametrize("seed", SEEDS)
def test_spoilt_replies_never_raise_and_most_keep_a_plan(seed):
    useful = 0
    for reply in spoilt_replies(seed, MUTATIONS_PER_SEED, GOOD, DOCUMENT):
        found = read(reply)
        check(found)
        useful += bool(found.steps)
    assert useful >= USEFUL_SHARE * MUTATIONS_PER_SEED


def test_what_was_changed_is_told():
    text = steps(
        step("Notes", reads=["nobody"]),
        tool(executor="shell"),
        tool("Send", "mail", input={"to": 3}),
        step("Text", role="answer"),
    )
    assert read(text).remarks == (
        "step 2: nobody here is called 'shell', so a model does it",
        "'Notes' reads 'nobody', which nothing here is called",
        "'Send' was dropped: its input.to: got 3; it should be a valid string",
        "'Notes' joins the result",
        "'Find prices' joins the result",
    )
    assert read("No.").remarks == (UNREADABLE,)


def test_remarks_are_few_and_show_nothing_that_hides():
    odd = [step(f"\x1b[2J\u202e{n}", reads=["\u202e" * 9, "\x07", "x" * 999]) for n in range(10)]
    remarks = read({"steps": odd}).remarks
    assert 0 < len(remarks) <= 40
    assert all(remark.isprintable() and len(remark) < 400 for remark in remarks)


@pytest.mark.parametrize("reply", [GOOD, DOCUMENT], ids=["answer", "sections"])
def test_a_decomposition_is_plain_data(reply):
    found = read(reply)
    state = found.to_state()
    serde = JsonPlusSerializer(allowed_msgpack_modules=None)
    assert serde.loads_typed(serde.dumps_typed(state)) == state
    assert Decomposition.from_state(json.loads(json.dumps(state))).kind == found.kind
    assert read(state) == found


def test_only_what_the_deployment_registered_can_act():
    text = steps(
        step("Text", role="answer"),
        tool("Send", "mail", input={"to": "a@b.c", "text": "$text"}, reads=["text"]),
    )
    bare = read_decomposition(text, ExecutorRegistry())
    assert not any(each.executor or each.input for each in bare.steps)


def test_a_schema_that_fails_by_its_own_code_is_no_error_of_ours():
    def fail(given):
        raise KeyError(given)

    class Strange(BaseModel):
        topic: Annotated[str, BeforeValidator(fail)]

    strange = StructuredTool.from_function(
        lambda topic: topic, name="strange", description="Is strange.", args_schema=Strange
    )
    text = steps(step("Ask", executor="strange", input={"topic": "tea"}), step("Text"))
    found = read_decomposition(text, ExecutorRegistry.of({"strange": strange}))
    assert shown(found)[0] == "Ask (material)"
    assert found.remarks[0] == "a model does 'Ask': its input could not be checked (KeyError)"


def test_a_retriever_is_given_a_query():
    class Retriever:
        _get_relevant_documents = None

        def invoke(self, given):
            return given

    executors = ExecutorRegistry.of({"books": Retriever()})
    text = steps(
        step("Look up", executor="books", input="heat pumps"),
        step("Look on", executor="books", input={"query": 3}, instruction="Look."),
        step("Text", role="answer", reads=[1, 2]),
    )
    assert shown(read_decomposition(text, executors)) == (
        'Look up (material by books) with "heat pumps"',
        "Look on (material by books)",
        "Answer (answer) < Look up, Look on",
    )


@pytest.mark.parametrize(
    "piece",
    ["[", "{", '{"', "[1,[2,", '{"steps":[', '{"a":"', "é" * 3, "\u0301\u0323", '["s",', "x $a "],
    ids=repr,
)
def test_the_time_to_read_grows_no_faster_than_the_text(piece):
    def seconds(length):
        text = (piece * (length // len(piece) + 1))[:length]
        odd = {"name": text, "instruction": text, "reads": [text], "role": text, "words": text}
        given = [text, {"steps": [{**odd, "executor": "search", "input": {"query": text}}]}]
        times = []
        for _ in range(3):
            started = time.thread_time()
            for each in given:
                read(each)
            times.append(time.thread_time() - started)
        return min(times)

    # Sixteen times the length: a square would take 256 times as long.
    assert seconds(48_000) < 60 * max(seconds(3_000), 0.002)
