"""Requests that are refused, in OpenAI's words unless another API has its own.

Refused: a request that gets an error object instead of an answer.
"""

from tests.harness.llm_server.question import JSON


class Refused(Exception):
    """The request gets an error object of this status."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = "invalid_request_error",
        param: str | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.kind = kind
        self.param = param
        self.code = code

    def as_json(self) -> JSON:
        """The body that the client gets."""
        return error_object(self.message, self.kind, self.param, self.code)


def error_object(message: str, kind: str, param: str | None, code: str | None) -> JSON:
    """OpenAI's error object."""
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def missing(name: str) -> Refused:
    """A parameter that must be there is not."""
    return Refused(
        f"Missing required parameter: '{name}'.", param=name, code="missing_required_parameter"
    )


def wrong_type(name: str, expected: str, value: object) -> Refused:
    """A parameter of another type than it has to be."""
    return Refused(
        f"Invalid type for '{name}': expected {expected}, but got {_kind_of(value)} instead.",
        param=name,
        code="invalid_type",
    )


def below_minimum(name: str, minimum: int, value: int) -> Refused:
    """A number that is too small."""
    return Refused(
        f"Invalid '{name}': integer below minimum value. "
        f"Expected a value >= {minimum}, but got {value} instead.",
        param=name,
        code="integer_below_min_value",
    )


def unsupported(name: str, message: str) -> Refused:
    """A value that OpenAI, or this server, does not take."""
    return Refused(message, param=name, code="unsupported_value")


def _kind_of(value: object) -> str:
    names = {bool: "a boolean", int: "an integer", float: "a decimal number", str: "a string"}
    names |= {list: "an array", dict: "an object", type(None): "null"}
    return names[type(value)]
