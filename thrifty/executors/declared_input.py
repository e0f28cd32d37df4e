"""What is known of the input of something that was registered, before it is called.

LangChain is not imported: what it makes is known by its attributes.
"""

from collections.abc import Mapping
from typing import Any


def tool_schema(thing: Any) -> Mapping[str, Any] | None:
    """The JSON schema of a tool's arguments. None for what is no tool."""
    properties = getattr(thing, "args", None)
    if not isinstance(properties, Mapping):
        return None
    schema = getattr(thing, "tool_call_schema", None)
    if isinstance(schema, Mapping):  # of a tool on an MCP server
        return schema
    if isinstance(schema, type) and hasattr(schema, "model_json_schema"):
        written: Mapping[str, Any] = schema.model_json_schema()
        return written
    needed = [name for name, each in properties.items() if "default" not in each]
    return {"properties": properties, "required": needed}


def takes_query(thing: Any) -> bool:
    """Whether it is a retriever, which takes a text."""
    return hasattr(thing, "_get_relevant_documents")
