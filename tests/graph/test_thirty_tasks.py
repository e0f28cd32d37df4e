"""Thirty tasks and more, of many kinds: the answer comes first, whole, and is truly billed.

The tasks are in `sample_tasks.py`. Half of them were written after the code was done.
"""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from click.testing import CliRunner
from langchain_core.messages import HumanMessage
from langchain_openai import ChatOpenAI

from tests.graph.conftest import EDITOR, HEADINGS, REVISED, TASK, receipt_of
from tests.graph.sample_tasks import FORTY, ODD, PIXEL, USUAL, SampleTask
from tests.harness.llm_server import Answer, LLMServer, Request, ToolCall
from thrifty import (
    Budget,
    Executor,
    MemoryLedger,
    ModelUnavailable,
    Settings,
    create_budget_agent,
    metered,
)
from thrifty.cli.exit_codes import exit_code
from thrifty.cli.main import thrifty
from thrifty.receipt import wording

TASKS = {**USUAL, **ODD}
PLANS = {
    "the tutorial's": TASK,
    "a polite one": "Hi, could you please write a project plan: {name} moves to ${Town}? 引越し",
}
OFFLINE = (
    "nothing here can answer this without a model: set OPENAI_API_KEY or OPENAI_BASE_URL, or name "
    "another vendor's model (THRIFTY_MODELS__STRONG=anthropic:claude-haiku-4-5) and set its key, "
    "or register an executor (offline: no key and no server)"
)
TEXTS = {
    name: sample
    for name, sample in TASKS.items()
    if isinstance(sample.asked, str) and not (sample.agent or sample.documents)
}
"""Those that one agent can be asked side by side, and the command line."""


@pytest.fixture(scope="module")
def provider() -> Iterator[LLMServer]:
    with LLMServer() as running:
        yield running


@pytest.fixture
def model(provider: LLMServer) -> LLMServer:
    provider.clear()
    return provider


def agent_for(sample: SampleTask, ledger: MemoryLedger, model: LLMServer | None) -> Any:
    """An agent at the server, or offline where there is none."""
    given = dict(sample.agent)
    models = given.pop("models", {})
    api = "responses" if sample in ODD.values() else "chat"
    settings = Settings("sk-test", model.base_url, api, models=models) if model else Settings()
    return create_budget_agent(settings=settings, ledger=ledger, **given)


def answer_of(sample: SampleTask) -> Any:
    return sample.writes if sample.answer is None else sample.answer


def sent(request: Request) -> list[str]:
    """The texts of a request, without the pictures, which stand behind them as JSON."""
    texts = (message.text for message in request.messages)
    return [
        re.split(r'\{"type":"(?:input_image|image_url)"', text)[0].strip("\n") for text in texts
    ]


@pytest.mark.parametrize("name", TASKS)
def test_a_task_is_answered_first_and_whole_and_billed_as_it_was(model, ledger, name):
    sample = TASKS[name]
    model.script(*map(Answer, sample.calls), Answer(sample.writes, times=None))
    result = agent_for(sample, ledger, model).invoke(sample.given)
    receipt = receipt_of(result)

    assert result["answer"] == result["draft"] == answer_of(sample)
    assert [message.text for message in result["messages"]][-1] == answer_of(sample)
    assert result["structured"] == (None if isinstance(sample.writes, str) else sample.writes)
    label = "Answer (strong, with tools)" if sample.calls else "Answer (strong)"
    assert [line.label for line in receipt.lines] == [label]
    assert (result["status"], receipt.warnings, exit_code(receipt)) == ("done", (), 0)
    assert wording.describe_verdict(receipt) == "Done, within budget."

    assert len(model.requests) == 1 + len(sample.calls)
    assert receipt.spent.tool_calls == 1 + 2 * len(sample.calls)
    check_bill(result, model, ledger, Budget(**dict(sample.limits)))
    check_sent(sample, model)
    is_cut = name == "long conversation"
    assert receipt.bound_by == (("tokens",) if is_cut else ())


def check_bill(result: Any, model: LLMServer, ledger: MemoryLedger, limits: Budget) -> None:
    """The server's own bill, the ledger and the receipt say the same, and no limit was passed."""
    receipt = receipt_of(result)
    entries = [entry for entry in ledger.entries(receipt.run_id) if not entry.is_note]
    charged = sum(entry.charged.tokens for entry in entries)
    assert model.bill.total_tokens == charged == receipt.spent.tokens > 0
    assert sum(line.actual.tokens for line in receipt.lines) == charged
    assert result["spend"] == receipt.spent.to_state()
    assert limits.covers(receipt.spent)
    assert all(limits.covers(entry.reserved) for entry in entries)
    assert ledger.balance(receipt.run_id).reserved.tokens == 0


