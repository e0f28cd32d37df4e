"""What ends a run of sections early: a direct answer stands in, by a share that was kept for it."""

from typing import Any

import pytest
from langchain_core.messages import AIMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from tests.graph.conftest import decisions_of, receipt_of
from tests.harness.llm_server import Answer, BlockedPrompt, Hang, ServerError
from thrifty import Executor, MemoryLedger, Result, Spend, Step, StepOption

pytestmark = pytest.mark.usefixtures("any_length")
ROLES = {"strong": "gpt-4.1", "cheap": "gpt-4.1-mini"}
ASKS = "You plan how a task is done"
REPORT = "Write a report on the ports of the southern Baltic."
GIVEN: dict[str, Any] = {
    "task": REPORT,
    "words": 3_500,
    "budget": {"max_tokens": 40_000, "max_tool_calls": 12},
}
THREAD: Any = {"configurable": {"thread_id": "t"}}
IN_ONE_GO = 48.347826
"""What 3,500 words are worth that are written in one go: 5,250 tokens, at 100 · 0.8 · 0.604."""
WHOLE = "All ports of the southern Baltic are deep."
PART = "This one is deep."


def section(name: str, importance: int, words: int, **fields: Any) -> dict[str, Any]:
    return {"id": name, "name": name, "instruction": f"Describe {name}.", "reads": [],
            "role": "section", "kind": "write", "importance": importance, "words": words,
            **fields}  # fmt: skip


def document(*beside: dict[str, Any], **main: Any) -> dict[str, Any]:
    """Wismar has to be there. What it reads comes first."""
    first = section("Wismar", 6, 1_400, **main)
    others = [section(name, 5, 300) for name in ("Rostock", "Stralsund")]
    return {"kind": "write", "words": 3_500, "steps": [first, *others, *beside]}


AFTER = document(reads=["Rostock", "Stralsund"])


def is_about_all(request: Any) -> bool:
    return "Describe" not in request.prompt and ASKS not in request.prompt


def broken(work: Any) -> str:
    raise RuntimeError("no berth")


@pytest.fixture
def reporting(online, server):
    """Makes an agent whose task is taken apart into a document, and says what its models answer."""

    def make(planned: dict[str, Any], *script: Any, **given: Any):
        server.clear()
        server.script(
            Answer(planned, when=ASKS),
            *script,
            Answer(WHOLE, when=is_about_all, times=None),
            Answer(PART, times=None),
        )
        return online(catalog=None, **{"executors": {}, "models": ROLES, **given})

    return make


def lines_of(result) -> dict[str, tuple[str, float]]:
    return {line.label: (line.status, line.value) for line in receipt_of(result).lines}


def is_one_answer(result) -> bool:
    """Whether all that is handed over is the answer, whatever was done before it."""
    (said,) = [each for each in result["messages"] if isinstance(each, AIMessage)]
    return result["answer"] == result["draft"] == said.content == WHOLE


REPLACED = "a direct answer took the place of Rostock, Stralsund and Wismar"
FAILS = (
    ServerError(when="Describe Wismar", times=None),
    BlockedPrompt(when="Describe Wismar", times=None),
)


@pytest.mark.parametrize("fails", FAILS, ids=["charged in full", "refused"])
def test_where_the_main_section_fails_for_good_an_answer_stands_in(reporting, server, fails):
    result = reporting(AFTER, fails).invoke(GIVEN)
    assert result["status"] == "done"
    assert is_one_answer(result)
    assert [*result["results"]] == ["Rostock", "Stralsund", "Answer"]
    lines = lines_of(result)
    assert lines["Rostock (strong)"] == lines["Stralsund (strong)"] == ("done", 0.0)
    assert lines["Wismar (strong)"][0] == lines["Wismar (cheap)"][0] == "failed"
    assert lines["Answer (strong)"][0] == "done"
    receipt = receipt_of(result)
    assert receipt.value == lines["Answer (strong)"][1] == pytest.approx(IN_ONE_GO)
    assert receipt.within_budget
    failed, replaced, *_ = receipt.warnings
    assert failed.startswith("Wismar was not done: ")
    assert replaced == REPLACED


def test_what_fails_is_charged_and_leaves_the_share(reporting, server):
    """Calls that may have been billed are charged all that they had reserved. Without the share,
    the second would have reserved all that was left."""
    given = {**GIVEN, "budget": {**GIVEN["budget"], "max_tokens": 31_250}}
    result = reporting(AFTER, FAILS[0]).invoke(given)
    assert is_one_answer(result)
    *_, strong, cheap, answered = receipt_of(result).lines
    assert strong.actual.tokens > 15_000
    assert cheap.actual.tokens > 4_000
    left = 31_250 - result["spend"]["tokens"] + answered.actual.tokens
    assert 5_250 < left < 7_250
    assert server.requests[-1].output_cap > 5_150


