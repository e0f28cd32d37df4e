"""An answer that takes long to unpack or to parse holds up nobody else's deadline."""

import gzip
import json
import zlib
from dataclasses import dataclass
from threading import Event, Thread, current_thread

import pytest
from openai._legacy_response import LegacyAPIResponse

from tests.harness.llm_server import Answer, Behaviour, Hang
from tests.harness.llm_server.reply import Reply
from tests.harness.llm_server.stage import Stage
from tests.long_cases import long_but
from tests.models.conftest import entries
from thrifty import Budget, ModelUnavailable
from thrifty.models.wire.exchange import BODY_BYTES_MAX

MEGABYTE = 1024 * 1024
BOMB_MEGABYTES = 1_024
"""Unpacked at once, it would take a gigabyte and many seconds."""


@dataclass(frozen=True, kw_only=True)
class Packed(Behaviour):
    """Sends a body that somebody has packed."""

    body: bytes
    encoding: str = "gzip"

    async def send(self, stage: Stage, reply: Reply) -> None:
        head = stage.json_head(200, len(self.body), {"content-encoding": self.encoding})
        stage.finish(completed=True)
        await stage.wire.write(head + self.body)


@pytest.fixture(scope="module")
def bomb() -> bytes:
    """Blanks, of which a thousand take a byte."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    blanks = b" " * MEGABYTE
    return b"".join([packer.compress(blanks) for _ in range(BOMB_MEGABYTES)]) + packer.flush()


@pytest.mark.parametrize("api", long_but(["chat", "responses"], "chat"))
def test_an_answer_that_unpacks_to_gigabytes_is_not_unpacked(server, make, ledger, api, bomb):
    server.default = Packed(body=bomb)
    model = make(api=api, useful_tokens=16)
    with pytest.raises(ModelUnavailable, match="larger than any can be"):
        model.invoke("Hi")
    (entry,) = entries(ledger)
    assert entry.status == "in_doubt"
    assert len(server.requests) == 1


@pytest.mark.parametrize("size", [BODY_BYTES_MAX - MEGABYTE, BODY_BYTES_MAX + 1])
def test_what_is_not_packed_is_bounded_as_well(server, make, size):
    server.default = Packed(body=b" " * size, encoding="identity")
    remark = "larger than any" if size > BODY_BYTES_MAX else "unusable answer"
    with pytest.raises(ModelUnavailable, match=remark):
        make().invoke("Hi")


def test_an_encoding_that_nobody_asked_for_is_refused(server, make, ledger):
    server.default = Packed(body=b"{}", encoding="br")
    with pytest.raises(ModelUnavailable, match="larger than any"):
        make().invoke("Hi")
    assert entries(ledger)[0].status == "in_doubt"


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_an_honest_answer_may_be_packed(server, make, api, encoding):
    """Most providers pack theirs."""
    pack = gzip.compress if encoding == "gzip" else zlib.compress

    @dataclass(frozen=True, kw_only=True)
    class Honest(Behaviour):
        async def send(self, stage: Stage, reply: Reply) -> None:
            body = pack(json.dumps(stage.dialect.whole(reply)).encode())
            await Packed(body=body, encoding=encoding).send(stage, reply)

    server.default = Honest(answer=Answer("Packed and sent"))
    assert make(api=api).invoke("Hi").text == "Packed and sent"


def test_a_large_answer_is_parsed_beside_the_loop(server, make, ledger, api, monkeypatch):
    """While one is parsed, another call is cut at its deadline."""
    parse, begun, may_end, threads = LegacyAPIResponse.parse, Event(), Event(), []

    def parse_slowly(self, **given):
        threads.append(current_thread().name)
        begun.set()
        assert may_end.wait(240)
        return parse(self, **given)

    monkeypatch.setattr(LegacyAPIResponse, "parse", parse_slowly)
    large = Answer("word " * 20_000)
    server.script(large, Hang())
    model = make(api=api, budget=Budget(max_tokens=100_000), max_output_tokens=30_000)
    answers = []
    slow = Thread(target=lambda: answers.append(model.invoke("Write much").text))
    slow.start()
    assert begun.wait(240)
    hurried = make(api=api, budget=Budget(max_tokens=100_000), left_ms=lambda: 50)
    with pytest.raises(ModelUnavailable, match="before the deadline"):
        hurried.invoke("Hi")
    assert not answers
    may_end.set()
    slow.join()
    assert len(answers[0]) > 64 * 1024
    assert threads[0] == "thrifty-parser"
