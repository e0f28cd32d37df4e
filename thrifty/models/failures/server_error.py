"""What a server said of a call that failed, read off the exception of whichever client.

Clients keep the status in `status_code`, `response.status_code` or `code`, and the body in `body`,
`details`, `error` or the response. Bodies have the shapes of many vendors. All of it is hostile.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from thrifty.models.failures.server_words import NAME_CHARACTERS_MAX, plain_words, sent_secrets
from thrifty.models.wire.exchange import Exchange

STATUSES = range(300, 600)
"""With which a server says that a call failed."""
BODY_CHARACTERS_MAX = 64 * 1024
CAUSES_MAX = 20
PAGE = re.compile(r"(?i)^\s*(?:<!doctype html|<html|<head|<body)")
TITLE = re.compile(r"(?is)<title[^>]{0,100}>(.{0,300}?)</title>")
EVENT = re.compile(r"(?m)^data:\s*(\{.*\})\s*$")
"""What a stream begins with, where it is in events."""
CODES = ("code", "Code", "type", "status")
"""Where bodies have a code. All are kept: vendors differ in which of them says more."""
MESSAGES = ("message", "Message", "detail", "error", "msg", "error_description")
FILTERED = ("content_filter", "ResponsibleAIPolicyViolation")
"""Codes of a refusal that Azure bills, as a filter has read the request."""
ANSWERED = ("choices", "output", "candidates", "usage", "usageMetadata")
"""Fields of an answer. Where one stands beside an error, a model may have run."""


@dataclass(frozen=True, slots=True)
class ServerError:
    """What a server said, fit to be shown."""

    status: int = 0
    """Its HTTP status; 0 where nobody knows."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    codes: tuple[str, ...] = ()
    """How it calls the error, the most telling name first."""
    param: str = ""
    """The field of the request that it is about."""
    message: str = ""
    is_page: bool = False
    """Whether it sent a web page."""
    is_bare: bool = False
    """Whether an error was all that it sent, with nothing of an answer before or beside it."""
    is_filtered: bool = False
    """Whether a filter has read the request, and refused it."""

    @property
    def words(self) -> str:
        """All that it said, quoted, with a colon before it. Empty where it said nothing."""
        page = ["a web page"] if self.is_page else []
        quoted = [f'"{self.message}"'] if self.message else []
        told = ", ".join((*page, *self.codes[:1], *([self.param] if self.param else ()), *quoted))
        return f": {told}" if told else ""


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """An exception and those that it was raised from."""
    for _ in range(CAUSES_MAX):
        if error is None:
            return
        yield error
        error = error.__cause__


def read_server_error(error: BaseException, exchange: Exchange | None = None) -> ServerError:
    """What a server said, by an exception and by what was seen of its answer.

    Args:
        error: what a client raised.
        exchange: what came back, where that was watched.
    """
    secrets = tuple(secret for each in causes(error) for secret in _secrets(each))
    for cause in causes(error):
        if status := _status(cause):
            return _describe(status, _headers(cause), _body(cause), secrets)
    if exchange is not None and exchange.status:
        seen = _read_answer(exchange, (*secrets, *sent_secrets(exchange.request)))
        if seen.words:
            return seen
    for cause in causes(error):
        if isinstance(body := _body(cause), Mapping):
            return _describe(0, {}, body, secrets)
    return ServerError()


def _read_answer(exchange: Exchange, secrets: tuple[str, ...]) -> ServerError:
    """What has the status of an answer and is none: a web page, or an error."""
    text = exchange.head.decode("utf-8", "replace")
    if PAGE.match(text):
        return _describe(exchange.status, exchange.headers, text, secrets)
    first = EVENT.search(text)
    body, is_all = _json(first[1] if first else text), True
    if not isinstance(body, Mapping):  # of lines of JSON, an error is the last one
        body, is_all = _last_line(exchange), False
    if not isinstance(body, Mapping) or not (body.get("error") or "error" in _kinds(body)):
        return ServerError(exchange.status, exchange.headers)
    has_answer = "response" in _kinds(body) or any(body.get(name) for name in ANSWERED)
    is_bare = is_all and not has_answer
    return _describe(exchange.status, exchange.headers, body, secrets, is_bare=is_bare)


def _last_line(exchange: Exchange) -> object:
    """What the last line of an answer says as JSON; None where there is no such line."""
    lines = exchange.tail.decode("utf-8", "replace").splitlines()
    last = next((line for line in reversed(lines) if line.strip()), "")
    return _json(last) if len(lines) > 1 else None


def _kinds(body: Mapping[str, Any]) -> tuple[Any, ...]:
    """What a body says that it is: an error, or one of OpenAI's responses that failed."""
    return body.get("object"), body.get("type")