def test_what_is_done_is_handed_to_it(reporting, server):
    agent = reporting(
        document(executor="berths", reads=["Rostock", "Stralsund"]), executors={"berths": broken}
    )
    result = agent.invoke(GIVEN)
    assert is_one_answer(result)
    read, task = server.requests[-1].messages
    assert task.text == REPORT
    for name in ("Rostock", "Stralsund"):
        assert f'<result name="{name}">\n{PART}\n</result>' in read.text
    told = decisions_of(result, "plan")[-1]
    assert told == (
        "'Answer (strong)' takes the place of what is done; it is handed Rostock and Stralsund"
    )
    assert result["spend"]["tokens"] == server.bill.total_tokens


def test_what_has_no_room_beside_a_whole_answer_is_not_handed(reporting, server):
    """About 6,850 tokens are left. The answer takes 5,550, Rostock 2,200, and Stralsund little."""
    planned = document(executor="berths", reads=["Rostock", "Stralsund"])
    planned["steps"][1]["words"] = 600
    given = {**GIVEN, "budget": {"max_tokens": 10_250, "max_tool_calls": 12}}
    long = Answer(tokens=2_200, when="Describe Rostock", times=None)
    agent = reporting(planned, long, executors={"berths": broken})
    result = agent.invoke(given, context={"plan_steps": "always"})
    assert is_one_answer(result)
    told = decisions_of(result, "plan")[-1]
    assert told.endswith("it is handed Stralsund; there is no room for Rostock")
    read = server.requests[-1].messages[-2].text
    assert '<result name="Stralsund">' in read
    assert "Rostock" not in read
    assert receipt_of(result).within_budget


def test_material_is_handed_to_it_too(reporting, server):
    found = {**section("Depths", 8, 30), "role": "material"}
    agent = reporting(
        document(found, executor="berths", reads=["Depths"]), executors={"berths": broken}
    )
    result = agent.invoke(GIVEN)
    assert is_one_answer(result)
    assert '<result name="Depths">' in server.requests[-1].messages[0].text
    assert receipt_of(result).value == pytest.approx(IN_ONE_GO)


def test_what_a_person_refuses_is_stood_in_for(reporting, server):
    called = []
    berths = Executor(lambda work: called.append(work) or "Asked.", approve=True)
    agent = reporting(
        document(executor="berths", reads=["Rostock"]),
        executors={"berths": berths},
        checkpointer=InMemorySaver(),
    )
    waiting = agent.invoke(GIVEN, THREAD)
    assert "__interrupt__" in waiting
    result = agent.invoke(Command(resume="leave_out"), THREAD)
    assert (result["status"], called) == ("done", [])
    assert is_one_answer(result)
    assert "Wismar was not done: a person left it out" in receipt_of(result).warnings


def test_what_can_no_longer_be_paid_is_stood_in_for(reporting, server):
    """Rostock's executor takes far more than it says, and what is left does not hold Wismar."""
    greedy = {"rail": lambda work: Result(PART, spend=Spend(tokens=7_000))}
    planned = document()
    planned["steps"][1] |= {"executor": "rail", "importance": 6}
    given = {**GIVEN, "budget": {"max_tokens": 10_500, "max_tool_calls": 12}}
    agent = reporting(planned, executors=greedy)
    result = agent.invoke(given, context={"plan_steps": "always"})
    assert is_one_answer(result)
    lines = lines_of(result)
    assert not any("Wismar" in label and status == "done" for label, (status, _) in lines.items())
    assert receipt_of(result).within_budget
    assert "tokens" in receipt_of(result).bound_by


def test_without_a_share_what_is_done_is_handed_over_and_the_run_is_halted(reporting, server):
    """No model answers any more once Wismar has failed."""
    agent = reporting(
        document(executor="berths", reads=["Rostock", "Stralsund"]),
        ServerError(when=is_about_all, times=None),
        executors={"berths": broken},
    )
    result = agent.invoke(GIVEN)
    assert result["status"] == "halted"
    assert result["halt_reason"].startswith("the required step 'Wismar' cannot be done: it raised")
    assert result["answer"] == f"## Rostock\n\n{PART}\n\n## Stralsund\n\n{PART}"
    assert receipt_of(result).value > 0


def written(name: str, value: float, latency_ms: int, **fields: Any) -> Step:
    what, spend = (
        f"Describe {name}." if name != "Whole" else "All of it.",
        Spend(400, 0, latency_ms, 1),
    )
    return Step(name, (StepOption(f"{name} (llm)", name, "llm", what, spend, value),), **fields)


