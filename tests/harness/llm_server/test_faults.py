"""Each fault of the tests' server does what its name says, and the bill stays true."""

import asyncio
import contextlib
import gc
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from langchain_openai import ChatOpenAI

from tests.harness.llm_server import (
    Answer,
    Behaviour,
    Bill,
    BodyDrip,
    ChatTemplate,
    ClaimedUsage,
    EndlessStream,
    ErrorForAnswer,
    ErrorStatus,
    Hang,
    HeaderDrip,
    KeepAlives,
    LLMServer,
    LongAnswer,
    MalformedJson,
    MissingUsage,
    NegativeUsage,
    OverCap,
    Redirect,
    RefusedField,
    Reset,
    ResetMidAnswer,
    ServerError,
    ToolCall,
    TooManyRequests,
    TruncatedStream,
    Unauthorized,
    WebPage,
    ZeroUsage,
    faults,
)
from tests.harness.llm_server.misbehaviours import MISBEHAVIOURS, named

BOTH_APIS = pytest.mark.parametrize("responses", [False, True], ids=["chat", "responses"])
STREAMED_OR_NOT = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
TEXT = "One two three four five six seven eight nine ten"
TOOL = {"type": "function", "name": "Step", "parameters": {"type": "object", "properties": {}}}


@pytest.fixture(scope="module")
def running() -> Iterator[LLMServer]:
    # One for the whole file: each new address costs a client 50 ms.
    with LLMServer() as server:
        yield server


@pytest.fixture
def server(running: LLMServer) -> Iterator[LLMServer]:
    yield running
    running.clear()
    running.default = Answer()


def model(server: LLMServer, responses: bool = False, timeout_s: float = 240) -> ChatOpenAI:
    return ChatOpenAI(
        model="gpt-4.1",
        base_url=server.base_url,
        api_key="sk-test",  # type: ignore[arg-type]
        use_responses_api=responses,
        stream_usage=True,
        max_retries=0,
        timeout=timeout_s,
    )


def body(responses: bool, *, stream: bool = False, cap: int | None = None) -> dict[str, Any]:
    if responses:
        return {"model": "m", "stream": stream, "input": "Go", "max_output_tokens": cap}
    messages = [{"role": "user", "content": "Go"}]
    return {"model": "m", "stream": stream, "messages": messages, "max_completion_tokens": cap}


def url(server: LLMServer, responses: bool) -> str:
    return f"{server.base_url}/{'responses' if responses else 'chat/completions'}"


def asking_socket(
    server: LLMServer, *, stream: bool, responses: bool = False, timeout_s: float = 240
) -> socket.socket:
    """A bare connection on which a request was sent."""
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=timeout_s)
    content = json.dumps(body(responses, stream=stream)).encode()
    path = "/v1/responses" if responses else "/v1/chat/completions"
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(content)}\r\n\r\n"
    connection.sendall(head.encode() + content)
    return connection


def server_threads() -> int:
    return sum(thread.name == "llm-server" for thread in threading.enumerate())


def received(connection: socket.socket, duration_s: float) -> bytes:
    """What comes within that time."""
    parts, end_s = b"", time.monotonic() + duration_s
    while (left_s := end_s - time.monotonic()) > 0:
        connection.settimeout(left_s)
        try:
            part = connection.recv(65536)
        except TimeoutError:
            break
        if not part:
            break
        parts += part
    return parts


# An error object


@BOTH_APIS
@STREAMED_OR_NOT
@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (TooManyRequests(), openai.RateLimitError),
        (ServerError(), openai.InternalServerError),
        (Unauthorized(), openai.AuthenticationError),
        (ErrorStatus(status=404, kind="invalid_request_error"), openai.NotFoundError),
    ],
)
def test_error_statuses_raise_and_are_not_billed(
    server: LLMServer,
    responses: bool,
    stream: bool,
    fault: Behaviour,
    error: type[openai.APIStatusError],
) -> None:
    server.script(fault)
    chat = model(server, responses)
    with pytest.raises(error):
        list(chat.stream("Go")) if stream else chat.invoke("Go")
    assert server.bill == Bill()
    assert server.requests[0].completed


