"""Holds the input of each step against what its executor takes.

An input may refer to results that are not there yet. All else in it has to fit: a tool is called
with what it takes, or not at all.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from thrifty.budget import InvalidInput
from thrifty.budget.option import NAME_MAX
from thrifty.executors.declared_input import takes_query, tool_schema
from thrifty.executors.plain_json import compact_json
from thrifty.executors.registry import ExecutorRegistry
from thrifty.models.guard.tool_input import check_tool_input
from thrifty.options.decomposition import INPUT_CHARACTERS_MAX
from thrifty.options.step_fields import DraftStep, quote
from thrifty.options.step_reads import Drafts, Labels, without_steps


def settle_inputs(
    drafts: Drafts, labels: Labels, executors: ExecutorRegistry, remarks: list[str]
) -> Drafts:
    """The steps with inputs that fit.

    A model does a step whose executor cannot be called so. What would have acted outside is
    dropped: a model would only say that it did.
    """
    drafts = {number: _usual_input(draft, executors) for number, draft in drafts.items()}
    while True:
        refusals = {n: _refusal(draft, labels, executors) for n, draft in drafts.items()}
        dropped = [
            n for n, why in refusals.items() if why and executors.has_effects(drafts[n].executor)
        ]
        remarks += [f"{quote(drafts[n].name)} was dropped: {refusals[n]}" for n in dropped]
        if not dropped:
            break
        drafts = without_steps(drafts, dropped)  # and others may refer to what it makes
    remarks += [
        f"a model does {quote(drafts[n].name)}: {why}" for n, why in refusals.items() if why
    ]
    return {
        n: replace(draft, executor="", input=None) if refusals[n] else draft
        for n, draft in drafts.items()
    }


def _usual_input(draft: DraftStep, executors: ExecutorRegistry) -> DraftStep:
    """A step whose tool takes one text and was given none: it gets what is to be done."""
    thing = _executor(draft, executors)
    schema = tool_schema(thing)
    if schema is None:
        is_query = takes_query(thing) and isinstance(draft.input, str)
        return draft if is_query else replace(draft, input=None)
    needed = [*schema.get("required", ())]
    if draft.input is not None or len(needed) != 1 or executors.has_effects(draft.executor):
        return draft
    given = {needed[0]: draft.instruction}
    return draft if _mismatch(thing, given, ()) else replace(draft, input=given)


def _refusal(draft: DraftStep, labels: Labels, executors: ExecutorRegistry) -> str:
    """Why an executor cannot be called so. Empty where it can."""
    cited = labels.find_cited(draft, {})
    if any(place not in (*draft.reads, *draft.documents) for place in cited.places):
        return "its input refers to what it does not read"
    thing = _executor(draft, executors)
    if tool_schema(thing) is None:
        return ""
    marked = labels.find_cited(draft, dict.fromkeys(cited.places, UNKNOWN)).input
    if len(compact_json(marked)) > INPUT_CHARACTERS_MAX:
        return f"its input is longer than {INPUT_CHARACTERS_MAX:,}"
    unknown = _unknown_arguments(marked) if cited.places else ()
    return _mismatch(thing, draft.input or {}, [*unknown])


def _mismatch(tool: Any, given: object, unknown: tuple[str, ...] | list[str]) -> str:
    try:
        check_tool_input(tool, given, "its input", unknown)
    except InvalidInput as refused:
        return str(refused)
    except Exception as error:  # noqa: BLE001 - a schema may check by somebody else's code
        return f"its input could not be checked ({type(error).__name__})"
    return ""


def _unknown_arguments(value: object) -> Iterator[str]:
    """The arguments that wait for a result to be of the right type."""
    if isinstance(value, Mapping):
        yield from (name for name, member in value.items() if _waits(member))


def _waits(value: Any) -> bool:
    """Whether something in it is a reference alone, which may become anything."""
    if isinstance(value, Mapping):
        return any(map(_waits, value.values()))
    if isinstance(value, list):
        return any(map(_waits, value))
    return isinstance(value, str) and value.strip() == f"${{{UNKNOWN}}}"


def _executor(draft: DraftStep, executors: ExecutorRegistry) -> Any:
    return executors.terms_of(draft.executor).fn if draft.executor else None


UNKNOWN = "_" * NAME_MAX
"""What a reference is called while an input is checked: as long as the longest name."""
