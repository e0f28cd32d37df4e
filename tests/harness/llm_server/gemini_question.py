"""Gemini's generateContent: what a request may say, and what it asks.

The input is counted as Gemini's: a little denser than o200k, with hidden instructions where there
are tools or a shape of the answer.
"""

import base64
import re
from collections.abc import Iterator
from math import ceil
from typing import Any

from tests.harness.llm_server import checks, errors, tokens
from tests.harness.llm_server.question import JSON, Message, Question, Tool
from tests.harness.llm_server.usage import TOKENS_PER_MESSAGE, TOKENS_PER_REPLY, compact

PARAMETERS = (
    "cachedContent contents continuationToken generationConfig labels safetySettings serviceTier "
    "store systemInstruction toolConfig tools"
)
CONFIG = (
    "audioTranscriptionConfig candidateCount enableEnhancedCivicAnswers frequencyPenalty "
    "imageConfig logprobs maxOutputTokens mediaResolution presencePenalty responseJsonSchema "
    "responseLogprobs responseMimeType responseModalities responseSchema seed speechConfig "
    "stopSequences temperature thinkingConfig topK topP"
)
ROLES = frozenset({"user", "model"})
DENSITY = 1.15
"""How many tokens Gemini reads where o200k counts one, and never more than there are bytes."""
TOOLS_TOKENS = 180
"""What it reads before functions that it may call, and what nobody sends."""
SCHEMA_TOKENS = 120
"""The same where its answer is to have a shape."""
ATTACHMENT_TOKENS = 1_120
"""What it reads in a picture or a file."""
SIGNED = re.compile(rb"(\d+)\.(?:cipher)*")
"""A thought as it is sent back: how many tokens it has, and what holds it."""


def signature(thought_tokens: int) -> str:
    """What stands for a thought of so many tokens."""
    return base64.b64encode(b"%d." % thought_tokens + b"cipher" * thought_tokens).decode()


def read(body: JSON, model: str, *, stream: bool) -> Question:
    """The question in a request's body.

    Raises:
        Refused: the request is not valid.
    """
    _check_known(body, PARAMETERS, "")
    config = checks.section(body, "generationConfig")
    _check_known(config, CONFIG, " at 'generation_config'")
    messages = tuple(_messages(body))
    tools = tuple(_tools(checks.items(body, "tools")))
    is_json = config.get("responseMimeType") == "application/json"
    schema = (config.get("responseJsonSchema") or config.get("responseSchema")) if is_json else None
    return Question(
        model=model,
        messages=messages,
        stream=stream,
        output_cap=_cap(config),
        input_tokens=_input_tokens(body, messages, tools, schema),
        tools=tools,
        must_call=_must_call(checks.section(body, "toolConfig"), tools),
        json_wanted=is_json,
        answer_schema=schema,
    )


def either(holder: JSON, name: str) -> Any:
    """A field by either of the two names that Google's JSON has for it; None without."""
    return holder.get(name, holder.get(re.sub("([A-Z])", r"_\1", name).lower()))


def _check_known(body: JSON, names: str, where: str) -> None:
    for name in body:
        if name not in names.split():
            told = (
                f'Invalid JSON payload received. Unknown name "{name}"{where}: Cannot find field.'
            )
            raise errors.Refused(told)


def _cap(config: JSON) -> int | None:
    cap = config.get("maxOutputTokens")
    if cap is None:
        return None
    if type(cap) is not int:
        raise errors.Refused("Invalid value at 'generation_config.max_output_tokens' (TYPE_INT32)")
    if cap < 1:
        raise errors.Refused(
            f"Unable to submit request because it has a maxOutputTokens value of {cap} but the "
            "supported range is from 1 (inclusive) to 65537 (exclusive)."
        )
    return cap


def _input_tokens(
    body: JSON, messages: tuple[Message, ...], tools: tuple[Tool, ...], schema: JSON | None
) -> int:
    total = TOKENS_PER_REPLY + sum(TOKENS_PER_MESSAGE + _count(each.text) for each in messages)
    for tool in tools:
        total += _count(compact(tool.as_json()))
    if tools:
        total += TOOLS_TOKENS
    if schema is not None:
        total += SCHEMA_TOKENS + _count(compact(schema))
    return total + sum(_unseen(part) for part in _all_parts(body))


def _count(text: str) -> int:
    return min(ceil(DENSITY * tokens.count(text)), len(text.encode("utf-8", "replace")))


def _unseen(part: JSON) -> int:
    """What a part has beside its text: a picture, and the thought that its signature holds."""
    seen = ATTACHMENT_TOKENS if part.get("inlineData") else 0
    signed = SIGNED.fullmatch(base64.b64decode(part.get("thoughtSignature") or ""))
    return seen + (int(signed[1]) if signed else 0)


def _all_parts(body: JSON) -> Iterator[JSON]:
    for content in body["contents"]:
        yield from content.get("parts") or ()


def _messages(body: JSON) -> Iterator[Message]:
    if system := checks.section(body, "systemInstruction"):
        yield Message("system", _joined(system))
    contents = checks.items(body, "contents")
    if not contents:
        raise errors.Refused("* GenerateContentRequest.contents: contents is not specified")
    for index, content in enumerate(contents):
        where = f"GenerateContentRequest.contents[{index}]"
        if not content.get("parts"):
            raise errors.Refused(f"* {where}.parts: contents.parts must not be empty.")
        if content.get("role", "user") not in ROLES:
            raise errors.Refused("Please use a valid role: user, model.")
        yield Message(content.get("role", "user"), _joined(content))


def _joined(content: JSON) -> str:
    return "\n".join(_text(part) for part in content.get("parts") or ())


def _text(part: JSON) -> str:
    if call := part.get("functionCall"):
        return f"{call['name']}{compact(call.get('args') or {})}"
    if returned := part.get("functionResponse"):
        return f"{returned['name']}{compact(returned.get('response') or {})}"
    return str(part.get("text") or "")


def _tools(entries: list[Any]) -> Iterator[Tool]:
    for entry in entries:
        if set(entry) != {"functionDeclarations"}:
            raise errors.Refused("This server knows tools that are functionDeclarations.")
        for declared in entry["functionDeclarations"]:
            schema = either(declared, "parametersJsonSchema") or declared.get("parameters") or {}
            yield Tool(declared["name"], str(declared.get("description") or ""), schema)


def _must_call(config: JSON, tools: tuple[Tool, ...]) -> str | None:
    choice = config.get("functionCallingConfig") or {}
    if choice.get("mode") != "ANY" or not tools:
        return None
    allowed = either(choice, "allowedFunctionNames") or [tools[0].name]
    return str(allowed[0])