def test_429_says_how_long_to_wait(server: LLMServer) -> None:
    server.script(TooManyRequests(retry_after_s=50), TooManyRequests(retry_after_ms=1500))
    with pytest.raises(openai.RateLimitError) as first:
        model(server).invoke("Go")
    with pytest.raises(openai.RateLimitError) as second:
        model(server).invoke("Go")
    assert first.value.response.headers["retry-after"] == "50"
    assert "retry-after-ms" not in first.value.response.headers
    assert second.value.response.headers["retry-after-ms"] == "1500"


def test_a_client_that_retries_gets_the_next_entry(server: LLMServer) -> None:
    server.script(TooManyRequests(retry_after_ms=1), ServerError(), Answer("third"))
    with openai.OpenAI(base_url=server.base_url, api_key="k", max_retries=2) as asking:
        assert asking.responses.create(model="m", input="Go").output_text == "third"
    assert [request.status for request in server.requests] == [429, 500, 200]


# Slow, or without end


@STREAMED_OR_NOT
def test_hang_takes_the_request_and_sends_nothing(server: LLMServer, stream: bool) -> None:
    server.script(Hang(answer=Answer(TEXT)))
    with asking_socket(server, stream=stream) as connection:
        assert received(connection, 0.1) == b""
        (request,) = server.wait_for(1)
        assert request.bill.output_tokens == 10
        assert (request.status, request.completed, request.ended_at_s) == (None, False, None)
    (request,) = server.wait_for(1, ended=True)
    assert not request.completed


@pytest.mark.parametrize("fault", [Hang(), HeaderDrip(), KeepAlives(), BodyDrip(interval_ms=9_000)])
def test_a_read_timeout_is_or_is_no_deadline(server: LLMServer, fault: Behaviour) -> None:
    """Only the fault that sends nothing for as long as the timeout trips it."""
    server.script(fault)
    started_s = time.monotonic()
    if isinstance(fault, Hang | BodyDrip):
        with pytest.raises(openai.APITimeoutError):
            model(server, timeout_s=1).invoke("Go")
    else:

        async def cut_at_deadline() -> None:
            async with asyncio.timeout(2):
                await model(server, timeout_s=1).ainvoke("Go")

        with pytest.raises(TimeoutError):
            asyncio.run(cut_at_deadline())
        assert time.monotonic() - started_s >= 2
    (request,) = server.wait_for(1, ended=True)
    assert not request.completed
    assert request.bill.output_tokens > 0


@STREAMED_OR_NOT
def test_header_drip_sends_the_head_byte_by_byte(server: LLMServer, stream: bool) -> None:
    server.script(HeaderDrip(interval_ms=10), HeaderDrip(interval_ms=0, answer=Answer(TEXT)))
    with asking_socket(server, stream=stream) as connection:
        sent = received(connection, 0.2)
    assert sent == b"HTTP/1.1 200 OK\r\nx-request-id"[: len(sent)]
    assert 3 < len(sent) <= 21
    chat = model(server)
    said = "".join(chunk.text for chunk in chat.stream("Go")) if stream else chat.invoke("Go").text
    assert said == TEXT
    assert server.requests[1].completed


@STREAMED_OR_NOT
def test_body_drip_sends_the_body_byte_by_byte(server: LLMServer, stream: bool) -> None:
    server.script(BodyDrip(interval_ms=10), BodyDrip(interval_ms=0, answer=Answer(TEXT)))
    with asking_socket(server, stream=stream) as connection:
        _, sent = received(connection, 0.2).split(b"\r\n\r\n")
    assert 3 < len(sent) <= 21
    chat = model(server)
    said = "".join(chunk.text for chunk in chat.stream("Go")) if stream else chat.invoke("Go").text
    assert said == TEXT
    assert server.requests[1].completed


