"""What a provider charges for each use, beyond tokens: searches, and tools that run there.

No count of an answer says how often it happened, and no price list how dear it was.
"""

import re
from collections.abc import Mapping
from typing import Any

SEARCHING_MODEL = re.compile(r"(?i)(?<![a-z])(?:search|deep-research|sonar)(?![a-z])|:online$")
"""Names of models that search by themselves, whatever they are asked: OpenAI's, Perplexity's, and
OpenRouter's ending for any other."""
HOSTED_TOOLS = (
    *("web_search", "file_search", "code_interpreter", "image_generation", "computer_use_preview"),
    *("mcp", "shell", "local_shell", "x_search", "browser_search", "web_fetch", "code_execution"),
    *("google_search", "googleSearch", "google_maps", "googleMaps", "url_context", "urlContext"),
)
"""How the types of tools begin that run at a provider, or the only field that such a tool has."""
FEE_REMEDY = "each use has a fee: leave it out, or limit tokens and calls instead of money"


def use_fee(request: Mapping[str, Any]) -> str:
    """What in a request has a fee for each use; empty where nothing has.

    Args:
        request: a body, or as much of it as is known.
    """
    model = str(request.get("model") or request.get("model_name") or "")
    if SEARCHING_MODEL.search(model):
        return f"{model}, which searches by itself"
    if request.get("web_search_options"):
        return "web_search_options"
    for tool in request.get("tools") or ():
        if isinstance(tool, Mapping) and (name := _hosted_tool(tool)):
            return f"tools: {name}"
    return ""


def _hosted_tool(tool: Mapping[str, Any]) -> str:
    names = [tool["type"]] if tool.get("type") else list(tool) if len(tool) == 1 else []
    return next((str(name) for name in names if str(name).startswith(HOSTED_TOOLS)), "")
