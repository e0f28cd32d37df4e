"""Asks a model for steps: what it is shown, and what is made of its answer.

It is shown the task, the executors and the names of documents. It sees no limit, no price and no
name of a model, so that nothing which it writes can be about them.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from thrifty.budget import BudgetExceeded, ModelUnavailable
from thrifty.budget.plain_text import single_line, trim_text
from thrifty.executors.declared_input import takes_query, tool_schema
from thrifty.executors.plain_json import compact_json
from thrifty.executors.registry import ExecutorRegistry
from thrifty.models.calls.allowance import Allowance
from thrifty.models.costs.input_bound import O200K_MODELS, tokens_bound
from thrifty.models.roles.agent_models import ModelPrompt, Models
from thrifty.options.decomposition import Decomposition
from thrifty.options.read_decomposition import read_decomposition

TASK_TOKENS_MAX = 1_500
HEAD_TOKENS, TAIL_TOKENS = 1_000, 400
"""What is shown of a task that is longer: its beginning, and its end."""
CHARACTERS_PER_TOKEN = 8
"""No more of a text is looked at for each token that is shown of it."""
EXECUTORS_SHOWN, DOCUMENTS_SHOWN = 60, 60
DESCRIPTION_SHOWN, SCHEMA_SHOWN = 400, 1_200
"""In characters."""
NONE = "(none)"
NOISE = frozenset({"title", "additionalProperties"})
"""What a schema says beside what a model has to know."""


def request_decomposition(
    prompt: ModelPrompt,
    models: Models,
    allowance: Allowance,
    executors: ExecutorRegistry,
    documents: Iterable[str] = (),
    config: Any = None,
) -> Decomposition:
    """Asks once, and reads the answer as hostile input. A failure is a remark and no steps.

    Args:
        prompt: `prompts/decompose.md` with the function `DECOMPOSITION_TOOL`.
        models: the deployment's.
        allowance: what the call may use.
        executors: what the deployment registered.
        documents: the names of what the run was handed.
        config: as the node is told.
    """
    try:
        reply = models.ask(prompt, allowance, config)
    except (BudgetExceeded, ModelUnavailable) as error:
        return Decomposition(remarks=(f"steps could not be had: {error}",))
    given = reply.text if reply.arguments is None else reply.arguments
    return read_decomposition(given, executors, tuple(documents))


def describe_request(
    task: str, executors: ExecutorRegistry, documents: Mapping[str, str]
) -> dict[str, str]:
    """What the prompt is filled with.

    Args:
        task: what is to be done, whole.
        executors: what the deployment registered.
        documents: the texts that the run was handed, by name.
    """
    return {
        "task": shorten_task(task),
        "executors": describe_executors(executors),
        "documents": describe_documents(documents),
    }


def shorten_task(task: str) -> str:
    """A task in at most 1,500 tokens: its beginning, how much is left out, and its end."""
    text = trim_text(task)
    if _tokens(text) <= TASK_TOKENS_MAX:
        return text
    head = _longest(text, HEAD_TOKENS, lambda length: text[:length])
    end = _longest(text, TAIL_TOKENS, lambda length: text[-length:] if length else "")
    left_out = len(text) - len(head) - len(end)
    note = f"[{left_out:,} of {len(text):,} characters are left out here]"
    return f"{head.rstrip()}\n\n{note}\n\n{end.lstrip()}"


def describe_executors(executors: ExecutorRegistry) -> str:
    """What was registered, a line each: the name, what it does, and the arguments of a tool."""
    lines = [_describe_executor(name, executors) for name in executors.registered]
    return _lines(lines, EXECUTORS_SHOWN)


def describe_documents(documents: Mapping[str, str]) -> str:
    """The documents, a line each: the name, and how long it is."""
    lines = [f"- {single_line(name)}: {len(text):,} characters" for name, text in documents.items()]
    return _lines(lines, DOCUMENTS_SHOWN)


def _describe_executor(name: str, executors: ExecutorRegistry) -> str:
    terms = executors.terms_of(name)
    said = terms.description or getattr(terms.fn, "description", "") or ""
    described = single_line(str(said))[:DESCRIPTION_SHOWN].rstrip()
    parts = [f"- {single_line(name)}:", described or "no description."]
    if terms.effects:
        parts.append("It changes something outside, so it is called once at most.")
    if (schema := tool_schema(terms.fn)) is not None:
        parts.append(f"Arguments: {_describe_schema(schema)}")
    elif takes_query(terms.fn):
        parts.append("Its input is a query, as a text.")
    else:
        parts.append("It takes no input: it reads its instruction.")
    return " ".join(parts)


def _describe_schema(schema: Mapping[str, Any]) -> str:
    """The arguments of a tool, by their names and types alone where they are many."""
    whole = {
        key: _plain(schema[key]) for key in ("properties", "required", "$defs") if key in schema
    }
    written = compact_json(whole)
    if len(written) <= SCHEMA_SHOWN:
        return written
    needed = schema.get("required", ())
    types = {
        name: str(each.get("type", "any")) if isinstance(each, Mapping) else "any"
        for name, each in schema.get("properties", {}).items()
        if name in needed
    }
    return compact_json(types)[:SCHEMA_SHOWN]


def _plain(value: Any) -> Any:
    """A part of a schema without noise. An argument may be called like noise, and is kept."""
    if isinstance(value, Mapping):
        return {
            str(key): _plain(each)
            for key, each in value.items()
            if key not in NOISE or isinstance(each, Mapping)
        }
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)


def _lines(lines: list[str], shown: int) -> str:
    more = [f"- and {len(lines) - shown:,} more"] if len(lines) > shown else []
    return "\n".join([*lines[:shown], *more]) or NONE


def _longest(text: str, tokens: int, part: Any) -> str:
    """The longest part of a text that has no more than so many tokens."""
    low, high = 0, min(len(text), tokens * CHARACTERS_PER_TOKEN)
    while low < high:
        middle = (low + high + 1) // 2
        if _tokens(part(middle)) <= tokens:
            low = middle
        else:
            high = middle - 1
    found: str = part(low)
    return found


def _tokens(text: str) -> int:
    """As the models of OpenAI count them, which is about what others count."""
    return tokens_bound(text, O200K_MODELS[0])