@BOTH_APIS
@STREAMED_OR_NOT
def test_keep_alives_go_on_for_ever(server: LLMServer, responses: bool, stream: bool) -> None:
    server.script(KeepAlives(interval_ms=5))
    with asking_socket(server, stream=stream, responses=responses) as connection:
        head, signs = received(connection, 0.2).split(b"\r\n\r\n", 1)
    assert b"200 OK" in head
    sign = b"e\r\n: keep-alive\n\n\r\n" if stream else b"1\r\n \r\n"
    assert signs.replace(sign, b"") == b""
    assert signs.count(sign) > 5


@BOTH_APIS
def test_an_endless_stream_bills_every_piece(server: LLMServer, responses: bool) -> None:
    server.script(EndlessStream(interval_ms=1, answer=Answer(TEXT, chunk_tokens=1)))
    stream = model(server, responses).stream("Go", max_completion_tokens=16)
    text = ""
    for chunk in stream:
        text += chunk.text
        if len(text) > 300:
            break
    stream.close()  # type: ignore[attr-defined]
    (request,) = server.wait_for(1, ended=True)
    assert set(text.split("One")) == {""}
    assert request.bill.output_tokens >= text.count("One") == len(text) // 3
    assert not request.completed


# Lost or broken on the way


@BOTH_APIS
def test_a_truncated_stream_ends_quietly_without_usage(server: LLMServer, responses: bool) -> None:
    server.script(TruncatedStream(after_chunks=2, answer=Answer(TEXT)))
    chunks = list(model(server, responses).stream("Go"))
    assert "".join(chunk.text for chunk in chunks) == "One two three four five six seven eight"
    assert all(chunk.usage_metadata is None for chunk in chunks)
    (request,) = server.requests
    assert request.bill.output_tokens == 10
    assert not request.completed


@pytest.mark.parametrize(("pieces", "deltas"), [(0, 0), (1, 1), (99, 3)])
def test_a_truncated_stream_never_has_an_end_mark(
    server: LLMServer, pieces: int, deltas: int
) -> None:
    server.script(TruncatedStream(after_chunks=pieces, answer=Answer(TEXT)))
    sent = httpx.post(url(server, False), json=body(False, stream=True)).text
    assert sent.count('"content": "') - sent.count('"content": ""') == deltas
    assert "[DONE]" not in sent
    assert '"finish_reason": "stop"' not in sent


@STREAMED_OR_NOT
def test_a_truncated_answer_can_break_http_too(server: LLMServer, stream: bool) -> None:
    server.script(TruncatedStream(cleanly=False))
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.post(url(server, False), json=body(False, stream=stream))


@BOTH_APIS
@STREAMED_OR_NOT
def test_reset_breaks_the_connection_without_an_answer(
    server: LLMServer, responses: bool, stream: bool
) -> None:
    server.script(Reset(answer=Answer(TEXT)), Reset(billed=False))
    with (
        asking_socket(server, stream=stream, responses=responses) as connection,
        pytest.raises(ConnectionResetError),
    ):
        connection.recv(1)
    chat = model(server, responses)
    with pytest.raises(openai.APIConnectionError):
        list(chat.stream("Go")) if stream else chat.invoke("Go")
    first, second = server.wait_for(2, ended=True)
    assert (first.bill.output_tokens, second.bill) == (10, Bill())
    assert first.status is None


@STREAMED_OR_NOT
def test_reset_mid_answer_breaks_it_off_with_rst(server: LLMServer, stream: bool) -> None:
    server.script(ResetMidAnswer(after_chunks=1, answer=Answer(TEXT)))
    with asking_socket(server, stream=stream) as connection:
        (request,) = server.wait_for(1, ended=True)
        sent = connection.recv(65536)
        with pytest.raises(ConnectionResetError):
            connection.recv(1)
    assert b"200 OK" in sent
    assert (b'"One two three four"' in sent) == stream
    assert (request.status, request.completed) == (200, False)


@BOTH_APIS
@STREAMED_OR_NOT
def test_malformed_json_arrives_as_if_it_were_whole(
    server: LLMServer, responses: bool, stream: bool
) -> None:
    server.script(MalformedJson())
    chat = model(server, responses)
    with pytest.raises(json.JSONDecodeError):
        list(chat.stream("Go")) if stream else chat.invoke("Go")
    assert server.bill.output_tokens > 0


# Says something else than it used


