"""Tasks of many kinds at a real server: a status, the server's own bill, limits that are obeyed."""

import asyncio
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from pydantic import BaseModel, Field

from tests.graph.conftest import decisions_of, receipt_of
from tests.real_model.conftest import PARIS, PRICE, SHORT_TOKENS, cost_nano_usd
from tests.real_model.serve import NAME
from thrifty import Model, Result, Spend, Step, StepOption

ROOMY = {"max_tokens": 4_000, "max_tool_calls": 4}
TASKS = {
    "poem": "Write a short poem about the sea",
    "German": "Schreibe ein kurzes Gedicht über das Meer",
    "Spanish": "Traduce al inglés: primero cavamos, luego construimos.",
    "Japanese": "海についての短い詩を書いてください",
    "bug": "Fix the bug:\n\n  File 'a.py', line 3\n    print(x\nSyntaxError",
    "one word": "Hi",
}


def check_bill(result: dict[str, Any], ledger: Any, used: Any) -> None:
    """The server's own count, the ledger and the receipt are the same, and within the budget."""
    receipt, server = receipt_of(result), used()
    entries = ledger.entries(receipt.run_id)
    charged = [entry.charged for entry in entries if entry.status != "released"]
    assert sum(each.tokens for each in charged) == server.tokens
    assert sum(each.cost_nano_usd for each in charged) == cost_nano_usd(server)
    spent = receipt.spent
    assert (spent.tokens, spent.cost_nano_usd) == (server.tokens, cost_nano_usd(server))
    assert result["spend"] == spent.to_state()
    assert receipt.within_budget
    for entry in entries:
        assert entry.reserved.tokens >= entry.charged.tokens
        assert entry.reserved.cost_nano_usd >= entry.charged.cost_nano_usd


def test_the_capital_of_france(answering, ledger, used):
    budget = {"max_tokens": 900, "max_cost_usd": 0.01, "max_tool_calls": 1}
    result = answering().invoke({"task": PARIS, "budget": budget})
    assert (result["status"], result["halt_reason"]) == ("done", "")
    assert "Paris" in result["answer"]
    assert result["spend"]["tool_calls"] == 1
    assert used().output_tokens < 100
    check_bill(result, ledger, used)


@pytest.mark.parametrize("kind", TASKS)
def test_a_task_of_any_kind_is_answered_in_one_call(answering, short, ledger, used, kind):
    budget = {"max_tokens": 1_500, "max_cost_usd": 0.01}
    result = answering(model=short).invoke({"task": TASKS[kind], "budget": budget})
    assert result["status"] == "done"
    assert result["answer"] == result["draft"] != ""
    assert result["spend"]["tool_calls"] == 1
    check_bill(result, ledger, used)
    is_cut = used().output_tokens == SHORT_TOKENS
    assert receipt_of(result).warnings == (("Answer was cut short",) if is_cut else ())
    (line,) = receipt_of(result).lines
    assert line.reason.startswith(f"cut short after {SHORT_TOKENS} tokens" if is_cut else "")


def test_an_answer_streams_piece_by_piece(answering, short, ledger, used):
    given = {"task": TASKS["poem"], "budget": ROOMY}
    pieces, result = [], {}
    for mode, part in answering(model=short).stream(given, stream_mode=["messages", "values"]):
        if mode == "messages":
            pieces.append(part[0].text)
        else:
            result = part
    assert len([piece for piece in pieces if piece]) > 1
    assert "".join(pieces).strip() == result["answer"]
    check_bill(result, ledger, used)


async def first_piece(agent: Any, given: Any) -> Any:
    stream = agent.astream(given, stream_mode="messages")
    piece = await anext(stream)
    await stream.aclose()
    return piece


def test_who_leaves_a_stream_pays_all_that_the_server_made(answering, ledger, used):
    given = {"task": "Write a long story about a ship.", "budget": {"max_tokens": 900}}
    asyncio.run(first_piece(answering(), given))
    (account,) = ledger.accounts()
    (entry,) = ledger.entries(account.name)
    assert entry.status == "in_doubt"
    assert entry.charged.tokens == entry.reserved.tokens >= used().tokens > 0


