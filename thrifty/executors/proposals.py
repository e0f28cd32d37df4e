"""Extra steps that a model proposes, read as what they are: input from a stranger.

A proposal can name an executor that is registered and nothing else, can be worth no more than
the best known option, and can claim to cost no less than the cheapest known one. What does
not fit is dropped with a word on it; nothing of it is run, sent or counted.
"""

import math
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from thrifty.budget import InvalidInput, Spend, Step, StepOption, checks
from thrifty.budget.names import folded
from thrifty.budget.plain_text import plain

PROPOSALS_MAX = 5
NAME_LENGTH_MAX = 60
DESCRIPTION_LENGTH_MAX = 600
CLAIM_MAX = 10**9
"""More than any run holds, and little enough that prices and sums of it can be written down."""
SPREAD = 0.5
"""A guess is less certain than a catalog."""

_COUNT = {"type": "integer", "minimum": 0}
_FIELDS: dict[str, dict[str, Any]] = {
    "name": {"type": "string", "description": "A short name, unlike those of known steps."},
    "description": {"type": "string", "description": "The assignment, in a sentence or two."},
    "executor": {"type": "string", "description": "One of the executors named."},
    "tokens": _COUNT,
    "latency_ms": _COUNT,
    "tool_calls": _COUNT,
    "value": {"type": "number", "minimum": 0},
}
PROPOSAL_TOOL: dict[str, Any] = {
    "title": "propose_steps",
    "description": "Propose three to five extra steps.",
    "type": "object",
    "properties": {
        "steps": {
            "type": "array",
            "maxItems": PROPOSALS_MAX,
            "items": {
                "type": "object",
                "properties": _FIELDS,
                "required": list(_FIELDS),
                "additionalProperties": False,
            },
        }
    },
    "required": ["steps"],
}
"""The function whose arguments are the proposals."""


@dataclass(frozen=True, slots=True)
class Proposals:
    """What was left of a model's proposals."""

    steps: tuple[Step, ...]
    remarks: tuple[str, ...]
    """What was dropped or changed, and why."""


def read_proposals(
    arguments: object, known: Sequence[Step], executors: Collection[str]
) -> Proposals:
    """Reads the arguments of a call of `propose_steps`, whatever they turn out to be.

    Args:
        arguments: as the model wrote them.
        known: the catalog's steps, which set the scale of values and costs.
        executors: the names of the registered executors.
    """
    given = arguments.get("steps") if isinstance(arguments, Mapping) else None
    if not isinstance(given, list):
        return Proposals((), ("the proposals could not be read",))
    steps: list[Step] = []
    remarks = [f"only the first {PROPOSALS_MAX} proposals were read"] * (len(given) > PROPOSALS_MAX)
    scale = [option for step in known for option in step.options]
    names = {folded(step.name) for step in known} | {folded(option.name) for option in scale}
    value_max = max(option.value for option in scale)
    for number, proposal in enumerate(given[:PROPOSALS_MAX], start=1):
        try:
            step = _read(proposal, names, scale, executors)
        except InvalidInput as refused:
            remarks.append(f"proposal {number} was dropped: {plain(str(refused))}")
        else:
            names |= {folded(step.name), folded(step.options[0].name)}
            steps.append(step)
            if _finite("value", proposal["value"]) > value_max:
                remarks.append(f"proposal {number} is worth {value_max:g}, as the best known step")
    return Proposals(tuple(steps), tuple(remarks))


def _read(
    proposal: object, names: set[str], scale: Sequence[StepOption], executors: Collection[str]
) -> Step:
    given = checks.record("proposal", proposal, tuple(_FIELDS))
    name = _short_text("name", given.get("name"), NAME_LENGTH_MAX)
    executor = checks.choice("proposal.executor", given.get("executor"), executors)
    full_name = f"{name} ({'LLM' if executor == 'llm' else executor})"
    if {folded(name), folded(full_name)} & names:
        raise InvalidInput("proposal.name", name, "another step or option has this name")
    alike = [option for option in scale if option.executor == executor] or list(scale)
    option = StepOption(
        name=full_name,
        step=name,
        executor=executor,
        description=_short_text("description", given.get("description"), DESCRIPTION_LENGTH_MAX),
        estimate=_estimate(given, alike),
        value=min(_finite("value", given.get("value")), max(o.value for o in scale)),
        spread=SPREAD,
    )
    return Step(name, (option,))


def _estimate(given: Mapping[str, Any], alike: Sequence[StepOption]) -> Spend:
    """The claimed costs, but none below the cheapest known option of that executor."""
    claimed = {
        field: min(math.ceil(_finite(field, given.get(field))), CLAIM_MAX)
        for field in ("tokens", "latency_ms", "tool_calls")
    }
    floor = {field: min(getattr(o.estimate, field) for o in alike) for field in claimed}
    return Spend(**{field: max(claimed[field], floor[field]) for field in claimed})


def _finite(field: str, value: object) -> float:
    """A number from zero up; a negative claim counts as zero, NaN and infinity as nonsense."""
    if isinstance(value, int) and not isinstance(value, bool):
        return float(max(0, min(value, CLAIM_MAX)))
    if not isinstance(value, float) or not math.isfinite(value):
        raise InvalidInput(f"proposal.{field}", value, "use a finite number")
    return max(0.0, value)


def _short_text(field: str, value: object, maximum: int) -> str:
    """One line of plain text."""
    text = checks.text(f"proposal.{field}", value)
    line = " ".join(plain(unicodedata.normalize("NFKC", text)).split())
    return checks.text(f"proposal.{field}", line, maximum=maximum)
