"""What a failed call means for the bill, and whether to try again.

Messages are in our own words: a server's text may repeat the key it was sent.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from thrifty.models.bounded_body import AnswerTooLarge
from thrifty.models.usage import Usage, read_token_usage

RETRY_WAIT_MS = 500
SERVER_ERROR = 500
TOO_MANY_REQUESTS = 429
NEVER_CONNECTED = ("ConnectError", "ConnectTimeout", "ProxyError")
"""By name: which HTTP library raises them is the client's own affair."""
REFUSED_FOR_GOOD = {
    401: ": check its key",
    403: ": check what its key may do",
    404: ": check its name and its address",
}
"""Whatever is asked, with what a person can do about it."""
REFUSED = (400, 402, 405, 413, 415, 422, *REFUSED_FOR_GOOD)
"""Before any model has read it."""
FILTERED = ("content_filter", "ResponsibleAIPolicyViolation")
"""Codes of a refusal that Azure bills, as a filter has read the request."""


@dataclass(frozen=True, slots=True)
class Failure:
    """How a call failed."""

    reason: str
    """For a person, without anything the server said."""
    billed: bool
    """Whether it may have been billed: then the whole reservation is charged."""
    retry_after_ms: int | None
    """How long to wait before the next attempt; None when trying again is no use."""
    for_good: bool = False
    """Whether other calls would fail in the same way."""
    usage: Usage | None = None
    """What it used, where the answer could not be read but its count could."""


def read_failure(error: BaseException) -> Failure:
    """The meaning of an exception that a call raised."""
    import openai

    if isinstance(error, TimeoutError | openai.APITimeoutError):  # also a connection error
        return Failure("no whole answer before the deadline", billed=True, retry_after_ms=None)
    if isinstance(error, openai.APIStatusError):
        return _read_status(error.status_code, error.response.headers, error.body)
    if isinstance(error, openai.APIConnectionError):
        return _read_connection(error)
    if isinstance(error, openai.LengthFinishReasonError):
        counted = error.completion.usage
        usage = None if counted is None else read_token_usage(counted.model_dump())
        return Failure("its structured answer was cut at the cap", True, None, usage=usage)
    if isinstance(error, AnswerTooLarge):
        return Failure("the answer is larger than any can be", billed=True, retry_after_ms=None)
    if isinstance(error, UnicodeEncodeError):  # answers are decoded: it never left
        return Failure("the request has half characters, which cannot be sent", False, None)
    return Failure(f"unusable answer ({type(error).__name__})", billed=True, retry_after_ms=None)


def read_unsent(error: BaseException) -> Failure:
    """The meaning of an exception by which a call ended before anything had left."""
    failure = read_failure(error)
    if not failure.billed:
        return failure
    if any(isinstance(cause, TimeoutError) for cause in _causes(error)):
        return Failure("no connection before the deadline", billed=False, retry_after_ms=None)
    *_, first = _causes(error)
    return Failure(f"it could not be sent ({type(first).__name__})", False, retry_after_ms=None)


def _read_status(status: int, headers: Mapping[str, str], body: object) -> Failure:
    if status == TOO_MANY_REQUESTS:
        return Failure("too many requests (429)", False, _retry_after_ms(headers))
    if status >= SERVER_ERROR:  # the model may have answered before the server failed
        return Failure(f"the server failed ({status})", True, RETRY_WAIT_MS)
    if any(code in str(body) for code in FILTERED):  # wherever in it Azure says so
        return Failure(f"the server's filter refused the request ({status})", True, None)
    remedy = REFUSED_FOR_GOOD.get(status, "")
    reason = f"the server refused the request ({status}){remedy}"
    return Failure(reason, status not in REFUSED, None, for_good=bool(remedy))


def _read_connection(error: BaseException) -> Failure:
    if any(isinstance(cause, AnswerTooLarge) for cause in _causes(error)):
        return Failure("the answer is larger than any can be", billed=True, retry_after_ms=None)
    if any(type(cause).__name__ in NEVER_CONNECTED for cause in _causes(error)):
        return Failure("the server cannot be reached", False, None, for_good=True)
    return Failure("the connection was lost", billed=True, retry_after_ms=RETRY_WAIT_MS)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _retry_after_ms(headers: Mapping[str, str]) -> int:
    for name, factor in (("retry-after-ms", 1), ("retry-after", 1000)):
        try:
            return max(0, round(float(headers.get(name, "")) * factor))
        except (ValueError, OverflowError):  # absent, a date, or nonsense
            continue
    return RETRY_WAIT_MS
