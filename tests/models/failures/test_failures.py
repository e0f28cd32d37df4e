"""What a failed call means, whichever client raised it."""

from types import SimpleNamespace

import pytest

from thrifty.models.failures.failure import read_failure


class Raised(Exception):
    """An exception of some client, with what that keeps of an answer."""

    def __init__(self, message="", **kept):
        super().__init__(message)
        self.__dict__.update(kept)


def response(status, body="", headers=None):
    return SimpleNamespace(status_code=status, text=body, headers=headers or {})


def anthropic(kind, message):
    return {"type": "error", "error": {"type": kind, "message": message}}


def gemini(code, status, message):
    return {"error": {"code": code, "status": status, "message": message}}


BEDROCK = {
    "Error": {"Code": "ThrottlingException", "Message": "Too many tokens."},
    "ResponseMetadata": {"HTTPStatusCode": 429, "HTTPHeaders": {"Retry-After": "4"}},
}

# The exception, whether it is billed, the wait, whether it is for good, and what is told.
CASES = {
    "OpenAI": (
        Raised(status_code=400, body={"code": "bad", "param": "n", "message": "No."}),
        (False, None, False),
        'the server refused the request (400): bad, n, "No."',
    ),
    "Anthropic is overloaded": (
        Raised(
            status_code=529,
            body=anthropic("overloaded_error", "Overloaded"),
            response=response(529, headers={"Retry-After": "3"}),
        ),
        (False, 3_000, False),
        'the server failed (529): overloaded_error, "Overloaded"',
    ),
    "Anthropic has no credit": (
        Raised(
            status_code=400,
            body=anthropic("invalid_request_error", "Your credit balance is too low."),
        ),
        (False, None, True),
        "add credit to its account there",
    ),
    "Groq's limit": (
        Raised(status_code=429, body={"error": {"code": "rate_limit_exceeded", "message": "TPM"}}),
        (False, 500, False),
        'too many requests (429): rate_limit_exceeded, "TPM"',
    ),
    "Gemini's client": (
        Raised(code=429, details=gemini(429, "RESOURCE_EXHAUSTED", "Quota of a minute.")),
        (False, 500, False),
        'too many requests (429): RESOURCE_EXHAUSTED, "Quota of a minute."',
    ),
    "Gemini's key": (
        Raised(code=400, details=gemini(400, "INVALID_ARGUMENT", "API key not valid. Pass one.")),
        (False, None, True),
        "check its key",
    ),
    "Mistral's client": (
        Raised(response=response(422, '{"detail": [{"loc": ["body", "n"], "msg": "Extra"}]}')),
        (False, None, False),
        'the server refused the request (422): "body.n: Extra"',
    ),
    "Ollama": (
        Raised(status_code=404, error='model "x" not found'),
        (False, None, True),
        "(404): \"model 'x' not found\"; check its name and its address",
    ),
    "Bedrock": (
        Raised(response=BEDROCK),
        (False, 4_000, False),
        'too many requests (429): ThrottlingException, "Too many tokens."',
    ),
    "llama.cpp loads": (
        Raised(
            status_code=503,
            body={"code": 503, "message": "Loading model", "type": "unavailable_error"},
        ),
        (False, 500, False),
        'the server failed (503): unavailable_error, "Loading model"',
    ),
    "a list, as by Gemini at OpenAI's protocol": (
        Raised(status_code=400, body=[gemini(400, "INVALID_ARGUMENT", "No.")]),
        (False, None, False),
        'the server refused the request (400): INVALID_ARGUMENT, "No."',
    ),
    "a page of a proxy": (
        Raised(status_code=502, body="<html><head><title>502 Bad Gateway</title></head></html>"),
        (True, 500, False),
        'the server failed (502): a web page, "502 Bad Gateway"',
    ),
    "a text": (Raised(status_code=405, body="No."), (False, None, False), '(405): "No."'),
    "a body that was never read": (
        Raised(response=SimpleNamespace(status_code=404, headers=None)),
        (False, None, True),
        "(404); check its name and its address",
    ),
    "a number that is no status": (Raised(code=7), (True, None, False), "unusable answer (Raised)"),
    "no number": (Raised(status_code=True), (True, None, False), "unusable answer (Raised)"),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("is_wrapped", [False, True])
def test_every_clients_error_is_read(case, is_wrapped):
    error, meaning, told = CASES[case]
    if is_wrapped and "unusable" not in told:
        wrapped = ValueError("in LangChain's words")
        wrapped.__cause__ = error
        error = wrapped
    failure = read_failure(error)
    assert (failure.billed, failure.retry_after_ms, failure.for_good) == meaning
    assert told in failure.reason


@pytest.mark.parametrize(
    ("name", "billed", "told"),
    [
        ("ConnectTimeout", False, "cannot be reached"),
        ("EndpointConnectionError", False, "cannot be reached"),
        ("ReadTimeout", True, "before the deadline"),
        ("RemoteProtocolError", True, "connection was lost"),
        ("Strange", True, "unusable answer (Strange)"),
    ],
)
def test_what_has_no_status_is_read_by_the_names_of_its_kinds(name, billed, told):
    kind = type(
        f"{name}OfAVendor" if name != "Strange" else name, (type(name, (Exception,), {}),), {}
    )
    failure = read_failure(kind("secret words"))
    assert (failure.billed, told in failure.reason) == (billed, True)
    assert "secret words" not in failure.reason


@pytest.mark.parametrize("status", [400, 404, 500, 503])
def test_what_a_filter_has_read_is_billed_wherever_it_says_so(status):
    inner = {"innererror": {"code": "ResponsibleAIPolicyViolation"}, "code": "content_filter"}
    failure = read_failure(Raised(status_code=status, body={"message": "No.", **inner}))
    assert failure.billed


@pytest.mark.parametrize("depth", [1_000, 100_000])
def test_a_hostile_body_is_read_cleanly(depth):
    page = "<html><title" + " <title" * depth
    nested = ("[" * depth, '{"error":' * depth)
    for body in (*nested, {"error": [None, {}]}, "\ud800" * depth, page):
        failure = read_failure(Raised(status_code=400, body=body))
        assert (failure.billed, len(failure.reason) < 500) == (False, True)