@BOTH_APIS
@STREAMED_OR_NOT
def test_missing_usage(server: LLMServer, responses: bool, stream: bool) -> None:
    server.script(MissingUsage(answer=Answer(TEXT)))
    chat = model(server, responses)
    chunks = list(chat.stream("Go")) if stream else [chat.invoke("Go")]
    assert "".join(chunk.text for chunk in chunks) == TEXT
    assert all(chunk.usage_metadata is None for chunk in chunks)
    assert (server.bill.output_tokens, server.requests[0].completed) == (10, True)


@BOTH_APIS
@STREAMED_OR_NOT
@pytest.mark.parametrize(
    ("fault", "claim"),
    [
        (ZeroUsage(answer=Answer(TEXT)), (0, 0)),
        (NegativeUsage(answer=Answer(TEXT)), (-8, -10)),
        (ClaimedUsage(answer=Answer(TEXT), output_tokens=2**70), (8, 2**70)),
    ],
)
def test_usage_can_be_a_lie(
    server: LLMServer, responses: bool, stream: bool, fault: Behaviour, claim: tuple[int, int]
) -> None:
    server.script(fault)
    chat = model(server, responses)
    chunks = list(chat.stream("Go")) if stream else [chat.invoke("Go")]
    assert "".join(chunk.text for chunk in chunks) == TEXT
    (usage,) = [chunk.usage_metadata for chunk in chunks if chunk.usage_metadata]
    assert (usage["input_tokens"], usage["output_tokens"]) == claim
    assert server.bill == Bill(8, 10)


# Generates more than it was allowed


@BOTH_APIS
def test_over_cap_generates_more_than_allowed(server: LLMServer, responses: bool) -> None:
    server.script(OverCap(extra_tokens=30))
    message = model(server, responses).invoke("Go", max_completion_tokens=20)
    assert message.usage_metadata is not None
    assert message.usage_metadata["output_tokens"] == server.bill.output_tokens == 50
    assert len(message.text.split()) > 30


def test_over_cap_keeps_a_structured_answer_whole(server: LLMServer) -> None:
    server.script(OverCap(extra_tokens=30, answer=Answer({"name": "Mix"})))
    asked = body(True, cap=20) | {"tools": [TOOL], "tool_choice": "required"}
    answer = httpx.post(url(server, True), json=asked).json()
    assert json.loads(answer["output"][-1]["arguments"]) == {"name": "Mix"}
    assert answer["usage"]["output_tokens"] == server.bill.output_tokens == 50


@BOTH_APIS
def test_a_chat_template_adds_to_what_is_read(server: LLMServer, responses: bool) -> None:
    server.script(ChatTemplate(added_tokens=30, answer=Answer(TEXT)))
    message = model(server, responses).invoke("Go")
    assert message.text == TEXT
    assert message.usage_metadata is not None
    assert message.usage_metadata["input_tokens"] == server.bill.input_tokens == 38


@BOTH_APIS
def test_a_long_answer_is_n_times_as_long(server: LLMServer, responses: bool) -> None:
    server.script(LongAnswer(repeats=4, answer=Answer(TEXT)))
    message = model(server, responses).invoke("Go", max_completion_tokens=16)
    assert message.text == " ".join([TEXT] * 4)
    assert server.bill.output_tokens == 40
    server.script(LongAnswer(repeats=2, answer=Answer(ToolCall("Step", {}))))
    assert len(model(server, responses).invoke("Go").tool_calls) == 2


# Time and place


@STREAMED_OR_NOT
def test_delays_hold_back_the_answer_but_not_the_bill(server: LLMServer, stream: bool) -> None:
    server.script(Answer(TEXT, delay_ms=150))
    with asking_socket(server, stream=stream) as connection:
        (request,) = server.wait_for(1)
        assert request.bill.output_tokens == 10
        assert received(connection, 0.1) == b""
        assert received(connection, 0.2).startswith(b"HTTP/1.1 200 OK")


def test_a_client_that_leaves_still_pays(server: LLMServer) -> None:
    server.script(Answer(TEXT, delay_ms=10_000))
    with pytest.raises(openai.APITimeoutError):
        model(server, timeout_s=0.1).invoke("Go")
    (request,) = server.wait_for(1, ended=True)
    assert (request.bill.output_tokens, request.completed) == (10, False)