def check_sent(sample: SampleTask, model: LLMServer) -> None:
    """What was asked is sent to the letter, and of the newest messages none is missing."""
    request = model.requests[0]
    texts = sent(request)
    if sample.documents:
        documents = texts.pop(-2)
        for name, text in sample.documents.items():
            assert f' name="{name}">\n{text}\n</result' in documents
    if len(texts) == len(sample.said):
        assert texts == sample.said
    else:
        assert texts == [sample.said[0], *sample.said[1 - len(texts) :]]
        assert len(texts) > 10
    assert (PIXEL in str(request.body)) == (PIXEL in str(sample.asked))


def end_of(result: Any) -> str:
    return wording.describe_binding(receipt_of(result))


@pytest.mark.parametrize("name", TASKS)
def test_offline_a_task_is_told_that_it_needs_a_model(ledger, name):
    sample = TASKS[name]
    result = agent_for(sample, ledger, None).invoke(sample.given)
    receipt = receipt_of(result)
    assert (result["status"], result["halt_reason"]) == ("halted", OFFLINE)
    assert (receipt.cause, exit_code(receipt)) == ("model", 7)
    assert (result["answer"], result["draft"], result["messages"][len(sample.said) :]) == (
        "",
    ) * 2 + ([],)
    assert result["results"].keys() == sample.documents.keys()
    assert (receipt.lines, receipt.spent.tokens, receipt.spent.tool_calls) == ((), 0, 0)


@pytest.mark.parametrize("task", PLANS.values(), ids=PLANS)
def test_a_plan_that_is_asked_for_has_the_recipes_sections_with_a_model_or_without(
    model, ledger, task
):
    model.script(Answer(REVISED, when=EDITOR, times=None))
    agent = create_budget_agent(settings=Settings("sk-test", model.base_url, "chat"), ledger=ledger)
    limits = {"max_tokens": 6_000, "max_tool_calls": 2}
    given = {"task": task, "budget": limits}
    online, offline = agent.invoke(given), create_budget_agent(settings=Settings()).invoke(given)
    for result in (online, offline):
        assert (result["status"], exit_code(receipt_of(result))) == ("done", 0)
        assert [line[3:] for line in result["answer"].splitlines() if line.startswith("## ")] == [
            *HEADINGS
        ]
    assert all(task in request.prompt for request in model.requests)
    assert len(model.requests) == 2
    check_bill(online, model, ledger, Budget(**limits))


def test_an_executor_answers_offline_and_where_no_model_can_be_paid(model, ledger):
    counts = Executor(lambda work: f"{len(work.task.split())} of {len(work.results)}", answers=True)
    asked = {"task": "Count them 🙂", "documents": FORTY, "budget": {"max_tokens": 300}}
    for settings in (Settings(), Settings("sk-test", model.base_url, "chat")):
        agent = create_budget_agent(settings=settings, executors={"counts": counts}, ledger=ledger)
        result = agent.invoke(asked)
        assert (result["status"], result["answer"]) == ("done", "3 of 40")
        assert [line.label for line in receipt_of(result).lines] == ["Answer (counts)"]
        assert result["spend"]["tokens"] == 0
    assert not model.requests


def test_documents_that_do_not_fit_are_not_cut(model, ledger):
    sample = TASKS["forty documents"]
    asked = {**sample.given, "budget": {"max_tokens": 1_000}}
    result = agent_for(sample, ledger, model).invoke(asked)
    assert (result["status"], result["answer"]) == ("halted", "")
    assert exit_code(receipt_of(result)) == 4
    (short,) = re.findall(r"'Answer \(strong\)' is (\d+) tokens short", result["halt_reason"])
    assert end_of(result) == "More tokens would have bought something better."
    assert not model.requests
    enough = {**asked, "budget": {"max_tokens": 1_000 + int(short)}}
    assert agent_for(sample, ledger, model).invoke(enough)["status"] == "done"


def test_what_is_read_does_not_come_between_a_call_and_what_the_tool_said(model, ledger):
    *before, last = TASKS["talk of tools"].asked
    talk = [*before[1:-1], before[-1]]
    assert isinstance(last, HumanMessage)
    asked = {"messages": [last, *talk[:2]], "documents": {"List": "Depot 7: Rome."}}
    model.script(Answer("Yes.", times=None))
    create_budget_agent(settings=Settings("sk-test", model.base_url, "chat")).invoke(asked)
    roles = [message.role for message in model.requests[0].messages]
    assert roles == ["user", "user", "assistant", "tool"]
    assert "Depot 7: Rome." in model.requests[0].messages[0].text


def script_all(model: LLMServer) -> None:
    """Each task is known by its text."""

    def asks(said: str) -> Any:
        return lambda request: request.messages[-1].text == said

    for sample in TEXTS.values():
        model.script(Answer(sample.writes, when=asks(sample.said[-1]), times=None))


