"""Anthropic's Messages: what a request may say, and what it asks.

The input is counted as Claude's: denser than o200k, with hidden instructions where there are tools.
"""

import re
from collections.abc import Iterator
from math import ceil
from typing import Any

from tests.harness.llm_server import checks, errors, tokens
from tests.harness.llm_server.question import JSON, Message, Question, Tool
from tests.harness.llm_server.usage import TOKENS_PER_MESSAGE, TOKENS_PER_REPLY, compact

PARAMETERS = (
    "cache_control container context_management diagnostics fallbacks inference_geo max_tokens "
    "mcp_servers messages metadata model output_config output_format service_tier speed "
    "stop_sequences stream system temperature thinking tool_choice tools top_k top_p "
    "user_profile_id workspace_id"
)
ROLES = frozenset({"user", "assistant", "system"})
DENSITY = 1.35
"""How many tokens Claude reads where o200k counts one, and never more than there are bytes."""
TOOLS_TOKENS = 530
"""What it reads before tools that it may call, and what nobody sends."""
FORCED_TOOLS_TOKENS = 313
"""The same where it has to call one."""
SCHEMA_TOKENS = 200
"""The same where its answer is to have a shape."""
ATTACHMENT_TOKENS = 1_200
"""What it reads in an image or a file."""
SEARCHES_MOST = 50
"""How often it searches at most where nobody says how often it may."""
THINKING_BUDGET_MIN = 1_024
SIGNED = re.compile(r"(\d+)\.(cipher)*")
"""A thought as it is sent back: how many tokens it has, and what holds it."""


def signature(thought_tokens: int) -> str:
    """What stands for a thought of so many tokens."""
    return f"{thought_tokens}." + "cipher" * thought_tokens


def read(body: JSON) -> Question:
    """The question in a request's body.

    Raises:
        Refused: the request is not valid.
    """
    for name in body:
        if name not in PARAMETERS.split():
            raise errors.Refused(f"{name}: Extra inputs are not permitted")
    model, cap = _text(body, "model"), _cap(body)
    messages = tuple(_messages(body))
    searching = [tool for tool in checks.items(body, "tools") if checks.is_search(tool)]
    tools = tuple(_tools([t for t in checks.items(body, "tools") if t not in searching]))
    if not (tools or searching) and _has_tool_blocks(body):
        told = "Requests which include `tool_use` or `tool_result` blocks must define tools"
        raise errors.Refused(told)
    schema = _schema(checks.section(body, "output_config"))
    must_call = _must_call(checks.section(body, "tool_choice"), tools)
    _check_thinking(checks.section(body, "thinking"), cap, must_call)
    return Question(
        model=model,
        messages=messages,
        stream=checks.flag(body, "stream"),
        output_cap=cap,
        input_tokens=_input_tokens(body, messages, tools, must_call, schema),
        tools=tools,
        searches_max=sum(tool.get("max_uses") or SEARCHES_MOST for tool in searching),
        must_call=must_call,
        json_wanted=schema is not None,
        answer_schema=schema,
    )


def _input_tokens(
    body: JSON,
    messages: tuple[Message, ...],
    tools: tuple[Tool, ...],
    must_call: str | None,
    schema: JSON | None,
) -> int:
    total = TOKENS_PER_REPLY + sum(TOKENS_PER_MESSAGE + _count(each.text) for each in messages)
    for tool in tools:
        total += _count(compact(tool.as_json()))
    if tools or body.get("tools"):
        total += FORCED_TOOLS_TOKENS if must_call else TOOLS_TOKENS
    if schema is not None:
        total += SCHEMA_TOKENS + _count(compact(schema))
    return total + sum(_unseen(block) for block in _all_blocks(body))


def _count(text: str) -> int:
    return min(ceil(DENSITY * tokens.count(text)), len(text.encode("utf-8", "replace")))


def _unseen(block: JSON) -> int:
    """What a block has beside its text: a picture, or the thought that its signature holds."""
    if block.get("type") in ("image", "document"):
        return ATTACHMENT_TOKENS
    signed = SIGNED.fullmatch(str(block.get("signature") or ""))
    return int(signed[1]) if signed and block.get("type") == "thinking" else 0


