"""What a person wants a tool to be called with is checked by the tool's own schema."""

from types import SimpleNamespace
from typing import Annotated

import pytest
from langchain_core.tools import InjectedToolArg, tool

from thrifty import InvalidInput
from thrifty.models.guard.tool_input import check_tool_input

SCHEMA = {
    "properties": {"to": {"type": "string"}, "times": {"type": ["integer", "null"]}, "any": {}},
    "required": ["to"],
}
REMOTE = SimpleNamespace(args=SCHEMA["properties"], tool_call_schema=SCHEMA)
"""As tools of MCP servers are: they have a JSON schema and no class."""


@tool
def send(to: str, key: Annotated[str, InjectedToolArg], times: int = 1) -> str:
    """Sends."""
    return to * times


@tool
def look_up(topic: str) -> str:
    """Looks up."""
    return topic


@pytest.mark.parametrize("given", [{"to": "Ann"}, {"to": "Ann", "times": 3}])
@pytest.mark.parametrize(
    "thing", [send, REMOTE, send.with_config(tags=["t"])], ids=["class", "JSON", "bound"]
)
def test_what_it_takes_passes(thing, given):
    check_tool_input(thing, given, "answer.input")
    check_tool_input(look_up, "tea", "answer.input")


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"to": 3}, r"answer\.input\.to: got 3"),
        ({"to": "Ann", "times": "often"}, r"answer\.input\.times: got 'often'"),
        ({"times": 2}, r"answer\.input\.to: got None; it is missing; fill it in"),
        ({"to": "Ann", "key": "secret"}, r"answer\.input\.key: got .*known arguments: to"),
        ("Ann", "use a mapping of the tool's arguments: to"),
        (None, "use a mapping of the tool's arguments: to"),
    ],
)
@pytest.mark.parametrize("thing", [send, REMOTE], ids=["class", "JSON"])
def test_what_it_does_not_take_is_refused(thing, given, error):
    with pytest.raises(InvalidInput, match=error):
        check_tool_input(thing, given, "answer.input")


def test_a_truth_value_is_no_number():
    with pytest.raises(InvalidInput, match="use a value of type integer or null"):
        check_tool_input(REMOTE, {"to": "Ann", "times": True}, "answer.input")


@pytest.mark.parametrize("thing", [send, REMOTE], ids=["class", "JSON"])
def test_an_argument_that_is_not_known_yet_has_to_be_there_and_no_more(thing):
    check_tool_input(thing, {"to": "Ann", "times": "$Count"}, "input", ["times"])
    with pytest.raises(InvalidInput, match=r"input\.to: got "):
        check_tool_input(thing, {"times": "$Count"}, "input", ["times"])
    with pytest.raises(InvalidInput, match=r"input\.to: got 3"):
        check_tool_input(thing, {"to": 3, "times": "$Count"}, "input", ["times"])
    with pytest.raises(InvalidInput, match="known arguments"):
        check_tool_input(thing, {"to": "Ann", "odd": "$Count"}, "input", ["odd"])
