"""Bedrock's models, metered: what is theirs alone, at the wire."""

import json
import os
from dataclasses import dataclass
from threading import enumerate as threads

import pytest

from tests.harness.fork import fork_to
from tests.harness.llm_server import Answer, Behaviour, ErrorStatus, Hang, ToolCall, http
from tests.harness.llm_server.bedrock import binary_frame
from tests.harness.llm_server.reply import Reply
from tests.harness.llm_server.stage import Stage
from tests.models.conftest import ACCOUNT, entries
from tests.models.vendors.bedrock import HAIKU, client
from tests.models.ways import TWO_WAYS, WAYS
from thrifty import Budget, MemoryLedger, ModelUnavailable, metered

BOTH_WAYS = pytest.mark.parametrize("way", TWO_WAYS)


@pytest.fixture
def make(server, ledger):
    def make(budget=Budget(max_tokens=9_000), made=None, **terms):  # noqa: B008 - frozen
        ledger.open(ACCOUNT, budget)
        return metered(client(server, **(made or {})), ledger, ACCOUNT, **terms)

    return make


@BOTH_WAYS
@pytest.mark.parametrize(
    "name", [HAIKU, "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.x-v1:0"]
)
def test_what_is_signed_is_what_is_sent(server, ledger, name, way):
    """The address, letter by letter, and each header that the signature covers."""
    ledger.open(ACCOUNT, Budget(max_tokens=9_000))
    model = client(server, model=name, provider="anthropic")
    WAYS["invoke" if way == "invoke" else "stream"](model, "Hi")
    WAYS[way](metered(model, ledger, ACCOUNT), "Hi")
    own, ours = server.requests
    assert own.path == ours.path
    assert ours.headers["host"] == f"127.0.0.1:{server.port}"
    signed = ours.headers["authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
    assert set(signed) <= ours.headers.keys()
    assert {"host", "x-amz-date"} <= set(signed)


@BOTH_WAYS
def test_a_call_whose_time_is_over_leaves_neither_thread_nor_connection(make, server, ledger, way):
    server.script(Hang())
    with pytest.raises(ModelUnavailable, match="deadline"):
        WAYS[way](make(Budget(max_tokens=900, max_latency_ms=2_000), attempts_max=1), "Hi")
    server.wait_for(1, ended=True)
    assert entries(ledger)[0].status == "in_doubt"
    server.script(Answer("Yes."))
    busy = sum(each.name == "thrifty-bedrock" for each in threads())
    assert make().invoke("Hi").text == "Yes."
    assert sum(each.name == "thrifty-bedrock" for each in threads()) <= busy


def test_many_pieces_of_a_stream_are_put_together(make, server, ledger):
    steps = "mix, knead, bake, cool, sell. " * 40
    server.script(Answer(ToolCall("plan", {"steps": steps}), chunk_tokens=1))
    tool = {"type": "function", "function": {"name": "plan", "parameters": {"type": "object"}}}
    answer = WAYS["astream"](make().bind_tools([tool]), "Plan a bakery")
    assert answer.tool_calls[0]["args"] == {"steps": steps}
    assert ledger.balance(ACCOUNT).spent.tokens == server.bill.total_tokens


@dataclass(frozen=True, kw_only=True)
class FramedError(Behaviour):
    """An exception in the place of an event."""

    pieces: int = 0

    async def send(self, stage: Stage, reply: Reply) -> None:
        await stage.wire.write(stage.stream_head())
        events = stage.dialect.events(reply)
        await stage.send_events(reply, events[: self.pieces])
        stage.finish(completed=True)
        payload = json.dumps({"message": "Too many requests."}).encode()
        frame = binary_frame("throttlingException", payload, kind="exception")
        await stage.wire.write(http.chunk(frame) + http.LAST_CHUNK)


@pytest.mark.parametrize("pieces", [0, 3])
def test_an_exception_in_a_stream_is_said_and_charged(make, server, ledger, pieces):
    server.script(FramedError(pieces=pieces, answer=Answer(tokens=50)))
    with pytest.raises(ModelUnavailable, match=r"throttlingException.*Too many requests\."):
        list(make(attempts_max=1).stream("Hi"))
    assert [entry.status for entry in entries(ledger)] == ["in_doubt"]


@BOTH_WAYS
@pytest.mark.parametrize(
    ("status", "told", "for_good"),
    [
        (400, "ValidationException", False),
        (403, "AccessDeniedException.*check what its key may do", True),
        (404, "ResourceNotFoundException.*check its name", True),
    ],
)
def test_a_refusal_is_free_and_said(make, server, ledger, status, told, for_good, way):
    server.script(ErrorStatus(status=status, message="No."))
    with pytest.raises(ModelUnavailable, match=told) as raised:
        WAYS[way](make(), "Hi")
    assert raised.value.for_good == for_good
    assert [entry.status for entry in entries(ledger)] == ["released"]


def test_a_key_is_not_shown_where_a_server_repeats_it(make, server):
    server.script(ErrorStatus(status=400, message="The key AKIASECRETKEY is not known here."))
    with pytest.raises(ModelUnavailable, match="redacted") as raised:
        make(made={"key": "AKIASECRETKEY"}).invoke("Hi")
    assert "SECRET" not in str(raised.value)


def test_a_long_stream_is_bounded_by_its_events_and_not_by_all_of_them(make, server, monkeypatch):
    monkeypatch.setattr("thrifty.models.wire.exchange.BODY_BYTES_MAX", 20_000, raising=False)
    monkeypatch.setattr("thrifty.models.wire.bounded_body.BODY_BYTES_MAX", 20_000, raising=False)
    server.script(Answer(tokens=400, chunk_tokens=1))
    assert list(make().stream("Hi"))
    assert server.requests[0].completed


def test_a_fork_has_threads_of_its_own(server, ledger):
    model = client(server)

    def ask(booked_in) -> None:
        booked_in.open(ACCOUNT, Budget(max_tokens=9_000))
        assert metered(model, booked_in, ACCOUNT).invoke("Hi").text

    ask(ledger)
    child = fork_to(lambda: ask(MemoryLedger()))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert len(server.requests) == 2


def test_the_owners_client_keeps_its_retries(make, server, ledger):
    ledger.open(ACCOUNT, Budget(max_tokens=9_000))
    model = client(server, max_retries=1)
    metered(model, ledger, ACCOUNT).invoke("Hi")
    server.script(ErrorStatus(status=500, times=1), Answer("Yes."))
    assert model.invoke("Hi").text == "Yes."
    assert len(server.requests) == 3
