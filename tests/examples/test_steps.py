"""The examples of tasks that take more than one call: what is asked, read, told and billed."""

import json
import re
import runpy
from pathlib import Path
from typing import Any

import pytest

from tests.examples.running import EXAMPLES, run
from tests.harness.llm_server import Answer, LLMServer, ToolCall
from thrifty import Model, Settings, create_budget_agent
from thrifty.models.costs import input_bound

ASKS = "You plan how a task is done"
PRICES = {"gpt-5": (1_250, 10_000), "gpt-5-mini": (250, 2_000)}
"""Nano-USD for a token of input, and of output."""


def find(name: str, executor: str, given: Any) -> dict[str, Any]:
    """A step in which an executor finds out something."""
    return {
        "id": name,
        "name": name,
        "instruction": f"Find out: {name}.",
        "role": "material",
        "importance": 7,
        "executor": executor,
        "input": given if isinstance(given, str) else json.dumps(given),
    }


def take_apart(*found: dict[str, Any]) -> Answer:
    """What a model says that is asked for steps: these, and an answer that reads them."""
    names = [step["name"] for step in found]
    said = {"name": "Answer", "instruction": "Answer.", "reads": names, "role": "answer"}
    return Answer({"steps": [*found, said]}, when=ASKS)


def ask(name: str, folder: Path, *script: Answer) -> tuple[str, LLMServer]:
    """What an example prints that has a strong and a cheap model at this server."""
    with LLMServer() as server:
        server.script(*script)
        roles = {"THRIFTY_MODELS__STRONG": "gpt-5", "THRIFTY_MODELS__CHEAP": "gpt-5-mini"}
        done = run(name, folder, OPENAI_BASE_URL=server.base_url, **roles)
    assert (done.returncode, done.stderr) == (0, "")
    assert not list(folder.iterdir())
    return done.stdout, server


def check_bill(printed: str, server: LLMServer, calls: int) -> None:
    """The receipts have the tokens and the money of the server's bill, and all calls."""
    used = re.findall(r"^(tokens|cost|calls) +\S+ +\S+ +(\S+)", printed, re.MULTILINE)
    amounts = {name: [value for each, value in used if each == name] for name in dict(used)}
    tokens = sum(int(each.replace(",", "")) for each in amounts["tokens"])
    assert tokens == server.bill.total_tokens
    nano_usd = 0
    for request in server.requests:
        given, written = PRICES[request.model]
        nano_usd += request.bill.input_tokens * given + request.bill.output_tokens * written
    assert sum(round(float(each[1:]) * 10**9) for each in amounts["cost"]) == nano_usd
    assert sum(map(int, amounts["calls"])) == calls


@pytest.mark.long
def test_a_trip_reads_what_two_searches_found(tmp_path):
    with LLMServer() as server:
        server.script(
            take_apart(
                find("Züge", "zugsuche", {"ziel": "Wismar"}),
                find("Zimmer", "zimmersuche", {"ort": "Wismar"}),
            ),
            Answer("Samstag 8:35 ab Berlin Hbf.", times=None),
        )
        done = run("trip_in_steps", tmp_path, OPENAI_BASE_URL=server.base_url)
        read = server.requests[-1].messages[0].text
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Samstag 8:35 ab Berlin Hbf.")
    assert "Pension am Alten Hafen" in read
    assert "RE 2" in read
    told = " ".join(done.stdout.split())
    assert "✓ Züge (zugsuche)" in told
    assert "gpt-5-mini took the task apart into 3 steps: the plan is worth 7" in told


@pytest.mark.long
def test_a_comparison_reads_what_was_found_of_each_product(tmp_path):
    bikes = ("Norra Long", "Kestrel Duo", "Brick 60")
    printed, server = ask(
        "comparison_with_search",
        tmp_path,
        take_apart(*(find(bike, "search", {"query": f"{bike} price"}) for bike in bikes)),
        Answer("Buy the Kestrel Duo."),
    )
    assert [request.model for request in server.requests] == ["gpt-5-mini", "gpt-5"]
    read = server.requests[-1].prompt
    for found in ("for 41 km", "for 62 km", "after 28 km", "Warranty: 2 years for everything."):
        assert found in read
    assert "Rain covers" not in read
    assert printed.startswith("Buy the Kestrel Duo.")
    told = " ".join(printed.split())
    assert "gpt-5-mini took the task apart into 4 steps: the plan is worth 7" in told
    assert ", a direct answer 34.8" in told  # docs/planning.md says so
    for bike in bikes:
        assert f"✓ {bike} (search)" in told
    assert "Left out: Answer (cheap): 'Answer (strong)' was chosen for this step." in told
    check_bill(printed, server, calls=5)


@pytest.mark.long
@pytest.mark.parametrize(
    ("tokens", "host", "encoding", "is_asked"),
    [
        (8_000, ".127.0.0.1", None, 0),
        (11_000, ".127.0.0.1", None, 1),
        (18_000, ".elsewhere", "o200k_base", 1),
        (40_000, ".elsewhere", None, 0),
        (45_000, ".elsewhere", None, 1),
    ],
)
def test_asking_takes_as_large_a_budget_as_the_docs_say(
    tokens, host, encoding, is_asked, monkeypatch
):
    monkeypatch.setattr(input_bound, "OPENAI_HOSTS", (host,))
    example = runpy.run_path(str(EXAMPLES / "comparison_with_search.py"))
    with LLMServer() as server:
        server.script(Answer({"steps": []}, when=ASKS), Answer("Buy one.", times=None))
        model = Model("gpt-5-mini", base_url=server.base_url, encoding=encoding)
        agent = create_budget_agent(
            settings=Settings(models={"cheap": model}), executors={"search": example["search"]}
        )
        result = agent.invoke({"task": example["TASK"], "budget": {"max_tokens": tokens}})
    assert (result["answer"], len(server.requests)) == ("Buy one.", 1 + is_asked)