def test_a_call_that_hangs_leaves_the_answer_its_time(online, server):
    """In a recipe, too. An answer is expected to take 1.5 s, and a section 0.2 s."""
    recipe = [
        written("Rostock", 30.0, 200),
        written("Wismar", 60.0, 200, required=True),
        written("Whole", 50.0, 1_500, role="answer"),
    ]
    server.clear()
    server.script(Hang(when="Describe Wismar", times=None), Answer(WHOLE, times=None))
    agent = online(catalog=recipe, models={"strong": "gpt-4.1"})
    given = {"task": REPORT, "budget": {"max_tokens": 40_000, "max_latency_ms": 4_000}}
    result = agent.invoke(given)
    assert result["status"] == "done"
    assert is_one_answer(result)
    assert lines_of(result)["Wismar (llm)"][0] == "failed"
    assert result["spend"]["latency_ms"] < 4_000


def test_where_no_share_could_be_kept_what_is_done_is_handed_over(reporting, server):
    """Of four calls, one asked for the steps. So the plan goes without a share."""
    given = {**GIVEN, "budget": {**GIVEN["budget"], "max_tool_calls": 4}}
    result = reporting(AFTER, FAILS[0]).invoke(given, context={"plan_steps": "always"})
    assert result["status"] == "halted"
    assert "Wismar" in result["halt_reason"]
    assert result["answer"] == f"## Rostock\n\n{PART}\n\n## Stralsund\n\n{PART}"
    assert receipt_of(result).bound_by == ("tool_calls",)
    assert receipt_of(result).within_budget


def test_the_answer_streams_once(reporting, server):
    parts = [*reporting(AFTER, FAILS[1]).stream(GIVEN, stream_mode="messages")]
    assert "".join(part.text for part, _ in parts).count(WHOLE) == 1
    pieces = [part.text for part, about in parts if about.get("thrifty_answers")]
    assert "".join(pieces) == WHOLE
    assert len(pieces) > 1


@pytest.mark.parametrize("width", [1, 3])
def test_side_by_side_and_one_after_another_it_ends_the_same(reporting, server, width):
    result = reporting(document(), FAILS[1]).invoke(GIVEN, context={"max_concurrency": width})
    assert is_one_answer(result)
    assert REPLACED.split()[-1] in receipt_of(result).warnings[1]


def test_a_run_that_stops_at_each_step_pays_nothing_twice(reporting, server):
    ledger = MemoryLedger()
    agent = reporting(AFTER, FAILS[1], checkpointer=InMemorySaver(), ledger=ledger)
    result = agent.invoke(GIVEN, THREAD, interrupt_before=["route", "check_spend"])
    while agent.get_state(THREAD).next:
        result = agent.invoke(None, THREAD, interrupt_before=["route", "check_spend"])
    assert is_one_answer(result)
    assert result["spend"]["tokens"] == server.bill.total_tokens
    assert len(server.requests) == 6  # for steps, two sections, Wismar twice, and an answer


def test_a_small_section_that_need_not_be_there_is_left_out(reporting, server):
    planned = document()
    planned["steps"][1]["importance"] = 1
    refused = BlockedPrompt(when="Describe Rostock", times=None)
    result = reporting(planned, refused).invoke(GIVEN)
    assert result["status"] == "done"
    assert [line for line in result["answer"].splitlines() if "#" in line] == [
        "## Wismar",
        "## Stralsund",
    ]
    (warning,) = receipt_of(result).warnings
    assert warning.startswith("Rostock was not done: ")


def test_an_answer_that_is_worth_more_than_what_sections_are_left_stands_in(reporting, server):
    """Without Rostock, 51.7 points of a document are left. The answer is worth 64."""
    result = reporting(document(), BlockedPrompt(when="Describe Rostock", times=None)).invoke(GIVEN)
    assert is_one_answer(result)
    assert receipt_of(result).warnings[1].startswith("a direct answer took the place of")


def test_a_revision_that_fails_leaves_the_sections(reporting, server):
    last = {**section("Polish", 3, 100), "role": "revision"}
    refused = BlockedPrompt(when="Describe Polish", times=None)
    result = reporting(document(last), refused).invoke(GIVEN)
    assert result["status"] == "done"
    headings = [line for line in result["answer"].splitlines() if "#" in line]
    assert headings == ["## Wismar", "## Rostock", "## Stralsund"]


def test_material_is_handed_over_where_no_model_answers(reporting, server):
    """The other models were tried, and what was found is what there is."""
    found = {**section("Depths", 8, 30, executor="depth"), "role": "material"}
    answers = {**section("Answer", 5, 60, reads=["Depths"]), "role": "answer"}
    agent = reporting(
        {"kind": "reason", "steps": [found, answers]},
        ServerError(when=is_about_all, times=None),
        executors={"depth": lambda work: "9.5 m"},
    )
    result = agent.invoke({**GIVEN, "words": None})
    assert result["status"] == "halted"
    assert {request.body["model"] for request in server.requests[1:]} == {"gpt-4.1", "gpt-4.1-mini"}
    assert result["answer"] == result["draft"] == "## Depths\n\n9.5 m"
    assert result["messages"][-1].content == result["draft"]
