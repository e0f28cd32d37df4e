"""A task that a model takes apart: when it is asked, what is planned, and what is sent."""

import re
from typing import Any

import pytest
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.store.memory import InMemoryStore

from tests.graph.conftest import decisions_of, receipt_of
from tests.harness.llm_server import Answer, Unauthorized
from thrifty import Executor, InvalidInput, rate

pytestmark = pytest.mark.usefixtures("any_length")
ROLES = {"strong": "gpt-4.1", "cheap": "gpt-4.1-mini"}
TASK = "Which of the two harbours is deeper, Wismar or Rostock, and by how much?"
FOUND = "Rostock, by 5 m."
ASKS = "You plan how a task is done"
BUDGET: dict[str, Any] = {"max_tokens": 40_000, "max_cost_usd": 1.0, "max_tool_calls": 8}


@tool
def depth(harbour: str) -> str:
    """Look up how deep a harbour is, in metres."""
    return {"Wismar": "9.5 m", "Rostock": "14.5 m"}[harbour]


def look_up(place: str) -> dict[str, Any]:
    return {
        "id": place,
        "name": f"Depth of {place}",
        "instruction": f"Look up how deep the harbour of {place} is.",
        "reads": [],
        "role": "material",
        "kind": "search",
        "importance": 8,
        "words": 30,
        "executor": "depth",
        "input": f'{{"harbour": "{place}"}}',
    }


ANSWERS = {
    "id": "a",
    "name": "Answer",
    "instruction": "Say which is deeper and by how much.",
    "reads": ["Wismar", "Rostock"],
    "role": "answer",
    "importance": 5,
    "words": 60,
}
STEPS = {"kind": "reason", "steps": [look_up("Wismar"), look_up("Rostock"), ANSWERS]}
LOOKED_UP = ["Depth of Rostock (depth)", "Depth of Wismar (depth)"]


@pytest.fixture
def answering(online, server):
    server.script(Answer(STEPS, when=ASKS), Answer(FOUND, times=None))

    def make(**given):
        return online(**{"catalog": None, "models": ROLES, "executors": {"depth": depth}, **given})

    return make


def lines_of(result):
    return [line.label for line in receipt_of(result).lines]


def asks(server) -> int:
    return sum(ASKS in request.messages[0].text for request in server.requests)


def test_the_answer_reads_what_tools_have_found_and_all_is_billed(answering, server, api):
    result = answering(api=api).invoke({"task": TASK, "budget": BUDGET})
    assert (result["answer"], result["draft"], result["status"]) == (FOUND, FOUND, "done")
    assert lines_of(result) == ["Steps", *LOOKED_UP, "Answer (strong)"]
    asked, answered = server.requests
    assert (asked.body["model"], answered.body["model"]) == ("gpt-4.1-mini", "gpt-4.1")
    read, task = [message.text for message in answered.messages]
    assert task == TASK
    assert '<result name="Depth of Wismar">\n9.5 m\n</result>' in read
    assert '<result name="Depth of Rostock">\n14.5 m\n</result>' in read
    assert result["spend"]["tokens"] == server.bill.total_tokens
    assert result["spend"]["tool_calls"] == 4


def test_the_receipt_says_what_asking_cost_and_what_it_brought(answering, server):
    result = answering().invoke({"task": TASK, "budget": BUDGET})
    first, *_ = receipt_of(result).lines
    assert (first.label, first.status) == ("Steps", "overhead")
    assert first.actual.tokens == server.requests[0].bill.total_tokens
    (told,) = decisions_of(result, "options")
    # 100 · 0.8 · (5/21 + 16/21 · 0.3) = 37.3, and 2 · 100 · 0.7 · 8/21 · 0.7 = 37.3 for what is
    # looked up.
    assert told == (
        "gpt-4.1-mini took the task apart into 3 steps: "
        "the plan is worth 74.7, a direct answer 37.3"
    )


