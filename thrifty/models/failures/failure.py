"""What a failed call means for the bill, and whether to try again.

An exception of whichever client is read by the same rules: its status and what the server said of
it (`server_error.py`), else the names of its causes.
"""

import re
from dataclasses import dataclass, replace
from typing import Any

from thrifty.models.costs.usage import Usage, read_token_usage
from thrifty.models.failures.refused_fields import refused_field_remedy
from thrifty.models.failures.retry_after import retry_after_ms
from thrifty.models.failures.server_error import ServerError, causes, read_server_error
from thrifty.models.failures.server_words import plain_words
from thrifty.models.wire.bounded_body import AnswerTooLarge
from thrifty.models.wire.exchange import Exchange
from thrifty.models.wire.redirects import SentElsewhere

RETRY_WAIT_MS = 500
REDIRECT = 300
BAD_REQUEST = 400
SERVER_ERROR = 500
TOO_MANY_REQUESTS = 429
NO_CAPACITY = 498
"""With which Groq turns away what it has no room for in the tier that was asked for."""
RATE_LIMITED = "rate_limit_exceeded"
STATUS = re.compile(r"[45]\d\d")
TOO_LARGE = "the answer is larger than any can be"
NEVER_CONNECTED = (
    *("ConnectError", "ConnectTimeout", "ProxyError"),  # httpx
    *("ConnectionRefusedError", "ClientConnectorError", "NewConnectionError"),
    *("EndpointConnectionError", "ConnectTimeoutError"),  # botocore
)
"""By name: which HTTP library raises them is the client's own affair."""
NO_ANSWER_IN_TIME = (
    *("APITimeoutError", "ReadTimeout", "WriteTimeout", "PoolTimeout"),
    *("ReadTimeoutError", "DeadlineExceeded"),
)
CONNECTION_LOST = (
    *("APIConnectionError", "ReadError", "WriteError", "RemoteProtocolError", "ConnectionError"),
    *("ConnectionResetError", "ConnectionClosedError"),
)
REFUSED_FOR_GOOD = {
    401: "check its key",
    402: "add credit to its account there",
    403: "check what its key may do",
    404: "check its name and its address",
}
"""Whatever is asked, with what a person can do about it."""
REFUSED = (400, 405, 413, 415, 422, *REFUSED_FOR_GOOD)
"""Before any model has read it."""
ENDED = {
    REFUSED_FOR_GOOD[402]: (
        *("insufficient_quota", "billing_hard_limit_reached", "billing_not_active"),
        *("insufficient_balance", "billing_error", "credit balance is too low"),
    ),
    REFUSED_FOR_GOOD[401]: (
        *("invalid_api_key", "authentication_error", "API_KEY_INVALID", "UNAUTHENTICATED"),
        *("incorrect api key", "api key not valid", "invalid api key"),
    ),
    REFUSED_FOR_GOOD[404]: (
        *("model_not_found", "model_not_available", "invalid_model", "unknown_model"),
        *("DeploymentNotFound", "is not a valid model id"),
    ),
}
"""Codes and words of a server, by remedy, that end a model: before any model was asked."""
UNREAD = (
    *("invalid_request_error", "not_found_error", "permission_error", "rate_limit_error"),
    *("rate_limit_exceeded", "context_length_exceeded", "unsupported_parameter"),
    *("unsupported_value", "overloaded_error", "unavailable_error"),
)
"""Codes that say that no model has read the request, where an error is all that was sent."""
GENERATED = ("tool_use_failed", "json_validate_failed")
"""Codes with which Groq says that what a model has written cannot be used."""
OVERLOADED = {503: ("unavailable_error", "UNAVAILABLE"), 529: ("overloaded_error", "UNAVAILABLE")}
"""Codes with which a server turns a request away as it has no room, or is still loading."""


@dataclass(frozen=True, slots=True)
class Failure:
    """How a call failed."""

    reason: str
    """For a person. What the server said is quoted, and made harmless."""
    billed: bool
    """Whether it may have been billed: then the whole reservation is charged."""
    retry_after_ms: int | None
    """How long to wait before the next attempt; None when trying again is no use."""
    for_good: bool = False
    """Whether other calls would fail in the same way."""
    usage: Usage | None = None
    """What it used, where the answer could not be read but its count could."""


UNREACHABLE = Failure("the server cannot be reached", False, None, for_good=True)


def read_failure(error: BaseException, exchange: Exchange | None = None) -> Failure:
    """The meaning of an exception that a call raised.

    Args:
        error: of any client's.
        exchange: what was seen of the server's answer, where it was watched.
    """
    if (known := _read_own(error)) is not None:
        return known
    said = read_server_error(error, exchange)
    if said.status >= REDIRECT:
        return _read_status(said)
    names = _names(error)
    if names.intersection(NEVER_CONNECTED):
        return UNREACHABLE
    if isinstance(error, TimeoutError) or names.intersection(NO_ANSWER_IN_TIME):
        return Failure("no whole answer before the deadline", billed=True, retry_after_ms=None)
    if said.is_page or said.words:
        return _read_no_answer(said)
    if names.intersection(CONNECTION_LOST):
        return Failure("the connection was lost", billed=True, retry_after_ms=RETRY_WAIT_MS)
    return Failure(f"unusable answer ({type(error).__name__})", billed=True, retry_after_ms=None)


