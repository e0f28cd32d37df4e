"""Which registered executors can do a step that did not name them, by what is said of them.

None that acts outside is among them: that is done only where it was asked for.
"""

import re
from collections.abc import Iterator
from typing import Any

from thrifty.budget import InvalidInput
from thrifty.budget.name_folding import fold_name
from thrifty.executors.declared_input import takes_query, tool_schema
from thrifty.executors.registry import ExecutorRegistry
from thrifty.models.guard.tool_input import check_tool_input
from thrifty.options.decomposition import PlannedStep

WORD = re.compile(r"\w{4,}")
STEM = 5
"""Words that begin alike mean about the same: "searches" and "search"."""
ALIKE_SHARE, ALIKE_LEAST = 0.5, 2
"""How much of what is said of one executor has to be said of the step: this share of its words,
and no fewer than so many where it has them."""


def fitting_executors(step: PlannedStep, executors: ExecutorRegistry) -> Iterator[str]:
    """The names of those that can do a step as well as the one that it names, or as a model.

    Args:
        step: what is to be done.
        executors: the deployment's.
    """
    if executors.has_effects(step.executor):
        return
    for name in executors.registered:
        if name == step.executor or executors.has_effects(name):
            continue
        thing = executors.terms_of(name).fn
        if _takes(thing, step) and (
            _is_able(name, executors, step) or _is_alike(name, executors, step)
        ):
            yield name


def _takes(thing: Any, step: PlannedStep) -> bool:
    """Whether it can be handed what the step has: an input, or its instruction."""
    if tool_schema(thing) is None:
        is_query = takes_query(thing) and isinstance(step.input, str)
        return is_query or (step.input is None and not takes_query(thing))
    if step.input is None:
        return False  # a tool knows nothing of instructions
    try:
        check_tool_input(thing, step.input, "input")
    except InvalidInput:
        return False
    except Exception:  # noqa: BLE001 - a schema may check by somebody else's code
        return False
    return True


def _is_able(name: str, executors: ExecutorRegistry, step: PlannedStep) -> bool:
    """Whether it answers any task, and so does what a model would do."""
    return not step.executor and name in executors.answering


def _is_alike(name: str, executors: ExecutorRegistry, step: PlannedStep) -> bool:
    """Whether what is said of it is said of the step, or of the executor that the step names."""
    said = _stems(_description(name, executors))
    named = _description(step.executor, executors) if step.executor else ""
    wanted = _stems(f"{step.name} {step.instruction} {named}")
    needed = max(min(ALIKE_LEAST, len(said)), ALIKE_SHARE * len(said))
    return bool(said) and len(said & wanted) >= needed


def _description(name: str, executors: ExecutorRegistry) -> str:
    terms = executors.terms_of(name)
    return terms.description or str(getattr(terms.fn, "description", "") or "")


def _stems(text: str) -> set[str]:
    return {word[:STEM] for word in WORD.findall(fold_name(text))}