def _all_blocks(body: JSON) -> Iterator[JSON]:
    for message in body["messages"]:
        for block in _blocks(message):
            yield block
            yield from _blocks(block)


def _blocks(holder: JSON) -> list[JSON]:
    content = holder.get("content")
    return [each for each in content if isinstance(each, dict)] if isinstance(content, list) else []


def _text(body: JSON, name: str) -> str:
    if not isinstance(body.get(name), str):
        raise errors.Refused(f"{name}: Field required")
    return str(body[name])


def _cap(body: JSON) -> int:
    cap = body.get("max_tokens")
    if type(cap) is not int:
        raise errors.Refused("max_tokens: Field required")
    if cap < 1:
        raise errors.Refused("max_tokens: must be greater than or equal to 1")
    return cap


def _messages(body: JSON) -> Iterator[Message]:
    if system := body.get("system"):
        yield Message("system", _joined(system))
    entries = body.get("messages")
    if not isinstance(entries, list) or not entries:
        raise errors.Refused("messages: at least one message is required")
    for index, entry in enumerate(entries):
        if not isinstance(entry, dict) or entry.get("role") not in ROLES:
            raise errors.Refused(f"messages.{index}.role: Input should be 'user' or 'assistant'")
        if not entry.get("content"):
            raise errors.Refused(f"messages.{index}: must have non-empty content")
        yield Message(entry["role"], _joined(entry["content"]))


def _joined(content: object) -> str:
    return "\n".join(_texts(content))


def _texts(content: object) -> Iterator[str]:
    """All that is text in content, and as JSON what a tool was called with."""
    if isinstance(content, str):
        yield content
    for block in _blocks({"content": content}):
        kind = block.get("type")
        if kind == "text":
            yield str(block.get("text"))
        elif kind == "tool_use":
            yield f"{block.get('name', '')}{compact(block.get('input'))}"
        elif kind == "tool_result":
            yield _joined(block.get("content"))
        elif kind not in ("image", "document", "thinking"):
            yield compact(block)


def _tools(entries: list[Any]) -> Iterator[Tool]:
    for index, entry in enumerate(entries):
        if not isinstance(entry, dict) or entry.get("type", "custom") != "custom":
            raise errors.Refused(f"tools.{index}: This server knows tools of type custom.")
        if not isinstance(entry.get("input_schema"), dict):
            raise errors.Refused(f"tools.{index}.custom.input_schema: Field required")
        description = str(entry.get("description") or "")
        yield Tool(_text(entry, "name"), description, entry["input_schema"])


def _has_tool_blocks(body: JSON) -> bool:
    contents = [message["content"] for message in body["messages"]]
    parts = [part for content in contents if isinstance(content, list) for part in content]
    return any(part["type"] in ("tool_use", "tool_result") for part in parts)


def _must_call(choice: JSON, tools: tuple[Tool, ...]) -> str | None:
    kind = choice.get("type", "auto")
    if kind in ("auto", "none"):
        return None
    names = [tool.name for tool in tools]
    if kind == "any" and names:
        return names[0]
    if kind == "tool" and choice.get("name") in names:
        return str(choice["name"])
    raise errors.Refused(f"tool_choice: Tool '{choice.get('name')}' not found in provided tools")


def _schema(wanted: JSON) -> JSON | None:
    shape = checks.section(wanted, "format")
    return checks.section(shape, "schema") if shape else None


def _check_thinking(thinking: JSON, cap: int, must_call: str | None) -> None:
    if must_call and thinking.get("type") in ("enabled", "adaptive"):
        raise errors.Refused("Thinking may not be enabled when tool_choice forces tool use.")
    if thinking.get("type") != "enabled":
        return
    budget = thinking.get("budget_tokens")
    if type(budget) is not int or budget < THINKING_BUDGET_MIN:
        least = f"greater than or equal to {THINKING_BUDGET_MIN}"
        raise errors.Refused(f"thinking.enabled.budget_tokens: Input should be {least}")
    if budget >= cap:
        raise errors.Refused("`max_tokens` must be greater than `thinking.budget_tokens`.")