def test_chunks_can_be_slow(server: LLMServer) -> None:
    server.script(Answer(TEXT, chunk_tokens=1, chunk_delay_ms=20))
    started_s = time.monotonic()
    assert "".join(chunk.text for chunk in model(server).stream("Go")) == TEXT
    assert time.monotonic() - started_s >= 0.2


@STREAMED_OR_NOT
def test_a_field_is_refused_where_it_is_sent(server: LLMServer, stream: bool) -> None:
    server.script(RefusedField(param="stream_options", times=None))
    asked = model(server)
    if not stream:
        assert asked.invoke("Go").text
        assert server.bill.output_tokens > 0
        return
    with pytest.raises(openai.BadRequestError, match="stream_options"):
        list(asked.stream("Go"))
    assert server.bill == Bill()


def test_what_is_no_answer_has_the_status_of_one(server: LLMServer) -> None:
    server.script(WebPage(heading="Sign in"), ErrorForAnswer(message="No.", beside={"usage": {}}))
    server.script(Redirect(location="/v1/elsewhere"))
    page, error, sent_on = (asked_plainly(server) for _ in range(3))
    assert (page.status_code, page.headers["content-type"][:9]) == (200, "text/html")
    assert "<title>Sign in</title>" in page.text
    assert (error.status_code, error.json()["error"]["message"]) == (200, "No.")
    assert error.json()["usage"] == {}
    assert (sent_on.status_code, sent_on.headers["location"]) == (307, "/v1/elsewhere")
    assert server.bill == Bill()


def test_an_error_comes_as_an_event_after_pieces(server: LLMServer) -> None:
    server.script(ErrorForAnswer(message="No.", as_event=True, after_chunks=3, billed=True))
    said = asked_plainly(server, stream=True).text
    assert said.count("data: ") == 4
    assert said.rpartition("data: ")[2].startswith('{"error"')
    assert server.bill.output_tokens > 0


def asked_plainly(server: LLMServer, stream: bool = False) -> httpx.Response:
    """What comes back for a question, as it is."""
    question = {"model": "gpt-4.1", "messages": [{"role": "user", "content": "Go"}]}
    where = f"{server.base_url}/chat/completions"
    return httpx.post(where, json={**question, "stream": stream}, headers={"authorization": "a b"})


@pytest.mark.parametrize("name", MISBEHAVIOURS)
def test_every_misbehaviour_has_a_name(server: LLMServer, name: str) -> None:
    """And the server survives it: the next request is answered."""
    server.script(named(name))
    with asking_socket(server, stream=True) as connection, contextlib.suppress(OSError):
        server.wait_for(1)
        received(connection, 0.05)
    assert model(server).invoke("Go").text
    assert server.requests[0].played == MISBEHAVIOURS[name].__name__
    assert MISBEHAVIOURS[name].__name__ in faults.__all__


def test_a_connection_is_used_again(server: LLMServer) -> None:
    with httpx.Client() as client:
        server.script(Answer(), TruncatedStream())
        for stream in (False, True, False):
            assert client.post(url(server, True), json=body(True, stream=stream)).is_success
        server.script(ServerError())
        assert client.post(url(server, True), json=body(True)).status_code == 500
        pool: Any = client._transport
        assert len(pool._pool.connections) == 1


def test_a_second_request_may_come_before_the_first_is_answered(server: LLMServer) -> None:
    server.script(Answer("first", delay_ms=50), Answer("second"))
    with asking_socket(server, stream=False) as connection:
        content = json.dumps(body(False)).encode()
        head = f"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: {len(content)}\r\n\r\n"
        connection.sendall(head.encode() + content)
        sent = received(connection, 0.3)
    assert sent.index(b'"first"') < sent.index(b'"second"')