def test_all_at_once_they_stay_within_the_account_that_pays_for_them(model, ledger):
    script_all(model)
    ledger.open("team", Budget(max_tokens=200_000, max_tool_calls=100))
    settings = Settings("sk-test", model.base_url, "chat")
    agent = create_budget_agent(settings=settings, ledger=ledger, account="team")

    async def run_all() -> list[Any]:
        return await asyncio.gather(*(agent.ainvoke(each.given) for each in TEXTS.values()))

    results = asyncio.run(run_all())
    assert [result["answer"] for result in results] == [answer_of(s) for s in TEXTS.values()]
    assert {result["status"] for result in results} == {"done"}
    spent = ledger.balance("team").spent
    assert spent.tokens == model.bill.total_tokens == sum(r["spend"]["tokens"] for r in results)
    assert spent.tool_calls == len(model.requests) == len(TEXTS) > 25


@pytest.mark.parametrize("name", ["right to left", "emoji", "indented code"])
def test_an_answer_streams_to_the_letter(model, ledger, name):
    sample = TASKS[name]
    model.script(Answer(sample.writes, chunk_tokens=1, times=None))
    agent = agent_for(sample, ledger, model)

    async def read() -> str:
        stream = agent.astream(sample.given, stream_mode="messages")
        return "".join([message.text async for message, _ in stream])

    assert asyncio.run(read()) == sample.writes


@pytest.mark.parametrize("name", ["a proposal asked about", "right to left", "mark-up"])
def test_in_a_terminal_the_answer_is_all_that_a_pipe_gets(model, monkeypatch, tmp_path, name):
    sample = TASKS[name]
    monkeypatch.setenv("THRIFTY_HOME", str(tmp_path))
    model.script(Answer(sample.writes, times=None))
    asked = ["run", sample.asked, "--max-tokens", "30000", "--quiet"]
    command = [*asked, "--base-url", model.base_url, "--models", "gpt-5"]
    done = CliRunner().invoke(thrifty, command, env={"OPENAI_API_KEY": "sk-test"})
    assert (done.exit_code, done.stdout, done.stderr) == (0, f"{sample.writes}\n", "")
    assert [sent(request) for request in model.requests] == [sample.said]
    halted = CliRunner().invoke(thrifty, [*asked, "--offline"])
    assert (halted.exit_code, halted.stdout) == (7, "")
    assert "nothing here can answer this without a model" in halted.stderr


@pytest.mark.parametrize(
    ("limits", "more"),
    [
        ({"max_tokens": 2_000}, "tokens"),
        ({"max_tokens": 9_000}, "tokens"),
        ({"max_tokens": 90_000, "max_cost_usd": 0.03}, "money"),
        ({"max_tokens": 1_000_000}, ""),  # it is as long as the model can write
    ],
)
def test_an_answer_that_is_cut_says_what_would_have_let_it_go_on(model, ledger, limits, more):
    model.script(Answer(tokens=20_000, times=None))
    agent = create_budget_agent(settings=Settings("sk-test", model.base_url, "chat"), ledger=ledger)
    result = agent.invoke({"task": "Write 15,000 words", "budget": limits})
    assert (exit_code(receipt_of(result)), receipt_of(result).warnings) == (
        13,
        ("Answer was cut short",),
    )
    told = f"More {more} would have bought something better."
    assert end_of(result) == (told if more else "No limit kept anything better out.")
    check_bill(result, model, ledger, Budget(**limits))


def test_with_tools_an_answer_has_its_shape_too(model, ledger):
    person = {"name": "Ada", "age": 36}
    model.script(Answer(ToolCall("depot_of", {"city": "Rome"})))
    model.script(Answer(ToolCall("Person", person), times=None))
    sample = TASKS["a tool's job"]
    given = replace(sample, agent={**sample.agent, **TASKS["extraction"].agent})
    result = agent_for(given, ledger, model).invoke(sample.given)
    assert (result["status"], result["structured"]) == ("done", person)
    assert [sorted(tool.name for tool in each.tools) for each in model.requests] == [
        ["Person", "depot_of"]
    ] * 2
    check_bill(result, model, ledger, Budget(**sample.limits))


def test_half_an_emoji_in_a_conversation_is_mended_and_one_elsewhere_is_free(model, ledger):
    settings = Settings("sk-test", model.base_url, "chat")
    model.script(Answer("Yes.", times=None))
    asked = {"messages": [HumanMessage("Is \ud83d a smile?")], "budget": {"max_tokens": 2_000}}
    result = create_budget_agent(settings=settings).invoke(asked)
    assert (result["answer"], sent(model.requests[0])) == ("Yes.", ["Is \ufffd a smile?"])
    ledger.open("mine", Budget(max_tokens=2_000))
    chat = ChatOpenAI(model="gpt-5", base_url=model.base_url, api_key="sk-test")
    with pytest.raises(ModelUnavailable, match="half characters, which cannot be sent"):
        metered(chat, ledger, "mine").invoke("Is \ud83d a smile?")
    assert ledger.balance("mine").left.max_tokens == 2_000
