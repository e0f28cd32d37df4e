"""Which of OpenAI's protocols a server speaks, and in which fields of it."""

from typing import Literal, get_args

from thrifty.budget import InvalidInput, validate

OPENAI = "openai"
"""The vendor of a name that names none: whoever speaks OpenAI's protocol."""
Api = Literal["responses", "chat"]
CapField = Literal["max_completion_tokens", "max_tokens"]
Encoding = Literal["o200k_base", "cl100k_base"]
"""OpenAI's, by which a server may count that is not OpenAI's: its user says so."""
ShapeField = Literal["tools", "response_format"]
PROTOCOL_FIELDS = ("api", "cap_field", "shape_field", "encoding")
"""What differs between servers of OpenAI's protocol."""


def check_protocol(api: object, cap_field: object, shape_field: object = None) -> None:
    """Checks which protocol a server speaks, and in which fields of it.

    Raises:
        InvalidInput: either is unknown, or they do not go together.
    """
    if api is not None:
        validate.choice("api", api, get_args(Api))
    if cap_field is not None:
        validate.choice("cap_field", cap_field, get_args(CapField))
    if api == "responses" and cap_field == "max_tokens":
        raise InvalidInput("cap_field", cap_field, "use it with api chat only")
    if shape_field is not None:
        validate.choice("shape_field", shape_field, get_args(ShapeField))
    if api == "responses" and shape_field == "response_format":
        raise InvalidInput("shape_field", shape_field, "use it with api chat only")