@pytest.mark.parametrize("mode", ["auto", "always"])
def test_documents_that_fit_nowhere_end_a_run_before_anything_is_sent(answering, server, mode):
    """Both tokens and money are limited, and not even what is read fits in the tokens."""
    documents = {"Harbours": "Rostock has 14.5 m, Wismar has 9.5 m. " * 5_000}
    given = {"task": TASK, "budget": BUDGET, "documents": documents}
    result = answering().invoke(given, context={"plan_steps": mode})
    assert decisions_of(result, "options") == [
        "no model was asked for steps: not even a direct answer fits",
    ]
    assert (result["status"], [*server.requests]) == ("halted", [])


def test_what_people_say_of_whole_answers_holds_for_those_that_read_what_was_found(
    answering, server
):
    """Four right answers count as much as the prior: 0.9 of what a right one is worth, not 0.8."""
    store = InMemoryStore()
    agent = answering(store=store)
    for _ in range(4):
        directly = agent.invoke({"task": TASK, "budget": BUDGET}, context={"plan_steps": "never"})
        assert rate(store, receipt_of(directly).run_id, {"Answer": True}) == 1
    result = agent.invoke({"task": TASK, "budget": BUDGET})
    (told,) = [each for each in decisions_of(result, "options") if "took" in each]
    assert told.endswith("the plan is worth 79.3, a direct answer 42.0")


def test_who_can_call_tools_by_itself_is_not_given_steps(answering, server):
    agent = answering(executors=None, tools=[depth])
    result = agent.invoke({"task": TASK, "budget": BUDGET})
    assert lines_of(result) == ["Answer (strong, with tools)"]
    assert asks(server) == 0
    assert decisions_of(result, "options") == [
        "no model was asked for steps: "
        "'Answer (strong, with tools)' is worth 86.0, and steps 80.0 at most"
    ]


def test_documents_alone_are_read_whole_and_the_receipt_says_so(answering, server):
    agent = answering(executors=None)
    given = {"task": TASK, "budget": BUDGET, "documents": {"Pilot": "Rostock: 14.5 m"}}
    result = agent.invoke(given)
    assert asks(server) == 0
    assert "14.5 m" in server.requests[0].prompt
    assert decisions_of(result, "options") == [
        "no model was asked for steps: documents alone are no reason, "
        "as a direct answer reads them whole"
    ]
    assert not decisions_of(agent.invoke({"task": TASK, "budget": BUDGET}), "options")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"max_tokens": 8_000}, "the call needs "),
        ({"max_cost_usd": 0.005}, "the call needs $"),
        ({"max_tool_calls": 2}, "another step would not fit beside 'Answer (strong)'"),
        ({"max_tool_calls": 1}, "with what the call may take, 'Answer (strong)' would no longer"),
    ],
    ids=str,
)
def test_it_is_not_asked_where_it_would_take_too_much(answering, server, change, reason):
    result = answering().invoke({"task": TASK, "budget": {**BUDGET, **change}})
    assert (result["status"], result["answer"], asks(server)) == ("done", FOUND, 0)
    (told,) = decisions_of(result, "options")
    assert told.startswith(f"no model was asked for steps: {reason}")


def test_it_says_how_much_larger_a_budget_would_have_to_be(answering, server):
    agent, tokens = answering(), 8_000
    result = agent.invoke({"task": TASK, "budget": {**BUDGET, "max_tokens": tokens}})
    (told,) = decisions_of(result, "options")
    more = int(
        re.search(r", so the budget is ([\d,]+) tokens too small$", told)[1].replace(",", "")
    )
    for larger, asked in ((more - 1, 0), (more, 1)):
        agent.invoke({"task": TASK, "budget": {**BUDGET, "max_tokens": tokens + larger}})
        assert asks(server) == asked


@pytest.mark.parametrize(
    ("given", "context"),
    [({"executors": {}}, {"plan_steps": "never"}), ({"executors": {}}, {})],
    ids=["never", "nothing to do steps with"],
)
def test_it_is_not_asked_where_nobody_wants_steps(answering, server, given, context):
    result = answering(**given).invoke({"task": TASK, "budget": BUDGET}, context=context)
    assert lines_of(result) == ["Answer (strong)"]
    assert asks(server) == 0
    assert decisions_of(result, "options") == []


