"""What a real server says reaches the user, harmless and without keys, and is booked truly."""

import pytest
from langchain_openai import ChatOpenAI

from tests.harness.llm_server import (
    Answer,
    ErrorForAnswer,
    ErrorStatus,
    LLMServer,
    MissingUsage,
    Redirect,
    RefusedField,
    TooManyRequests,
    TruncatedStream,
    WebPage,
)
from tests.models.conftest import ACCOUNT, entries
from tests.models.ways import EVERY_WAY, WAYS
from thrifty import Budget, ModelUnavailable, Spend, metered
from thrifty.models.calls import metered_call
from thrifty.models.costs.silent_usage import SilentServers

KEY = "this-Deployments-own-key-0815"
LIMITED = Budget(max_tokens=3_000)
TWO_WAYS = ["invoke", "astream"]


@pytest.fixture
def make_with(server, ledger, api):
    """Makes a metered model with a key that has to stay secret."""

    def make(budget=LIMITED, terms=None, **given):
        ledger.open(ACCOUNT, budget)
        settings = {"model": "gpt-4o", "api_key": KEY, "base_url": server.base_url, **given}
        model = ChatOpenAI(use_responses_api=api == "responses", **settings)
        return metered(model, ledger, ACCOUNT, **(terms or {}))

    return make


def failed(model, way="invoke") -> ModelUnavailable:
    with pytest.raises(ModelUnavailable) as error:
        WAYS[way](model, "Tea or coffee?")
    return error.value


@pytest.mark.parametrize("way", TWO_WAYS)
def test_code_parameter_and_message_reach_the_user(make_with, server, way):
    server.script(ErrorStatus(status=400, code="bad_seed", param="seed", message="Not \x1b[1mso."))
    error = failed(make_with(), way)
    told = 'gpt-4o: the server refused the request (400): bad_seed, seed, "Not [1mso."'
    assert str(error) == told


@pytest.mark.parametrize("way", TWO_WAYS)
@pytest.mark.parametrize("fault", [ErrorStatus, ErrorForAnswer, WebPage])
def test_no_key_and_no_header_reaches_the_user(make_with, server, way, fault):
    said = (
        f"Incorrect API key provided: {KEY}, or {KEY[:12]}… or tenant-secret-77. See sk-12345678."
    )
    told = {"heading": said} if fault is WebPage else {"message": said, "code": KEY}
    if fault is ErrorStatus:
        told |= {"status": 401, "headers": {"x-debug": "debug-secret-88"}}
    server.script(fault(**told))
    error = str(failed(make_with(default_headers={"X-Tenant": "tenant-secret-77"}), way))
    assert "Incorrect API key provided: [redacted]" in error
    for secret in (KEY, KEY[:12], "tenant-secret-77", "debug-secret-88", "sk-12345678"):
        assert secret not in error


@pytest.mark.parametrize(
    ("field", "remedy", "given"),
    [
        ("max_completion_tokens", 'set cap_field="max_tokens"', {}),
        ("reasoning_effort", "set another effort", {"reasoning_effort": "low"}),
        ("reasoning.effort", "set another effort", {"reasoning_effort": "low"}),
        ("stream_options", "disable_streaming=True", {}),
    ],
)
@pytest.mark.parametrize("is_named", [True, False])
def test_a_field_that_is_refused_has_its_remedy(
    make_with, server, api, field, remedy, given, is_named
):
    if (api == "responses") != (field == "reasoning.effort"):
        pytest.skip("the other protocol has no such field")
    server.script(RefusedField(param=field, is_named=is_named, times=None))
    error = failed(make_with(**given), "stream")
    assert remedy in str(error).rpartition("; ")[2]
    assert error.for_good
    assert len(server.requests) == 1


def test_the_remedies_help(make, server):
    server.script(RefusedField(times=None))
    assert make(cap_field="max_tokens").invoke("Tea?").text
    server.clear()
    server.script(RefusedField(param="stream_options", times=None))
    quiet = make(options={"disable_streaming": True})
    assert "".join(piece.text for piece in quiet.stream("Tea?"))


def test_a_value_that_is_too_large_is_no_unknown_field(make, server):
    too_large = "max_tokens is too large: 9000. This model supports at most 4096 tokens."
    server.script(ErrorStatus(status=400, param="max_completion_tokens", message=too_large))
    assert "cap_field" not in str(failed(make()))


ENDS = {
    "no quota": ErrorStatus(status=429, code="insufficient_quota", kind="insufficient_quota"),
    "a refused key": ErrorStatus(status=401, code="invalid_api_key"),
    "a refused key, by xAI": ErrorStatus(status=400, message="Incorrect API key provided: no."),
    "an unknown model": ErrorStatus(status=404, code="model_not_found"),
    "an unknown model, by a gateway": ErrorStatus(status=400, code="model_not_found"),
    "no credit": ErrorStatus(status=402),
    "no quota, with the status of an answer": ErrorForAnswer(code="insufficient_quota"),
    "no credit, with the status of an answer": ErrorForAnswer(code=402, kind=""),
}


@pytest.mark.parametrize("case", ENDS)
@pytest.mark.parametrize("way", TWO_WAYS)
def test_what_ends_a_model_is_free_and_not_tried_again(make_with, server, ledger, case, way):
    server.script(ENDS[case], Answer("Tea."))
    error = failed(make_with(), way)
    assert error.for_good
    assert len(server.requests) == 1
    assert ledger.balance(ACCOUNT).spent == Spend()