@pytest.mark.parametrize(
    ("garbage", "status"),
    [
        (b"GARBAGE\r\n\r\n", b"400"),
        (b"POST /v1/responses HTTP/1.1\r\nContent-Length: many\r\n\r\n", b"400"),
        (b"POST /v1/responses HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", b"413"),
        (b"GET / HTTP/1.1\r\nx: " + b"y" * 200_000, b"431"),
    ],
)
def test_what_is_no_http_is_refused(server: LLMServer, garbage: bytes, status: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(garbage)
        assert connection.recv(100).split()[1] == status


def test_a_client_may_wait_for_leave_to_send(server: LLMServer) -> None:
    content = json.dumps(body(True)).encode()
    head = f"POST /v1/responses HTTP/1.1\r\nContent-Length: {len(content)}\r\n"
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(f"{head}Expect: 100-continue\r\nConnection: close\r\n\r\n".encode())
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(content)
        assert b"200 OK" in received(connection, 1)


def test_two_servers_stand_side_by_side() -> None:
    with LLMServer() as one, LLMServer() as other:
        one.script(Answer("one"))
        other.script(Answer("other"))
        assert [model(each).invoke("Go").text for each in (one, other)] == ["one", "other"]
        assert one.base_url != other.base_url
        assert (len(one.requests), len(other.requests)) == (1, 1)


def test_stopping_lets_go_of_hanging_clients() -> None:
    errors: list[BaseException] = []
    before = server_threads()

    def hang(server: LLMServer, stream: bool) -> None:
        try:
            httpx.post(url(server, False), json=body(False, stream=stream), timeout=None)
        except httpx.HTTPError as error:
            errors.append(error)

    with LLMServer() as server:
        server.script(Hang(), KeepAlives(), EndlessStream(), BodyDrip(), Answer(delay_ms=3_600_000))
        clients = [threading.Thread(target=hang, args=(server, n % 2 == 0)) for n in range(5)]
        for client in clients:
            client.start()
        server.wait_for(5)
        port = server.port
    for client in clients:
        client.join(240)
    assert len(errors) == 5
    assert all(request.ended_at_s is not None for request in server.requests)
    assert server_threads() == before
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def test_servers_leave_nothing_behind() -> None:
    def open_files() -> int:
        gc.collect()
        return len(list(Path("/proc/self/fd").iterdir()))

    before, threads = open_files(), server_threads()
    for _ in range(20):
        with LLMServer() as server, asking_socket(server, stream=True) as connection:
            connection.recv(1)
    assert open_files() <= before
    assert server_threads() == threads


def test_a_server_can_be_cleared_and_started_again() -> None:
    server = LLMServer()
    with pytest.raises(RuntimeError, match="does not run"):
        _ = server.base_url
    for _ in range(2):
        with server:
            server.script(Hang())
            server.clear()
            assert model(server).invoke("Go").text
            assert len(server.requests) == 1


def test_waiting_in_vain_says_what_came(server: LLMServer) -> None:
    with pytest.raises(TimeoutError, match=r"waited 0\.05 s for 1 requests; have 0"):
        server.wait_for(1, timeout_s=0.05)


def test_a_taken_port_is_an_error(server: LLMServer) -> None:
    with pytest.raises(OSError, match="address already in use"):
        LLMServer(port=server.port).start()


def test_it_runs_from_a_terminal(tmp_path: Path) -> None:
    script = tmp_path / "script.json"
    script.write_text('{"script": [{"text": "From a file"}]}')
    command = [sys.executable, "-m", "tests.harness.llm_server", "--script", str(script)]
    command += ["--misbehave", "too-many-requests"]
    root = Path(__file__).parents[3]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().split("OPENAI_BASE_URL=")[1].split()[0]
        asked = body(True)
        said = httpx.post(f"{address}/responses", json=asked).json()
        assert said["output"][0]["content"][0]["text"] == "From a file"
        assert httpx.post(f"{address}/responses", json=asked).status_code == 429
        lines = [process.stdout.readline() for _ in range(2)]
        process.send_signal(2)
        rest = process.stdout.read()
    assert process.returncode == 0
    assert lines[0].startswith("#1 POST /v1/responses m: Answer, 200, 8 + 3 = 11 tokens, ")
    assert "2 requests: 8 + 3 = 11 tokens" in rest