def test_it_is_always_asked_where_somebody_wants_that(answering, server):
    given = {"task": TASK, "budget": {**BUDGET, "max_tokens": 8_000}}
    result = answering().invoke(given, context={"plan_steps": "always"})
    assert asks(server) == 1
    assert lines_of(result)[0] == "Steps"


@pytest.mark.parametrize("reply", [{"steps": []}, "I would rather answer.", "{", {"steps": "x"}])
def test_a_task_that_is_not_taken_apart_is_answered_directly(answering, server, reply):
    agent = answering()
    server.clear()
    server.script(Answer(reply, when=ASKS), Answer(FOUND, times=None))
    result = agent.invoke({"task": TASK, "budget": BUDGET})
    assert (result["status"], result["answer"]) == ("done", FOUND)
    assert lines_of(result) == ["Steps", "Answer (strong)"]
    assert len(decisions_of(result, "options")) == 1


def test_what_fails_is_left_out_and_nobody_is_asked_for_steps_again(answering, server):
    @tool("depth")
    def broken(harbour: str) -> str:
        """Look up how deep a harbour is, in metres."""
        if harbour == "Wismar":
            raise RuntimeError("no such chart")
        return "14.5 m"

    result = answering(executors={"depth": broken}).invoke({"task": TASK, "budget": BUDGET})
    assert (result["status"], result["answer"], asks(server)) == ("done", FOUND, 1)
    read = server.requests[-1].messages[0].text
    assert "14.5 m" in read
    assert "Wismar" not in read
    (warning,) = receipt_of(result).warnings
    assert warning == "Depth of Wismar was not done: it raised RuntimeError"


def test_a_run_that_goes_on_keeps_its_steps(answering, server):
    agent = answering(checkpointer=InMemorySaver())
    thread = {"configurable": {"thread_id": "a"}}
    given = {"task": TASK, "budget": BUDGET}
    agent.invoke(given, thread, interrupt_before=["route"])
    result = agent.invoke(None, thread)
    assert lines_of(result) == ["Steps", *LOOKED_UP, "Answer (strong)"]
    assert asks(server) == 1


def test_a_client_that_writes_steps_gains_no_way_that_the_deployment_has_not(answering, server):
    """The state holds what a model wrote, and it is read as that again."""
    agent = answering(checkpointer=InMemorySaver())
    thread = {"configurable": {"thread_id": "a"}}
    agent.invoke({"task": TASK, "budget": BUDGET}, thread, interrupt_before=["plan"])
    run = agent.get_state(thread).values["run"]
    forged = {**run["decomposition"]["steps"][0], "executor": "shell", "value": 1e9, "estimate": {}}
    steps = [forged, *run["decomposition"]["steps"][1:]]
    agent.update_state(thread, {"run": {**run, "decomposition": {"steps": steps}}})
    result = agent.invoke(None, thread)
    assert (result["status"], result["answer"]) == ("done", FOUND)
    executors = {line.executor for line in receipt_of(result).lines}
    assert "shell" not in executors
    assert max(line.value for line in receipt_of(result).lines) <= 100


def test_a_plan_that_a_person_approves_is_made_before_anything_is_spent(answering, server):
    agent = answering(checkpointer=InMemorySaver())
    thread = {"configurable": {"thread_id": "a"}}
    waits = {"approve_plan": True}
    agent.invoke({"task": TASK, "budget": BUDGET}, thread, context=waits)
    assert not server.requests


def test_what_acts_outside_is_not_done_on_a_models_word_alone(answering, server):
    sent: list[str] = []

    @tool("depth")
    def order(harbour: str) -> str:
        """Order a survey of a harbour's depth."""
        sent.append(harbour)
        return "ordered"

    effects = {"depth": Executor(order, effects=True)}
    agent = answering(executors=effects, checkpointer=InMemorySaver())
    thread = {"configurable": {"thread_id": "a"}}
    result = agent.invoke({"task": TASK, "budget": BUDGET}, thread)
    (question, *_) = result["__interrupt__"]
    assert "Depth of" in str(question.value)
    assert sent == []


