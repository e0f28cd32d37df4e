"""What a model is shown that is asked for steps, and what becomes of its answer."""

import json

import pytest
from langchain_core.tools import tool

from tests.options.decompositions import EXECUTORS, GOOD, read
from thrifty import Executor, ModelUnavailable
from thrifty.executors.registry import ExecutorRegistry
from thrifty.models.costs.input_bound import tokens_bound
from thrifty.models.roles.agent_models import ModelPrompt, Reply
from thrifty.options.decomposition import DECOMPOSITION_TOOL, SCHEMA_WORDS
from thrifty.options.decomposition_request import (
    TASK_TOKENS_MAX,
    describe_documents,
    describe_executors,
    describe_request,
    request_decomposition,
    shorten_task,
)
from thrifty.prompts import check_prompts, load_prompt, render_prompt

SHOWN = """\
- search: Searches the web. Arguments: {"properties":{"query":{"type":"string"}},\
"required":["query"]}
- count: Counts rows. Arguments: {"properties":{"rows":{"items":{"type":"object"},\
"type":"array"},"unit":{"default":"pieces","type":"string"},"most":{"default":10,\
"type":"integer"}},"required":["rows"]}
- weather: no description. Arguments: {"properties":{"city":{"type":"string"},\
"days":{"type":"integer"}},"required":["city","days"]}
- mail: Sends a mail. It changes something outside, so it is called once at most. \
Arguments: {"properties":{"to":{"type":"string"},"text":{"type":"string"}},\
"required":["to","text"]}
- clerk: no description. It takes no input: it reads its instruction.
- archive: no description. It takes no input: it reads its instruction."""

ADDED = "an answer was added: no step makes the result"


def test_executors_are_shown_with_what_they_take():
    assert describe_executors(EXECUTORS) == SHOWN
    assert describe_executors(ExecutorRegistry()) == "(none)"


def test_a_tool_of_many_arguments_is_shown_by_those_that_it_needs():
    schema = {
        "properties": {f"argument_{n}": {"type": "string", "title": "x"} for n in range(90)},
        "required": ["argument_0", "argument_7"],
    }

    class Large:
        args, tool_call_schema = schema["properties"], schema

        def invoke(self, given):
            return given

    shown = describe_executors(ExecutorRegistry.of({"large": Executor(Large(), description="L.")}))
    assert shown == '- large: L. Arguments: {"argument_0":"string","argument_7":"string"}'


def test_an_argument_may_be_called_as_a_schema_is_annotated():
    @tool
    def book(title: str) -> str:
        """Finds a book."""
        return title

    assert '{"title":{"type":"string"}}' in describe_executors(ExecutorRegistry.of({"book": book}))


def test_documents_are_shown_by_name_and_size_alone():
    shown = describe_documents({"report.md": "secret " * 300, "Sales 2025": ""})
    assert shown == "- report.md: 2,100 characters\n- Sales 2025: 0 characters"
    assert describe_documents({}) == "(none)"
    many = describe_documents({f"{n}.txt": "x" for n in range(1_000)}).splitlines()
    assert (len(many), many[-1]) == (61, "- and 940 more")


@pytest.mark.parametrize(
    "task",
    [
        *("Compare. " * 6_000, "比較してください。" * 4_000, "🙂" * 5_000),
        *("\n" * 9_000 + "x " * 9_000, "x" * 90_000),
    ],
    ids=["English", "Japanese", "emoji", "blank", "one word"],
)  # fmt: skip
def test_a_long_task_is_shown_by_its_head_its_tail_and_its_size(task):
    task = f"HEAD {task} TAIL"
    shown = shorten_task(task)
    assert tokens_bound(shown, "o200k_base") <= TASK_TOKENS_MAX
    assert shown.startswith("HEAD")
    assert shown.endswith("TAIL")
    assert f" of {len(task):,} characters are left out here]" in shown
    assert len(shown) > 600


def test_a_task_that_is_short_is_shown_whole():
    assert shorten_task("Compare two pumps.\n\tFor 400 €.") == "Compare two pumps.\n\tFor 400 €."


def test_the_prompt_holds_all_that_a_model_has_to_know_and_nothing_of_money():
    check_prompts({"decompose": load_prompt("decompose")})
    values = describe_request("Compare two pumps.", EXECUTORS, {"report.md": "x" * 1_200})
    asked = render_prompt(load_prompt("decompose"), values)
    assert SHOWN in asked
    assert "- report.md: 1,200 characters" in asked
    assert asked.endswith("Compare two pumps.")
    said = f"{asked}{json.dumps(DECOMPOSITION_TOOL)}".casefold()
    for word in ("budget", "price", "token", "cost", "limit", "cheap", "strong", "$0"):
        assert word not in said


def test_what_a_model_may_copy_from_the_function_is_known():
    for words in SCHEMA_WORDS:
        copied = {"id": "x", "name": "Copied", "instruction": words, "reads": []}
        found = read({**GOOD, "steps": [*GOOD["steps"], copied]})
        assert found.steps == read(GOOD).steps
        assert found.remarks == ("step 4 was dropped: it is copied from the question",)


class Answering:
    """Models of which one answers."""

    def __init__(self, reply):
        self.reply = reply

    def ask(self, prompt, allowance, config):
        if isinstance(self.reply, Exception):
            raise self.reply
        return self.reply


@pytest.mark.parametrize(
    ("reply", "steps", "remarks"),
    [
        (Reply("", arguments=GOOD), 3, ()),
        (Reply(f"The plan:\n{json.dumps(GOOD)}"), 3, ()),
        (Reply("", arguments=json.dumps(GOOD)[:-40]), 3, (ADDED,)),
        (Reply("", arguments={"steps": []}), 0, ()),
        (ModelUnavailable("no answer"), 0, ("steps could not be had: no answer",)),
    ],
    ids=["arguments", "text", "cut", "none", "failure"],
)  # fmt: skip
def test_whatever_a_model_answers_is_read(reply, steps, remarks):
    found = request_decomposition(
        ModelPrompt("cheap"), Answering(reply), None, EXECUTORS, ["report.md"]
    )
    assert (len(found.steps), found.remarks) == (steps, remarks)
