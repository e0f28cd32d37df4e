"""What a provider charges for each use, beyond tokens: searches, and tools that run there.

No price list says how dear it is, so its user has to, together with the most uses in a call.
"""

import re
from collections.abc import Container, Iterator, Mapping
from typing import Any

SEARCH, SEARCH_OPTIONS = "web_search", "web_search_options"
SEARCHING_MODEL = re.compile(r"(?i)(?<![a-z])(?:search|deep-research|sonar)(?![a-z])|:online$")
"""Names of models that search by themselves, whatever they are asked: OpenAI's, Perplexity's, and
OpenRouter's ending for any other."""
HOSTED_TOOLS = (
    *("web_search", "file_search", "code_interpreter", "image_generation", "computer_use_preview"),
    *("mcp", "shell", "local_shell", "x_search", "browser_search", "web_fetch", "code_execution"),
    *("google_search", "googleSearch", "google_maps", "googleMaps", "url_context", "urlContext"),
)
"""How the types of tools begin that run at a provider, or the field by which a tool has one."""
INSTEAD = "leave it out, or limit tokens and calls instead of money"
_DECLARE_IT = (
    "each use has a fee: declare it, as in {}(..., fees={{'web_search': UseFee(0.01, "
    f"uses_max=3, tokens_max=20_000)}}}}), {INSTEAD}"
)
FEE_REMEDY = _DECLARE_IT.format("metered")
ROLE_FEE_REMEDY = _DECLARE_IT.format("Model")
"""The same of a model role."""
UNDECLARED_REMEDY = f"each use has a fee, which cannot be declared here: {INSTEAD}"
"""The same where no declared fee would let it through: nobody limits the uses, or tells of them."""


def use_fee(request: Mapping[str, Any], declared: Container[str] = ()) -> str:
    """What in a request has a fee for each use that nobody declared; empty where nothing has.

    Args:
        request: a body, or as much of it as is known.
        declared: kinds of tools with a fee that was.
    """
    kinds = _kinds(request)
    return next((told for kind, told in kinds if kind not in declared), "")


def hosted_kinds(request: Mapping[str, Any]) -> list[str]:
    """The kinds of all tools in a request that run at its provider."""
    return [kind for kind, _ in _kinds(request)]


def _kinds(request: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each with what people call it."""
    model = str(request.get("model") or request.get("model_name") or "")
    if SEARCHING_MODEL.search(model):
        yield SEARCH, f"{model}, which searches by itself"
    if request.get(SEARCH_OPTIONS):
        yield SEARCH, SEARCH_OPTIONS
    for tool in request.get("tools") or ():
        if name := _hosted_name(tool):
            yield hosted_kind(tool), f"tools: {name}"


def hosted_kind(tool: Any) -> str:
    """The kind of a tool that runs at a provider, whatever date its name ends in. Empty: none."""
    name = _hosted_name(tool)
    return next((kind for kind in HOSTED_TOOLS if name.startswith(kind)), "")


def _hosted_name(tool: Any) -> str:
    if not isinstance(tool, Mapping):
        return ""
    names = [tool["type"]] if tool.get("type") else list(tool)
    return next((str(name) for name in names if str(name).startswith(HOSTED_TOOLS)), "")