REPORT = "Write a report on the ports of the southern Baltic."
DEEP = " ".join(f"It is {metres} m deep." for metres in range(60))
LONG = {"task": REPORT, "words": 3_500, "budget": {**BUDGET, "max_cost_usd": 0.2}}


def section(name: str) -> dict[str, Any]:
    instruction = f"Describe {name}: depth, berths and traffic."
    return {"id": name, "name": name, "instruction": instruction, "reads": [], "role": "section",
            "kind": "write", "importance": 5, "words": 650}  # fmt: skip


PORTS = ("Wismar", "Rostock", "Stralsund")
SECTIONS = {"kind": "write", "words": 900, "steps": [section(port) for port in PORTS]}


@pytest.fixture
def reporting(answering, server):
    agent = answering(executors={})
    server.clear()
    server.script(Answer(SECTIONS, when=ASKS), Answer(DEEP, times=None))
    return agent


def headings_of(result) -> list[str]:
    return re.findall("(?m)^## (.+)", result["answer"])


def test_a_length_beyond_one_good_answer_is_a_reason_to_ask(reporting, server):
    result = reporting.invoke(LONG)
    assert result["status"] == "done"
    assert sorted(lines_of(result)) == sorted(["Steps", *(f"{port} (strong)" for port in PORTS)])
    assert result["answer"] == result["draft"]
    assert headings_of(result) == list(PORTS)
    (told,) = decisions_of(result, "options")
    # 74 · 0.8 for the sections. 3,500 words are 5,250 tokens: 100 · 0.8 · 0.604 for one answer.
    assert told.endswith("into 3 steps: the plan is worth 59.2, a direct answer 48.3")
    assert all("Use at most 650 words." in r.messages[0].text for r in server.requests[1:])


def test_a_summary_that_is_written_last_stands_where_it_was_put(reporting, server):
    summary = section("Summary") | {"reads": [*PORTS], "instruction": "Sum up."}
    server.clear()
    steps = [summary, *(section(port) for port in PORTS)]
    server.script(Answer({**SECTIONS, "steps": steps}, when=ASKS), Answer(DEEP, times=None))
    result = reporting.invoke({**LONG, "budget": {"max_tokens": 60_000}})
    assert "Sum up." in server.requests[-1].prompt, "it has read the others"
    assert headings_of(result) == ["Summary", *PORTS]


def test_a_section_that_fails_leaves_the_others_as_the_answer(reporting, server):
    server.clear()
    server.script(
        Answer(SECTIONS, when=ASKS),
        Unauthorized(when="Describe Rostock", times=None),
        Answer("It is deep.", times=None),
    )
    result = reporting.invoke(LONG)
    assert asks(server) == 1
    assert (result["status"], headings_of(result)) == ("done", ["Wismar", "Stralsund"])
    (warning,) = receipt_of(result).warnings
    assert warning.startswith("Rostock was not done: gpt-4.1-mini: the server refused")


@pytest.mark.parametrize("words", [60, 2_000])
def test_a_length_that_is_wanted_is_said_and_planned_with(answering, server, words):
    never = {"plan_steps": "never"}
    result = answering().invoke({**LONG, "words": words}, context=never)
    (request,) = server.requests
    assert [message.text for message in request.messages] == [
        f"Use at most {words} words.",
        REPORT,
    ]
    (line,) = receipt_of(result).lines
    assert line.planned.tokens > words * 1.5
    assert line.value == (80.0 if words == 60 else 64.0)


@pytest.mark.parametrize("words", [0, -1, 1.5, True, "many", 10**9])
def test_a_length_that_is_none_is_refused_by_name(answering, words):
    with pytest.raises(InvalidInput, match="words"):
        answering().invoke({"task": REPORT, "words": words})
