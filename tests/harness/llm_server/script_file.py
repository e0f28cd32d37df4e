"""Scripts from a file, for a person at a terminal.

A file, YAML or JSON, holds the `script`, a list of entries, and the `default`, one entry:

    script:
      - {text: "First, …", when: outline}
      - {data: {options: []}, reasoning_tokens: 50}
      - {tool: {name: search, arguments: {query: risk}}}
      - {tokens: 600, times: null, delay_ms: 300}
      - {misbehave: too-many-requests, retry_after_s: 50}
    default: {misbehave: truncated-stream, answer: {tokens: 100}}
"""

import json
from pathlib import Path
from typing import Any

from tests.harness.llm_server.answers import Answer, ToolCall
from tests.harness.llm_server.misbehaviours import named
from tests.harness.llm_server.script import Entry


def load(path: Path) -> tuple[list[Entry], Entry | None]:
    """The script and the default that the file holds.

    Raises:
        ValueError: the file holds something else; the message says where.
    """
    found = _parsed(path)
    if not isinstance(found, dict) or not found.keys() <= {"script", "default"}:
        raise ValueError(f"{path}: want a mapping with `script`, `default` or both")
    listed = enumerate(found.get("script") or [])
    entries = [entry(fields, f"{path}: script[{index}]") for index, fields in listed]
    default = found.get("default")
    return entries, None if default is None else entry(default, f"{path}: default")


def entry(fields: Any, where: str) -> Entry:
    """One entry of a script.

    Raises:
        ValueError: the fields make none.
    """
    if not isinstance(fields, dict):
        raise ValueError(f"{where}: want a mapping, not {fields!r}")
    try:
        if "misbehave" not in fields:
            return _answer(fields, where)
        options = {key: value for key, value in fields.items() if key != "misbehave"}
        if "answer" in options:
            options["answer"] = _answer(options["answer"], where)
        return named(fields["misbehave"], **options)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{where}: {error}") from error


def _answer(fields: dict[str, Any], where: str) -> Answer:
    options = dict(fields)
    contents = [options.pop(key) for key in ("text", "data") if key in options]
    if "tool" in options:
        contents.append(ToolCall(**options.pop("tool")))
    if len(contents) > 1:
        raise ValueError("an answer has one of `text`, `data`, `tool`")
    return Answer(*contents, **options)


def _parsed(path: Path) -> Any:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".json":
        return json.loads(text)
    import yaml  # Not installed everywhere, and only this needs it.

    return yaml.safe_load(text)
