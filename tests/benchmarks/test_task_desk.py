"""Texts are asked of writers over a folder, as far as each round can know, and kept in pairs."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from langchain_core.tools import StructuredTool

from benchmarks.tasks import scripted_replies
from benchmarks.tasks.delivered import read_delivered, write_delivered
from benchmarks.tasks.desk import Desk, digest
from benchmarks.tasks.load import load_tasks
from benchmarks.tasks.scripted_replies import FIRST_WRITER
from benchmarks.tasks.steps import ask_for_steps, take_up_steps
from benchmarks.tasks.texts import run_round
from tests.harness.llm_server import LLMServer
from tests.harness.llm_server.question import Tool

TRIP, SHORT = "trip-harz", "short-kaltmiete"
TASKS = [task for task in load_tasks() if task.id in (TRIP, SHORT)]


def step(name, instruction, reads=(), role="material", **more):
    """A step as a model writes it."""
    told = {"id": name, "name": name, "instruction": instruction, "reads": [*reads], "role": role}
    return told | {"importance": 6, "words": 100} | more


def search(name, query, reads=()):
    """A step of the search tool."""
    given = json.dumps({"query": query})
    return step(name, "Suche.", reads, kind="search", executor="suche_verbindungen", input=given)


STEPS = [
    step("Frage", "Welche Suchwörter?", kind="search"),
    search("Züge", "$Frage", ["Frage"]),
    search("Bahn", "Brockenbahn"),
    step("Samstag", "Beschreibe den Samstag.", ["Bahn"], importance=9),
    step("Plan", "Schreibe den Plan.", ["Züge", "Samstag"], "answer"),
]


@pytest.fixture
def server():
    with LLMServer() as running:
        yield running


@pytest.fixture
def steps_file(tmp_path, monkeypatch):
    """The trip is taken apart as above."""
    monkeypatch.setattr(scripted_replies, "DECOMPOSITIONS", tmp_path / "steps")
    file = scripted_replies.decomposition_file(TRIP, FIRST_WRITER)
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"steps": STEPS}), "utf-8")
    return file


def asked(desk):
    """The requests on a desk: their texts by name."""
    return {file.stem: file.read_text("utf-8") for file in sorted(desk.glob("asked/*/*.md"))}


def reply(desk, texts):
    """Writes replies: each to the one request that has its words."""
    (desk / "replies").mkdir(exist_ok=True)
    for words, text in texts.items():
        (name,) = (name for name, request in asked(desk).items() if words in request)
        (desk / "replies" / f"{name}.md").write_text(text, "utf-8")


@pytest.mark.usefixtures("steps_file")
def test_each_round_asks_for_all_that_can_be_known_until_the_pair_is_whole(server, tmp_path):
    desk = tmp_path / "desk"

    def next_round():
        (only,) = run_round([task for task in TASKS if task.id == TRIP], desk, server)
        return only

    first = next_round()
    assert first.delivered is None
    assert set(asked(desk)) == first.waiting
    assert len(first.waiting) == 3, "two steps that read nothing unwritten, and the direct answer"
    again = next_round()
    assert again == first, "the same requests have the same names in each run"

    reply(
        desk, {"Welche Suchwörter?": "Hamburg Wernigerode Rückfahrt", "Beschreibe den": "Dampflok."}
    )
    second = next_round()
    assert len(second.waiting) == 2
    (plan,) = second.waiting - first.waiting
    text = asked(desk)[plan]
    assert "Dampflok." in text
    assert "Hamburg, Sonntag, 16. Mai 2027, Rückfahrt" in text, (
        "the search has run with what was written"
    )
    assert "not written yet" not in text

    direct = first.waiting & second.waiting
    reply(desk, {'name="Züge"': "Ein ganzer Plan."})
    for name in direct:
        (desk / "replies" / f"{name}.md").write_text("Aus dem Kopf.\n", "utf-8")
    pair = next_round().delivered
    assert (pair.steps.text, pair.direct.text) == ("Ein ganzer Plan.", "Aus dem Kopf.")
    assert (pair.steps.requests, pair.direct.requests) == (4, 1), "with the request for steps"
    assert pair.steps.tokens > pair.direct.tokens
    write_delivered(pair, tmp_path / "delivered")
    assert read_delivered(tmp_path / "delivered") == {TRIP: pair}


@pytest.mark.usefixtures("steps_file")
def test_who_writes_one_answer_of_a_task_does_not_see_the_other(server, tmp_path):
    (first,) = run_round(TASKS, tmp_path, server)  # the short answer has no steps, so no pair
    piles = sorted(([*pile.glob("*.md")] for pile in (tmp_path / "asked").iterdir()), key=len)
    (direct,), steps = piles
    assert "# Assignment" not in direct.read_text("utf-8")
    assert {file.stem for file in (direct, *steps)} == first.waiting


def request_of(server, text, model="gpt-5"):
    """What arrives at a server that is asked this."""
    openai = pytest.importorskip("openai")
    with openai.OpenAI(base_url=server.base_url, api_key="k", max_retries=0) as client:
        message = {"role": "user", "content": text}
        client.chat.completions.create(model=model, messages=[message], max_completion_tokens=30)
    return server.requests[-1]


def test_a_request_is_named_after_what_is_said_and_who_is_asked(server):
    one, same = request_of(server, "Hello"), request_of(server, "Hello")
    assert digest(one) == digest(replace(same, number=99, output_cap=7))
    others = {digest(request_of(server, "Hello!")), digest(request_of(server, "Hello", "other"))}
    assert len({digest(one), *others}) == 3


def test_a_writer_sees_messages_model_and_room_and_a_reply_is_billed(server, tmp_path):
    request = request_of(server, "Say hello.")
    desk = Desk(tmp_path, "1")
    assert "not written yet" in desk.answer(request).content
    desk.ask()
    (text,) = asked(tmp_path).values()
    assert text == ("model: gpt-5\nat most 20 tokens of text\n\n=== user ===\n\nSay hello.\n"), (
        "half as much as the text is kept for reasoning"
    )
    reply(tmp_path, {"Say hello.": "one two three four\n"})
    answer = Desk(tmp_path, "1").answer(request)
    assert (answer.content, answer.reasoning_tokens) == ("one two three four", 2)


def test_a_request_whose_model_may_call_tools_is_refused(server, tmp_path):
    request = replace(request_of(server, "Hi"), tools=(Tool("search", "", {}),))
    with pytest.raises(ValueError, match="gpt-5 may call tools"):
        Desk(tmp_path, "1").answer(request)


def test_a_tool_waits_for_what_is_not_written_yet(server, tmp_path):
    desk, calls = Desk(tmp_path, "1"), []

    def tool(query: str) -> str:
        """Finds."""
        calls.append(query)
        return "found"

    waiting = desk.tool(StructuredTool.from_function(tool, name="find"))
    unwritten = desk.answer(request_of(server, "Which words?")).content
    assert waiting.invoke({"query": f"about {unwritten}"}) == unwritten
    assert waiting.invoke({"query": "trains"}) == "found"
    assert calls == ["trains"]


def test_steps_are_asked_of_writers_as_of_a_model_and_taken_up(server, tmp_path):
    ask_for_steps(TASKS, tmp_path, server)
    prompt = (tmp_path / "steps" / f"{SHORT}.md").read_text("utf-8")
    task = next(task for task in TASKS if task.id == SHORT)
    assert prompt.startswith("You plan how a task is done.")
    assert task.text.strip() in prompt
    function = json.loads((tmp_path / "steps" / "FUNCTION.json").read_text("utf-8"))
    assert function["name"] == "plan_steps"

    written = tmp_path / "steps" / "somebody"
    written.mkdir()
    (written / f"{TRIP}.json").write_text(json.dumps({"steps": STEPS}), "utf-8")
    (written / "another-task.json").write_text("{}", "utf-8")
    kept = tmp_path / "kept"
    assert take_up_steps(TASKS, tmp_path, kept) == [f"somebody, {TRIP}: 5 steps"]
    assert json.loads((kept / "somebody" / f"{TRIP}.json").read_text("utf-8"))["steps"] == STEPS


@pytest.mark.parametrize("written", ["no JSON", "[]", "{}", '{"steps": 3}'])
def test_steps_that_are_none_are_refused_by_name(tmp_path, written):
    file = Path(tmp_path, "steps", "somebody", f"{TRIP}.json")
    file.parent.mkdir(parents=True)
    file.write_text(written, "utf-8")
    with pytest.raises(ValueError, match=f"{TRIP}.json: it has no steps"):
        take_up_steps(TASKS, tmp_path, tmp_path / "kept")