def _describe(
    status: int,
    headers: Mapping[str, str],
    body: object,
    secrets: tuple[str, ...],
    *,
    is_bare: bool = False,
) -> ServerError:
    if isinstance(body, str) and PAGE.match(body):
        title = TITLE.search(body[:BODY_CHARACTERS_MAX])
        message = plain_words(title[1], secrets) if title else ""
        return ServerError(status, headers, message=message, is_page=True)
    given = _unwrap(_json(body) if isinstance(body, str) else body)
    if not isinstance(given, Mapping):
        return ServerError(status, headers, message=plain_words(given or "", secrets))

    def name(value: object) -> str:
        return plain_words(value, secrets, NAME_CHARACTERS_MAX)

    headers = {**_asked_wait(given), **headers}
    codes = dict.fromkeys(name(given[key]) for key in CODES if _is_name(given.get(key)))
    codes.pop(str(status), None)  # which was said
    message = next((given[key] for key in MESSAGES if given.get(key)), "")
    return ServerError(
        status,
        headers,
        tuple(codes),
        name(given["param"]) if _is_name(given.get("param")) else "",
        plain_words(_as_text(message), secrets),
        is_bare=is_bare,
        is_filtered=any(code in str(body) for code in FILTERED),  # wherever in it Azure says so
    )


def _asked_wait(given: Mapping[str, Any]) -> dict[str, str]:
    """How long Google asks to be left alone, as a header says it: theirs stands in the body."""
    details = given.get("details")
    for each in details if isinstance(details, list) else ():
        if isinstance(each, Mapping) and isinstance(delay := each.get("retryDelay"), str):
            return {"retry-after": delay}
    return {}


def _unwrap(body: object) -> object:
    """The object that describes the error, out of what a vendor puts around it."""
    if isinstance(body, list | tuple) and body:
        body = body[0]
    for key in ("error", "Error"):
        if isinstance(body, Mapping) and isinstance(inner := body.get(key), Mapping):
            return inner
    return body


def _as_text(message: object) -> str:
    """A message, or what a server lists in its place: each with the field that it is about."""
    if not isinstance(message, list | tuple):
        return str(message)
    parts = []
    for each in message[:5]:
        if not isinstance(each, Mapping):
            parts.append(str(each))
            continue
        place = each.get("loc")
        where = ".".join(map(str, place)) if isinstance(place, list | tuple) else ""
        parts.append(f"{where}: {each.get('msg') or each.get('message') or each}".lstrip(": "))
    return "; ".join(parts)


def _is_name(value: object) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool) and value not in ("", 0)


def _status(error: BaseException) -> int:
    response = getattr(error, "response", None)
    meta = response.get("ResponseMetadata") if isinstance(response, Mapping) else None
    for value in (
        getattr(error, "status_code", None),
        getattr(response, "status_code", None),
        meta.get("HTTPStatusCode") if isinstance(meta, Mapping) else None,
        getattr(error, "code", None),
    ):
        if isinstance(value, int) and not isinstance(value, bool) and value in STATUSES:
            return int(value)
    return 0


def _headers(error: BaseException) -> Mapping[str, str]:
    response = getattr(error, "response", None)
    given = getattr(response, "headers", None)
    if isinstance(response, Mapping):
        meta = response.get("ResponseMetadata")
        given = meta.get("HTTPHeaders") if isinstance(meta, Mapping) else None
    if not isinstance(given, Mapping):
        return {}
    return {str(name).lower(): str(value) for name, value in given.items()}


def _body(error: BaseException) -> object:
    """What came with an exception, read or as a text; None where nothing did."""
    response = getattr(error, "response", None)
    for name in ("body", "details", "error"):
        body = getattr(error, name, None)
        first = body[0] if isinstance(body, list | tuple) and body else body
        if isinstance(first, Mapping | str) and first:
            return body
    if isinstance(response, Mapping):
        return response
    try:
        text = getattr(response, "text", None)
    except Exception:  # noqa: BLE001 - a body that was never read: each library has its own error
        text = None
    if isinstance(text, str) and text:
        return text
    first = error.args[0] if error.args else None
    return first if isinstance(first, Mapping) else getattr(error, "message", None)


def _json(text: str) -> object:
    """What a text says as JSON; without such, the text."""
    try:
        return json.loads(text) if len(text) <= BODY_CHARACTERS_MAX else text
    except (ValueError, RecursionError):
        return text


def _secrets(error: BaseException) -> tuple[str, ...]:
    for holder in (error, getattr(error, "response", None)):
        try:
            request = getattr(holder, "request", None)
        except Exception:  # noqa: BLE001 - httpx raises where there is none
            continue
        if request is not None:
            return sent_secrets(request)
    return ()