class Fleet(BaseModel):
    """What is known of a depot."""

    depot: str = Field(max_length=12)
    vehicles: int = Field(ge=0, le=999)


def test_an_answer_in_a_shape_is_held_to_it_by_the_servers_grammar(
    answering, model_server, ledger, used
):
    asked = Model(NAME, base_url=model_server.base_url, price=PRICE, shape_field="response_format")
    agent = answering(model=asked, response_format=Fleet)
    result = agent.invoke({"task": "Depot North has 14 vans.", "budget": {"max_tokens": 2_000}})
    assert result["status"] == "done"
    assert Fleet.model_validate(result["structured"])
    check_bill(result, ledger, used)


def weather(city: str) -> str:
    """The weather of a city."""
    return f"sunny in {city}"


def test_an_agent_with_tools_answers_whether_or_not_its_model_calls_them(
    answering, short, ledger, used
):
    result = answering(model=short, tools=[weather]).invoke({"task": "Rome?", "budget": ROOMY})
    assert (result["status"], bool(result["answer"])) == ("done", True)
    check_bill(result, ledger, used)


def test_a_step_reads_what_code_has_found(answering, short, ledger, used):
    look = StepOption("Look up", "Facts", "look_up", "Look it up.", Spend(0, 0, 5, 0), 5.0)
    say = StepOption("Say", "Answer", "llm", "Say it in a sentence.", Spend(400, 0, 900, 1), 9.0)
    steps = [
        Step("Facts", (look,), role="material"),
        Step("Answer", (say,), reads=("Facts",), role="answer"),
    ]
    agent = answering(
        model=short,
        catalog=steps,
        executors={"look_up": lambda work: Result("14 vans.", {"vans": 14})},
    )
    given = {"task": "How many vans are there?", "budget": ROOMY}
    result = agent.invoke(given, context={"propose_options": False})
    assert result["status"] == "done"
    assert result["results"]["Facts"]["data"] == {"vans": 14}
    assert result["answer"]
    check_bill(result, ledger, used)


def test_forty_documents_are_read_whole(answering, short, ledger, used):
    documents = {f"d{n}": f"Van {n}: hall {n % 7}" for n in range(40)}
    given = {"task": "Where does van 7 stand?", "documents": documents, "budget": ROOMY}
    result = answering(model=short).invoke(given)
    assert result["status"] == "done"
    assert used().input_tokens > 40 * 8
    check_bill(result, ledger, used)


def test_a_budget_that_holds_nothing_sends_nothing(answering, ledger, used):
    result = answering().invoke({"task": PARIS, "budget": {"max_tokens": 60}})
    assert (result["status"], result["answer"]) == ("halted", "")
    assert used().tokens == 0
    check_bill(result, ledger, used)


def test_a_conversation_that_has_outgrown_its_budget_loses_its_oldest_messages(
    answering, short, ledger, used
):
    said = [SystemMessage("Be brief.")]
    for turn in range(30):
        said += [HumanMessage(f"Question {turn}: why?"), AIMessage("Because it is so. " * 5)]
    said.append(HumanMessage(PARIS))
    budget = {"max_tokens": 1_000}
    result = answering(model=short).invoke({"messages": said, "budget": budget})
    assert result["status"] == "done"
    (remark,) = decisions_of(result, "options")
    assert remark.endswith("messages were left out, as all of them do not fit")
    check_bill(result, ledger, used)


def test_what_the_models_context_does_not_hold_is_refused_and_free(answering, ledger, used):
    given = {"task": "word " * 3_000, "budget": {"max_tokens": 40_000}}
    result = answering().invoke(given)
    assert result["status"] == "halted"
    assert "the server refused the request (400)" in result["halt_reason"]
    assert result["spend"]["tokens"] == used().tokens == 0


def test_a_proposal_is_drafted(answering, short, ledger, used):
    task = "Draft a project proposal for a fleet dashboard."
    given = {"task": task, "budget": {"max_tokens": 6_000, "max_tool_calls": 1}}
    result = answering(model=short).invoke(given)
    assert result["status"] == "done"
    assert result["draft"].count("## ") >= 3
    assert result["spend"]["tool_calls"] == 1
    check_bill(result, ledger, used)
