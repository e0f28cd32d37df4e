"""Extra steps that a model proposes, read as what they are: input from a stranger.

A proposal can name an executor that is registered and nothing else, can be worth no more than
the best known option, and can claim to cost no less than the cheapest known one. What does
not fit is dropped, and a remark says so. Nothing of it is run, sent or counted.
"""

import math
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from thrifty.budget import InvalidInput, Spend, Step, StepOption, validate
from thrifty.budget.name_folding import fold_name
from thrifty.budget.plain_text import single_line, strip_unprintable
from thrifty.executors.registry import LOCAL

PROPOSALS_MAX = 5
NAME_LENGTH_MAX = 60
DESCRIPTION_LENGTH_MAX = 600
CLAIM_MAX = 10**9
"""More than any run holds, and little enough that prices and sums of it can be written down."""
PROPOSAL_SPREAD = 0.5
"""A guess is less certain than a recipe."""

_COUNT_SCHEMA = {"type": "integer", "minimum": 0}
_FIELD_SCHEMAS: dict[str, dict[str, Any]] = {
    "name": {"type": "string", "description": "A short name, unlike those of known steps."},
    "description": {"type": "string", "description": "The assignment, in a sentence or two."},
    "executor": {"type": "string", "description": "One of the executors named."},
    "tokens": _COUNT_SCHEMA,
    "latency_ms": _COUNT_SCHEMA,
    "tool_calls": _COUNT_SCHEMA,
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
                "properties": _FIELD_SCHEMAS,
                "required": list(_FIELD_SCHEMAS),
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


NO_PROPOSALS = Proposals((), ())


def read_proposals(
    arguments: object, known: Sequence[Step], executors: Collection[str]
) -> Proposals:
    """Reads the arguments of a call of `propose_steps`, whatever they turn out to be.

    Args:
        arguments: as the model wrote them.
        known: the recipe's steps, which set the scale of values and costs.
        executors: the names of the registered executors.
    """
    given = arguments.get("steps") if isinstance(arguments, Mapping) else None
    if not isinstance(given, list):
        return Proposals((), ("the proposals could not be read",))
    steps: list[Step] = []
    remarks = [f"only the first {PROPOSALS_MAX} proposals were read"] * (len(given) > PROPOSALS_MAX)
    scale = [option for step in known for option in step.options]
    names = {fold_name(step.name) for step in known} | {fold_name(option.name) for option in scale}
    value_max = max(option.value for option in scale)
    for number, proposal in enumerate(given[:PROPOSALS_MAX], start=1):
        try:
            step = _read_proposal(proposal, names, scale, executors)
        except InvalidInput as refused:
            remarks.append(f"proposal {number} was dropped: {strip_unprintable(str(refused))}")
        else:
            names |= {fold_name(step.name), fold_name(step.options[0].name)}  # taken from now on
            steps.append(step)
            if _read_finite("value", proposal["value"]) > value_max:
                remarks.append(f"proposal {number} is worth {value_max:g}, as the best known step")
    return Proposals(tuple(steps), tuple(remarks))


def hold_to_catalog(proposed: Iterable[Step], known: Sequence[Step]) -> Iterator[Step]:
    """Holds proposed steps, once they come from a state, to what was read of a model's answer.

    A client of a server can write the state. So a step that is called like one of the recipe is
    left out, and no option claims less than `read_proposals` lets it claim.
    """
    scale = [option for step in known for option in step.options]
    names = {step.name for step in known} | {option.name for option in scale}
    for step in proposed:
        if names.isdisjoint({step.name, *(option.name for option in step.options)}):
            yield replace(step, options=tuple(hold_to_scale(o, scale) for o in step.options))


def hold_to_scale(option: StepOption, scale: Sequence[StepOption]) -> StepOption:
    """A proposed option that claims no less than known ones, and hands an executor nothing."""
    if not scale:  # nobody can propose anything where there is nothing
        return replace(option, value=0.0, payload={})
    estimate = _no_less(option.estimate, option.executor, scale)
    value = min(option.value, max(known.value for known in scale))
    written = None
    if option.output_tokens is not None:
        written = min(option.output_tokens, estimate.tokens)
    return replace(option, estimate=estimate, value=value, payload={}, output_tokens=written)


def _alike(executor: str, scale: Sequence[StepOption]) -> Sequence[StepOption]:
    """The known options of an executor. Where there are none, all of them."""
    return [option for option in scale if option.executor == executor] or scale


def _read_proposal(
    proposal: object, names: set[str], scale: Sequence[StepOption], executors: Collection[str]
) -> Step:
    given = validate.record("proposal", proposal, tuple(_FIELD_SCHEMAS))
    name = _read_line("name", given.get("name"), NAME_LENGTH_MAX)
    executor = validate.choice("proposal.executor", given.get("executor"), executors)
    full_name = f"{name} ({'LLM' if executor == 'llm' else executor})"
    if {fold_name(name), fold_name(full_name)} & names:
        raise InvalidInput("proposal.name", name, "another step or option has this name")
    option = StepOption(
        name=full_name,
        step=name,
        executor=executor,
        description=_read_line("description", given.get("description"), DESCRIPTION_LENGTH_MAX),
        estimate=_read_estimate(given, executor, scale),
        value=min(_read_finite("value", given.get("value")), max(o.value for o in scale)),
        spread=PROPOSAL_SPREAD,
    )
    return Step(name, (option,))


def _read_estimate(given: Mapping[str, Any], executor: str, scale: Sequence[StepOption]) -> Spend:
    """The claimed costs, but none below the cheapest known option of that executor."""
    claimed = {
        field: min(math.ceil(_read_finite(field, given.get(field))), CLAIM_MAX)
        for field in ("tokens", "latency_ms", "tool_calls")
    }
    return _no_less(Spend(**claimed), executor, scale)


def _no_less(claimed: Spend, executor: str, scale: Sequence[StepOption]) -> Spend:
    """What is claimed, but no less of any resource than the cheapest known option of an executor
    uses."""
    alike = _alike(executor, scale)
    floor = map(min, zip(*(option.estimate.amounts for option in alike), strict=True))
    estimate = Spend(*map(max, claimed.amounts, floor))
    # Local code buys no tokens, whatever a model claims and a recipe counts.
    return replace(estimate, tokens=0) if executor == LOCAL else estimate


def _read_finite(field: str, value: object) -> float:
    """A number from zero up. A negative claim counts as zero, NaN and infinity as nonsense."""
    if isinstance(value, int) and not isinstance(value, bool):
        return float(max(0, min(value, CLAIM_MAX)))  # capped first: not every int is a float
    if not isinstance(value, float) or not math.isfinite(value):
        raise InvalidInput(f"proposal.{field}", value, "use a finite number")
    return max(0.0, value)


def _read_line(field: str, value: object, maximum: int) -> str:
    """One line of plain text."""
    text = validate.text(f"proposal.{field}", value)
    line = single_line(unicodedata.normalize("NFKC", text))
    return validate.text(f"proposal.{field}", line, maximum=maximum)
