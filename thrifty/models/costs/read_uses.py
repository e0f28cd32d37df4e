"""How often tools were used that run at a provider, as an answer tells it."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from thrifty.models.costs.use_fees import SEARCH

KINDS = (SEARCH, "web_fetch", "file_search", "code_interpreter")
"""Tools whose uses an API limits and reports, so that a fee can be declared."""
CALL_ENDING = "_call"
"""How the Responses API calls a use of a tool, after its name."""
SERVER_USES = ("server_tool_use", "server_tool_call")
"""How a part of a message is called that is one, and has the tool's name beside it."""
COUNTED_USES = "server_tool_use", "_requests"
"""Where Anthropic's count has them, and how it ends their names."""


def read_uses(message: Any) -> Mapping[str, int]:
    """How often an answer says that each kind of tool was used at its provider."""
    content = message.content if isinstance(message.content, list) else []
    parts = [*content, *(message.additional_kwargs.get("tool_outputs") or ())]
    seen = Counter(kind for part in parts if (kind := kind_used(part)))
    field, ending = COUNTED_USES
    counted = message.response_metadata.get("usage")
    told = counted.get(field) if isinstance(counted, Mapping) else None
    if isinstance(told, Mapping):
        for kind in KINDS:
            if isinstance(count := told.get(f"{kind}{ending}"), int):
                seen[kind] = max(seen[kind], count)
    return seen


def kind_used(part: Any) -> str:
    """The tool that a part of an answer is a use of; empty for any other part."""
    if not isinstance(part, Mapping):
        return ""
    kind = str(part.get("type"))
    name = str(part.get("name")) if kind in SERVER_USES else kind.removesuffix(CALL_ENDING)
    return name if name in KINDS and name != kind else ""
