"""Promise 3, always a result: faults of the server end in a draft, a status and a receipt."""

import pytest

from tests.graph.conftest import EDITOR, HEADINGS, TASK, TUTORIAL_BUDGET, receipt_of
from tests.harness.llm_server import (
    Answer,
    BodyDrip,
    EndlessStream,
    Hang,
    HeaderDrip,
    MalformedJson,
    MissingUsage,
    NegativeUsage,
    Reset,
    ResetMidAnswer,
    ServerError,
    TooManyRequests,
    TruncatedStream,
    Unauthorized,
    ZeroUsage,
)
from tests.harness.lost_time import lost_time
from tests.long_cases import long_but
from thrifty import Settings, create_budget_agent

UNUSABLE = {
    "reset": (Reset(times=None), "the connection was lost"),
    "reset in mid answer": (ResetMidAnswer(times=None), "the connection was lost"),
    "500": (ServerError(times=None), f"the server failed {ServerError().told}"),
    "429": (
        TooManyRequests(retry_after_s=50, times=None),
        f"too many requests {TooManyRequests().told}",
    ),
    "401": (
        Unauthorized(times=None),
        f"the server refused the request {Unauthorized().told}; check its key",
    ),
    "malformed": (MalformedJson(times=None), "unusable answer (JSONDecodeError)"),
    "only reasoning": (Answer("", reasoning_tokens=40, times=None), "an answer without any text"),
    "hang": (Hang(times=None), "no whole answer before the deadline"),
    "header drip": (HeaderDrip(times=None), "no whole answer before the deadline"),
    "body drip": (BodyDrip(times=None), "no whole answer before the deadline"),
}


@pytest.mark.parametrize("fault", long_but(UNUSABLE, *list(UNUSABLE)[:5]))
def test_a_failing_server_degrades_to_local_variants(online, server, fault):
    behaviour, told = UNUSABLE[fault]
    server.clear()
    server.script(behaviour)
    is_slow = "deadline" in told
    budget = {**TUTORIAL_BUDGET, "max_latency_ms": 2500 if is_slow else 45_000}
    with lost_time() as lost:
        receipt = receipt_of(result := online().invoke({"task": TASK, "budget": budget}))
        lost_ms = lost.ms
    failed = [line for line in receipt.lines if line.status == "failed"]
    assert failed[0].reason == f"gpt-5: {told}"
    assert "## Clarify deliverables" in result["draft"]
    if not is_slow:
        assert "## Outline plan" in result["draft"]
    assert receipt.spent.latency_ms <= budget["max_latency_ms"] + lost_ms
    assert receipt.within_budget or receipt.spent.latency_ms > budget["max_latency_ms"]
    assert server.bill.total_tokens <= receipt.spent.tokens <= 2200


def test_an_unreachable_server_is_tried_once_and_costs_nothing():
    settings = Settings(base_url="http://127.0.0.1:9/v1", api="chat")
    result = create_budget_agent(settings=settings).invoke(
        {"task": TASK, "budget": TUTORIAL_BUDGET}
    )
    receipt = receipt_of(result)
    assert [line.reason for line in receipt.lines if line.status == "failed"] == [
        "gpt-5: the server cannot be reached"
    ]
    assert receipt.spent.tokens == receipt.spent.tool_calls == 0
    assert result["status"] == "halted"
    assert "## Outline plan" in result["draft"]


@pytest.mark.parametrize("lie", [MissingUsage, NegativeUsage, ZeroUsage])
def test_an_answer_whose_usage_is_unknown_is_kept_and_charged_in_full(online, server, ledger, lie):
    server.script(lie(times=None))
    result = online().invoke({"task": TASK, "budget": TUTORIAL_BUDGET})
    receipt = receipt_of(result)
    entry = next(e for e in ledger.entries(receipt.run_id) if e.reserved.tool_calls)
    assert entry.status == "in_doubt"
    assert entry.charged.tokens == entry.reserved.tokens > server.bill.total_tokens
    assert "## Outline plan" in result["draft"]


def test_a_truncated_stream_is_charged_in_full(online, server, ledger):
    server.script(TruncatedStream(times=None))
    result = None
    agent = online()
    for mode, part in agent.stream(
        {"task": TASK, "budget": TUTORIAL_BUDGET}, stream_mode=["messages", "values"]
    ):
        result = part if mode == "values" else result
    entry = next(e for e in ledger.entries(receipt_of(result).run_id) if e.reserved.tool_calls)
    assert entry.status == "in_doubt"
    assert receipt_of(result).within_budget


def test_an_endless_stream_is_cut_at_the_deadline(online, server):
    server.script(EndlessStream(times=None))
    budget = {**TUTORIAL_BUDGET, "max_latency_ms": 2000}
    result = None
    with lost_time() as lost:
        for mode, part in online().stream(
            {"task": TASK, "budget": budget}, stream_mode=["messages", "values"]
        ):
            result = part if mode == "values" else result
        lost_ms = lost.ms
    assert receipt_of(result).spent.latency_ms < 3000 + lost_ms


def test_a_budget_for_nothing_halts_before_any_call(online, server):
    zero = {"max_tokens": 0, "max_cost_usd": 0, "max_latency_ms": 0, "max_tool_calls": 0}
    result = online().invoke({"task": TASK, "budget": zero})
    receipt = receipt_of(result)
    assert (result["status"], result["draft"]) == ("halted", "")
    assert receipt.halt_reason == (
        "nothing fits in what is left: 'Risk register (local)' is 181 tokens, 68 ms short"
    )
    assert not receipt.lines
    assert not server.requests
    assert receipt.bound_by == ("tokens", "cost", "latency", "tool_calls")


def test_an_executor_that_raises_is_a_failed_step(offline):
    def broken(work):
        raise RuntimeError("sk-secret")

    catalog = {
        "steps": [
            {"name": "Facts", "options": [_option("broken", 9.0), _option("local", 2.0)]},
        ]
    }
    agent = offline(catalog=catalog, executors={"broken": broken})
    result = agent.invoke({"task": TASK, "budget": {"max_tokens": 100}})
    lines = [(line.executor, line.status, line.reason) for line in receipt_of(result).lines]
    assert lines == [("broken", "failed", "it raised RuntimeError"), ("local", "done", "")]
    assert "sk-secret" not in str(result)


def _option(executor, value):
    return {
        "executor": executor,
        "description": "finds facts",
        "tokens": 10,
        "latency_ms": 5,
        "tool_calls": 0,
        "value": value,
    }


@pytest.mark.parametrize(
    ("revision", "told"),
    [
        ("Much better now.", "the revision lost the section 'Clarify deliverables'"),
        (
            "\n\n".join(f"## {heading}" for heading in HEADINGS),
            "the revision lost more than half of the words",
        ),
    ],
)
def test_a_revision_that_loses_something_is_not_taken(online, server, revision, told):
    server.clear()
    server.script(Answer(revision, when=EDITOR, times=None))
    result = online().invoke({"task": TASK, "budget": TUTORIAL_BUDGET})
    line = next(ln for ln in receipt_of(result).lines if ln.label == "Quality pass (LLM)")
    assert (line.status, line.reason) == ("failed", f"{told}, so the draft stays as it was")
    assert all(f"## {heading}" in result["draft"] for heading in HEADINGS)