@pytest.mark.parametrize(
    ("headers", "asks_again"),
    [
        ({"retry-after": "0"}, True),
        ({"retry-after-ms": "1"}, True),
        ({"retry-after": "Mon, 30 Nov 2026 12:00:00 GMT"}, True),
        ({"x-ratelimit-reset-requests": "1ms"}, True),
        ({"retry-after": "3600"}, False),
        ({"retry-after": "Mon, 30 Nov 2099 12:00:00 GMT"}, False),
        ({"x-ratelimit-reset-tokens": "59m1s"}, False),
    ],
)
@pytest.mark.parametrize("status", [429, 500, 503, 529])
def test_a_wait_counts_with_every_status(make, server, status, headers, asks_again):
    server.script(ErrorStatus(status=status, headers=headers), Answer("Tea."))
    model = make(Budget(max_tokens=9_000), max_output_tokens=500)
    if asks_again:
        assert model.invoke("Tea or coffee?").text == "Tea."
    else:
        failed(model)
    assert len(server.requests) == 1 + asks_again


@pytest.mark.parametrize("way", EVERY_WAY)
def test_a_page_is_called_one_and_charged(make_with, server, ledger, way):
    server.script(WebPage(heading="Sign in"))
    error = failed(make_with(), way)
    assert 'sent no answer (200): a web page, "Sign in"; check its address' in str(error)
    assert error.for_good
    assert [entry.status for entry in entries(ledger)] == ["in_doubt"]  # nobody can know


@pytest.mark.parametrize("as_event", [False, True])
@pytest.mark.parametrize("way", EVERY_WAY)
def test_an_error_for_an_answer_is_free_where_it_proves_that_no_model_ran(
    make_with, server, ledger, way, as_event
):
    server.script(ErrorForAnswer(as_event=as_event))
    error = failed(make_with(), way)
    told = 'an error for an answer (200): invalid_request_error, "No endpoints found'
    assert told in str(error)
    assert [entry.status for entry in entries(ledger)] == ["released"]


UNPROVEN = {
    "a failing upstream": ErrorForAnswer(kind="", code=502, billed=True),
    "a kind that nobody knows": ErrorForAnswer(kind="strange", billed=True),
    "a filter": ErrorForAnswer(code="content_filter", billed=True),
    "a count beside it": ErrorForAnswer(beside={"usage": {"prompt_tokens": 9}}, billed=True),
    "an answer beside it": ErrorForAnswer(beside={"choices": [{"index": 0}]}, billed=True),
    "a response that failed": ErrorForAnswer(beside={"object": "response"}, billed=True),
}


@pytest.mark.parametrize("case", UNPROVEN)
def test_an_error_for_an_answer_is_charged_where_a_model_may_have_run(
    make_with, server, ledger, case
):
    server.script(UNPROVEN[case])
    assert "an error for an answer" in str(failed(make_with(terms={"attempts_max": 1})))
    (entry,) = entries(ledger)
    assert entry.status == "in_doubt"
    assert entry.charged.tokens >= server.bill.total_tokens


@pytest.mark.parametrize("way", [way for way in WAYS if "stream" in way])
def test_an_error_after_pieces_is_charged(make_with, server, ledger, way):
    server.script(
        ErrorForAnswer(
            answer=Answer(tokens=40),
            as_event=True,
            after_chunks=9,
            code="model_not_found",
            billed=True,
        )
    )
    failed(make_with(), way)
    assert [entry.status for entry in entries(ledger)] == ["in_doubt"]


def test_a_redirect_to_another_address_is_not_followed(make_with, server, ledger):
    with LLMServer() as elsewhere:
        server.script(Redirect(location=f"{elsewhere.base_url}/chat/completions"))
        error = failed(make_with())
        assert not elsewhere.requests
        host = elsewhere.base_url.removesuffix("/v1")
    assert f'sends on to another address, "{host}"; name that as base_url' in str(error)
    assert error.for_good
    assert [entry.status for entry in entries(ledger)] == ["released"]


def test_a_redirect_within_an_address_is_followed(make, server):
    server.script(Redirect(location="/v1/chat/completions"), Answer("Tea."))
    assert make().invoke("Tea or coffee?").text == "Tea."


def test_a_limit_of_requests_is_still_tried_again(make, server):
    server.script(TooManyRequests(retry_after_ms=1), Answer("Tea."))
    assert make().invoke("Tea or coffee?").text == "Tea."


@pytest.mark.parametrize("way", TWO_WAYS)
def test_a_server_that_never_reports_usage_is_noticed_and_said_once(
    make, server, caplog, monkeypatch, api, way
):
    monkeypatch.setattr(metered_call, "silent_servers", SilentServers())
    server.script(MissingUsage(times=2), Answer("Tea."))
    model = make(Budget(max_tokens=9_000), api, "shy", max_output_tokens=200)
    for _ in range(3):
        WAYS[way](model, "Tea or coffee?")
    (told,) = [record.message for record in caplog.records if "usage" in record.name]
    assert told.startswith("shy does not say what its answers use: each call costs its reservation")
    assert "max_output_tokens" in told


@pytest.mark.parametrize("script", [[Answer("Tea."), MissingUsage()], [TruncatedStream()]])
def test_one_answer_without_a_count_is_no_silent_server(make, server, caplog, monkeypatch, script):
    monkeypatch.setattr(metered_call, "silent_servers", SilentServers())
    server.script(*script)
    model = make(Budget(max_tokens=9_000), max_output_tokens=200)
    for _ in script:
        list(model.stream("Tea or coffee?"))
    assert not [record for record in caplog.records if "usage" in record.name]