def read_unsent(error: BaseException) -> Failure:
    """The meaning of an exception by which a call ended before anything had left."""
    failure = read_failure(error)
    if not failure.billed:
        return failure
    if any(isinstance(cause, TimeoutError) for cause in causes(error)):
        return Failure("no connection before the deadline", billed=False, retry_after_ms=None)
    if _names(error.__context__).intersection(NEVER_CONNECTED):  # which Ollama's client hides
        return UNREACHABLE
    *_, first = causes(error)
    return Failure(f"it could not be sent ({type(first).__name__})", False, retry_after_ms=None)


def after_pieces(failure: Failure) -> Failure:
    """The same where pieces of an answer had come: a model has read it, whatever followed."""
    return replace(failure, billed=True, retry_after_ms=None)


def _names(error: BaseException | None) -> set[str]:
    """What an exception and its causes are called, and all that they are made from."""
    return {kind.__name__ for cause in causes(error) for kind in type(cause).__mro__}


def _read_own(error: BaseException) -> Failure | None:
    """The meaning of what this side raised; None for what came of the server."""
    for cause in causes(error):
        if isinstance(cause, SentElsewhere):
            told = f'the server sends on to another address, "{plain_words(cause.address)}"'
            remedy = "name that as base_url, if it may have what is sent"
            return Failure(f"{told}; {remedy}", False, None, for_good=True)
        if isinstance(cause, AnswerTooLarge):
            return Failure(TOO_LARGE, billed=True, retry_after_ms=None)
    if isinstance(error, UnicodeEncodeError):  # answers are decoded: it never left
        return Failure("the request has half characters, which cannot be sent", False, None)
    if type(error).__name__ == "LengthFinishReasonError":
        usage = _read_count(getattr(error, "completion", None))
        return Failure("its structured answer was cut at the cap", True, None, usage=usage)
    return None


def _read_count(completion: Any) -> Usage | None:
    counted = getattr(completion, "usage", None)
    return None if counted is None else read_token_usage(counted.model_dump())


def _read_status(said: ServerError) -> Failure:
    status = said.status
    wait_ms = retry_after_ms(said.headers)
    told = f"({status}){said.words}"
    if status < BAD_REQUEST:
        reason = f"the server sends on to another place {told}; check its address"
        return Failure(reason, False, None, for_good=True)
    if said.is_filtered:
        return Failure(f"the server's filter refused the request {told}", True, None)
    if not {*said.codes}.isdisjoint(GENERATED):
        return Failure(f"the server did not hand over its answer {told}", True, None)
    if remedy := _end_remedy(said) or refused_field_remedy(said):
        reason = f"the server refused the request {told}; {remedy}"
        return Failure(reason, billed=False, retry_after_ms=None, for_good=True)
    if status in (TOO_MANY_REQUESTS, NO_CAPACITY):
        wait_ms = RETRY_WAIT_MS if wait_ms is None else wait_ms
        return Failure(f"too many requests {told}", False, wait_ms)
    if status >= SERVER_ERROR:  # the model may have answered before the server failed
        is_free = not {*OVERLOADED.get(status, ())}.isdisjoint(said.codes)
        wait_ms = RETRY_WAIT_MS if wait_ms is None else wait_ms
        return Failure(f"the server failed {told}", not is_free, wait_ms)
    remedy = REFUSED_FOR_GOOD.get(status, "")
    reason = f"the server refused the request {told}" + (f"; {remedy}" if remedy else "")
    return Failure(reason, status not in REFUSED, None, for_good=bool(remedy))


def _read_no_answer(said: ServerError) -> Failure:
    """The meaning of a page, or of an error, with the status of an answer or without any."""
    status = f" ({said.status})" if said.status else ""
    if said.is_page:  # perhaps in the place of an answer that took too long
        reason = f"the server sent no answer{status}{said.words}"
        return Failure(f"{reason}; check its address", True, None, for_good=True)
    reason = f"the server sent an error for an answer{status}{said.words}"
    # Gateways write into the error which status it should have had.
    number = next((int(code) for code in said.codes if STATUS.fullmatch(code)), 0)
    remedy = _end_remedy(said) or REFUSED_FOR_GOOD.get(number, "")
    if remedy:
        return Failure(f"{reason}; {remedy}", not said.is_bare, None, for_good=True)
    is_unread = number in (*REFUSED, TOO_MANY_REQUESTS) or not {*said.codes}.isdisjoint(UNREAD)
    is_free = said.is_bare and is_unread and not said.is_filtered
    is_busy = number == TOO_MANY_REQUESTS or number >= SERVER_ERROR or _has(said, RATE_LIMITED)
    asked_ms = retry_after_ms(said.headers)
    wait_ms = RETRY_WAIT_MS if asked_ms is None else asked_ms
    return Failure(reason, not is_free, wait_ms if is_busy else None)


def _end_remedy(said: ServerError) -> str:
    """What to do about an error that every call of this model would meet. Empty for any other."""
    for remedy, signs in ENDED.items():
        if any(_has(said, sign) for sign in signs):
            return remedy
    return ""


def _has(said: ServerError, sign: str) -> bool:
    """Whether a server's codes or, where it has no such code, its words say something."""
    return sign in said.codes or (" " in sign and sign in said.message.lower())