@pytest.mark.long
def test_documents_are_read_whole_and_by_their_passages(tmp_path):
    page = (EXAMPLES.parent / "docs" / "faq.md").read_text("utf-8")
    printed, server = ask(
        "questions_over_documents",
        tmp_path,
        take_apart(
            find("The bill", "search", "call in doubt charged in full"),
            find("Going on", "search", "how to resume a run after its process was killed"),
        ),
        Answer("The run pays.", times=None),
    )
    whole, asked, passages = server.requests
    assert [request.model for request in server.requests] == ["gpt-5", "gpt-5-mini", "gpt-5"]
    assert page.strip() in whole.prompt
    assert "search: Finds passages of the manual." in asked.prompt
    assert "it is charged in full" in passages.prompt
    assert "**The process was killed**: a resume goes on where it was." in passages.prompt
    assert passages.bill.input_tokens < whole.bill.input_tokens
    first, second = [" ".join(part.split()) for part in printed.split("== All pages")]
    assert (
        "no model was asked for steps: documents alone are no reason, "
        "as a direct answer reads them whole"
    ) in first
    assert "✓ Going on (search)" in second
    assert "gpt-5-mini took the task apart into 3 steps: the plan is worth 7" in second
    check_bill(printed, server, calls=3)


WRONG = "def seconds(text):\n    return 3600"
RIGHT = """import re


def seconds(text):
    found = re.fullmatch(r"(?:(\\d+)h)? ?(?:(\\d+)m)? ?(?:(\\d+)s)?", text)
    if not text or not found:
        raise ValueError(text)
    hours, minutes, left = (int(part or 0) for part in found.groups())
    return 3600 * hours + 60 * minutes + left"""
ENDS = "raise SystemExit(0)"


@pytest.mark.long
def test_code_may_be_mended_several_times_where_the_budget_has_room(tmp_path):
    tries = [f"{WRONG}  # {number}" for number in range(5)]
    calls = [Answer(ToolCall("run_tests", {"code": c}), reasoning_tokens=300) for c in tries]
    printed, server = ask(
        "code_with_tests", tmp_path, *calls, Answer(ToolCall("Module", {"code": RIGHT}))
    )
    assert printed.startswith(RIGHT)
    assert [request.model for request in server.requests] == ["gpt-5"] * 6
    assert "Done, within budget." in printed
    check_bill(printed, server, calls=11)


def test_code_is_handed_over_once_it_passes_the_tests(tmp_path):
    printed, server = ask(
        "code_with_tests",
        tmp_path,
        Answer(ToolCall("run_tests", {"code": WRONG})),
        Answer(ToolCall("run_tests", {"code": RIGHT})),
        Answer(ToolCall("Module", {"code": RIGHT})),
    )
    assert [request.model for request in server.requests] == ["gpt-5"] * 3
    _, after_wrong, after_right = [request.messages[-1].text for request in server.requests]
    assert "AssertionError" in after_wrong
    assert after_wrong.endswith("FAILED (failures=3)")
    assert after_right.endswith("OK")
    assert printed.startswith(RIGHT)
    told = " ".join(printed.split())
    assert "✓ Answer (strong, with tools)" in told
    assert (
        "no model was asked for steps: 'Answer (strong, with tools)' is worth 86.0, "
        "and steps 80.0 at most"
    ) in told
    check_bill(printed, server, calls=5)


@pytest.mark.long
@pytest.mark.parametrize("code", [WRONG, ENDS, "def seconds(:"])
def test_code_that_fails_the_tests_is_no_answer_whoever_says_so(tmp_path, code):
    says_so = Answer(ToolCall("Module", {"code": code}), times=3)
    printed, server = ask(
        "code_with_tests", tmp_path, says_so, Answer(ToolCall("Module", {"code": RIGHT}))
    )
    asked = [
        (request.model, "run_tests" in str(request.body["tools"])) for request in server.requests
    ]
    with_and_without_tools = [(name, has) for name in PRICES for has in (True, False)]
    assert asked == with_and_without_tools
    assert printed.startswith(RIGHT)
    told = " ".join(printed.split())
    assert "; it does not pass the tests" in told
    assert "Answer moved from gpt-5 with tools to gpt-5: " in told
    assert "Done with 1 warning, within budget: Answer fell back to gpt-5-mini: " in told
    check_bill(printed, server, calls=4)


@pytest.mark.long
def test_where_no_code_passes_none_is_handed_over(tmp_path):
    printed, server = ask(
        "code_with_tests", tmp_path, Answer(ToolCall("Module", {"code": WRONG}), times=None)
    )
    assert printed.startswith("There is no code that passes the tests.\n")
    assert "Halted, within budget: " in printed
    check_bill(printed, server, calls=4)


@pytest.mark.parametrize(
    "name",
    ["trip_in_steps", "comparison_with_search", "questions_over_documents", "code_with_tests"],
)
@pytest.mark.long
def test_without_a_model_each_says_what_to_do(tmp_path, name):
    done = run(name, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    told = " ".join(done.stdout.split())
    assert (
        "Halted, within budget: nothing here can answer this without a model: set OPENAI_" in told
    )
    assert "THRIFTY_MODELS__STRONG=anthropic:claude-haiku-4-5) and set its key" in told
