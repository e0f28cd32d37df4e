"""Executors of the user's own: functions, LangChain tools, Runnables; clear refusals."""

from dataclasses import replace

import pytest
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import tool

from thrifty.budget import InvalidInput, Spend, StepOption
from thrifty.executors.protocol import Executor, Result, Work
from thrifty.executors.registry import ExecutorRegistry

OPTION = StepOption("A (x)", "A", "x", "Do it.", Spend(10, 5, 3, 1), 1.0)
WORK = Work("the task", OPTION)


def call(thing, work=WORK):
    return ExecutorRegistry.of({"x": thing})["x"](work)


def run(thing, work=WORK):
    """The text of what it returns."""
    result = call(thing, work)
    return result if isinstance(result, str) else result.text


def given(value):
    return Work("the task", replace(OPTION, payload={"input": value}))


@tool
def one(question: str) -> str:
    """One argument."""
    return f"one {question}"


@tool
def defaulted(question: str, count: int = 3) -> str:
    """One that is needed."""
    return f"{question} {count}"


@tool
def two(question: str, count: int) -> str:
    """Two that are needed."""
    return f"{question} {count}"


@tool
def none() -> str:
    """No argument."""
    return "none"


@tool
async def asynchronous(question: str) -> str:
    """A coroutine alone."""
    return f"async {question}"


async def async_function(work):
    return f"async {work.task}"


async def async_step(text):
    return f"async {text}"


def test_a_function_gets_the_work():
    assert run(lambda work: work.option.step + work.task) == "Athe task"
    result = Result("text", [1], Spend(7))
    assert call(lambda work: result) is result
    assert run(async_function) == "async the task"


@pytest.mark.parametrize(
    ("thing", "text"),
    [
        (one, "one the task"),
        (defaulted, "the task 3"),
        (none, "none"),
        (asynchronous, "async the task"),
        (one.with_config(tags=["t"]), "one the task"),
    ],
)
def test_a_tool_gets_the_task_as_its_one_argument(thing, text):
    assert run(thing) == text


def test_a_tool_gets_the_payloads_input():
    assert run(one, given("q")) == "one q"
    assert run(two, given({"question": "q", "count": 4})) == "q 4"
    with pytest.raises(InvalidInput, match=r"payload\.input.*'question', 'count'"):
        run(two)


def test_a_runnable_gets_the_task_with_its_instruction_or_the_input():
    chain = RunnableLambda(lambda text: f"[{text}]")
    assert run(chain) == "[the task\n\n# Assignment\nDo it.]"
    assert run(chain, given("input")) == "[input]"
    assert run(RunnableLambda(async_step), given("input")) == "async input"
    assert run(FakeListChatModel(responses=["answer"])) == "answer"


@pytest.mark.parametrize(
    ("output", "text"),
    [
        (None, ""),
        (4.5, "4.5"),
        (AIMessage("m"), "m"),
        (AIMessage([{"type": "reasoning", "reasoning": "r"}, {"type": "text", "text": "t"}]), "t"),
        ({"output": "o", "steps": []}, "o"),
        ({"messages": [AIMessage("first"), AIMessage("last")]}, "last"),
        ({"price": 3, "where": "a\nb"}, "- **price:** 3\n- **where:** a b"),
        (["a", "b"], "- a\n- b"),
        ([{"type": "web", "text": "found"}], "- found"),
        (["a\nb", "c"], "a\nb\n\nc"),
    ],
)
def test_any_output_becomes_text(output, text):
    assert run(lambda work: output) == text


def test_a_message_is_charged_the_tokens_it_says_it_took():
    usage = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
    result = call(lambda work: AIMessage("m", usage_metadata=usage))
    assert result == Result("m", spend=Spend(3, 5, 0, 1))


def test_failures_are_left_to_the_caller():
    with pytest.raises(ZeroDivisionError):
        run(lambda work: 1 / 0)
    with pytest.raises(TypeError, match="no text in a bytes"):
        run(lambda work: b"x")


@pytest.mark.parametrize(
    ("name", "thing", "said"),
    [
        ("", len, "1 to 120 characters"),
        (3, len, "1 to 120 characters"),
        ("x" * 121, len, "1 to 120 characters"),
        (" x", len, "drop the blanks"),
        ("llm", len, "thrifty's own"),
        ("Local", len, "thrifty's own"),
        ("\uff2c\uff2c\uff2d", len, "thrifty's own"),
        ("x", 3, "register a function"),
        ("x", "os.system", "register a function"),
        ("x", dict, "register an instance"),
        ("x", lambda: 1, "take one argument"),
        ("x", lambda a, b: 1, "take one argument"),
    ],
)
def test_bad_registrations_are_refused(name, thing, said):
    with pytest.raises(InvalidInput, match=said):
        ExecutorRegistry.of({name: thing})


def test_names_that_look_the_same_are_refused():
    with pytest.raises(InvalidInput, match="'Search' is there"):
        ExecutorRegistry.of({"Search": len, "search": len})
    with pytest.raises(InvalidInput, match="use a mapping"):
        ExecutorRegistry.of([len])


def test_an_executor_says_what_it_is():
    sends = Executor(one, answers=True, effects=True, approve=True, description="Sends.")
    executors = ExecutorRegistry.of({"x": sends, "y": len})
    assert executors["x"](WORK) == "one the task"
    assert executors.terms_of("x") == sends
    assert [executors.has_effects(name) for name in ("x", "y", "llm", "local")] == [
        True, False, False, False,
    ]  # fmt: skip
    with pytest.raises(InvalidInput, match="take one argument"):
        ExecutorRegistry.of({"x": Executor(lambda: 1)})


@pytest.mark.parametrize("length", [-1, 1_000_001, 2.5, True, "long"])
def test_the_length_of_a_result_is_a_whole_number_that_a_state_can_hold(length):
    with pytest.raises(InvalidInput) as refused:
        Executor(one, output_tokens=length)
    told = refused.value.field, refused.value.value, refused.value.remedy
    remedy = "use a whole number from 0 to 1,000,000"
    assert told == ("executor.output_tokens", length, remedy)


def test_what_a_person_is_shown_and_may_change_of_an_input():
    executors = ExecutorRegistry.of({"tool": two, "function": len, "chain": RunnableLambda(str)})
    both = {"question": "q", "count": 4}
    assert executors["tool"].input_of(given(both)) == both
    assert executors["tool"].input_of(WORK) is None  # it would be refused
    assert executors["tool"](executors["tool"].with_input(WORK, both)) == "q 4"
    assert executors["chain"].input_of(WORK) == "the task\n\n# Assignment\nDo it."
    assert executors["chain"](executors["chain"].with_input(WORK, "other")) == "other"
    function = executors["function"]
    assert function.input_of(given("q")) == "q"
    assert function.with_input(given("q"), "r").option.payload == {"input": "r"}
    for name, wrong in (("function", "r"), ("tool", {"question": "q"}), ("chain", {1, 2})):
        with pytest.raises(InvalidInput, match=r"answer\.input"):
            executors[name].with_input(WORK, wrong)


def test_the_registry_knows_its_names():
    executors = ExecutorRegistry.of({"x": len})
    assert ExecutorRegistry.of(executors) is executors
    assert executors.names == ("llm", "local", "x")
    assert ExecutorRegistry.of(None).names == ("llm", "local")
    for unknown in ("llm", "shell"):
        with pytest.raises(InvalidInput, match="use one of: local, x"):
            executors[unknown]
