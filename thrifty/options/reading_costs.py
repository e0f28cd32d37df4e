"""What it costs to read what other steps make, before it is there.

The producer pays for being read: the length of its result, once for each step of a model that reads
it. So the resources that a plan uses add up, and no option's estimate depends on another's choice.
What reading costs depends on who reads. So there is one set of steps for each price: in it nobody
reads who is dearer, and everybody pays that price. The best plan of all sets is taken. When a
result is there, its readers are estimated anew, by what it really is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import ceil

from thrifty.budget import PriceUnknown, Step, StepOption
from thrifty.executors.model_access import ModelAccess
from thrifty.executors.registry import MODEL_EXECUTORS
from thrifty.models.roles.model_role import ModelRole
from thrifty.options.availability import offer_options

TOO_DEAR = "a plan in which cheaper models read is worth more"
"""Why an option is not in a plan that was made for a lower price of reading."""
SAMPLE_TOKENS = 1_000
"""By what so many tokens of input cost, models are called dear or cheap."""


def reading_tiers(steps: Sequence[Step], access: ModelAccess) -> tuple[tuple[Step, ...], ...]:
    """The steps once for each price at which they may be read, the cheapest first.

    Args:
        steps: those that are open, estimated by what there is to read.
        access: what models cost, and whether money is limited: else there is one price.
    """
    readers = _count_readers(steps)
    if not readers:
        return (tuple(steps),)
    if not access.is_cost_limited:
        return (tuple(_with_reading(step, readers, access, None) for step in steps),)
    asked = [access.role_of(o) for s in steps if _reads(s, readers) for o in _by_models(s)]
    tiers = {price: role for role in asked if (price := _input_price(role)) is not None}
    sets = tuple(_at_tier(steps, readers, access, tiers[price]) for price in sorted(tiers))
    return sets or (tuple(steps),)


def _at_tier(
    steps: Sequence[Step], readers: Mapping[str, int], access: ModelAccess, tier: ModelRole
) -> tuple[Step, ...]:
    """The steps as they are if nobody who reads is dearer than one model."""
    priced = [_with_reading(step, readers, access, tier) for step in steps]
    reading = {step.name for step in steps if _reads(step, readers)}

    options = {option.name: option for step in steps for option in step.options}

    def reason_against(option: StepOption) -> str:
        then = options[option.cascade.then] if option.cascade else option
        is_too_dear = _is_dearer(option, access, tier) or _is_dearer(then, access, tier)
        return TOO_DEAR if option.step in reading and is_too_dear else ""

    return offer_options(priced, reason_against)[0]


def _with_reading(
    step: Step, readers: Mapping[str, int], access: ModelAccess, tier: ModelRole | None
) -> Step:
    times = readers.get(step.name, 0)
    if not times:
        return step
    return step.with_options(tuple(_read(each, times, access, tier) for each in step.options))


def _read(
    option: StepOption, times: int, access: ModelAccess, tier: ModelRole | None
) -> StepOption:
    """An option with what its result costs those who read it."""
    length = option.expected_output_tokens
    if option.executor in MODEL_EXECUTORS:  # nobody reads its reasoning
        length = ceil(length / access.role_of(option).reasoning_factor)
    tokens, estimate = times * length, option.estimate
    cost = tier.prices.quote(tier.model, tokens, 0) if tier else 0
    return replace(
        option,
        estimate=replace(
            estimate,
            tokens=estimate.tokens + tokens,
            cost_nano_usd=estimate.cost_nano_usd + cost,
        ),
        # What it writes is what it was, whatever it is read by.
        output_tokens=option.expected_output_tokens,
    )


def _count_readers(steps: Sequence[Step]) -> dict[str, int]:
    """How many steps of models read each open step."""
    names = {step.name for step in steps}
    counts: dict[str, int] = {}
    for step in steps:
        if _by_models(step):
            for name in names.intersection(_sources(step)):
                counts[name] = counts.get(name, 0) + 1
    return counts


def _reads(step: Step, readers: Mapping[str, int]) -> bool:
    return not readers.keys().isdisjoint(_sources(step))


def _sources(step: Step) -> tuple[str, ...]:
    """What a step reads, but for documents that it does not name."""
    return step.requires if step.reads is None else step.reads


def _by_models(step: Step) -> list[StepOption]:
    return [option for option in step.options if option.executor in MODEL_EXECUTORS]


def _is_dearer(option: StepOption, access: ModelAccess, tier: ModelRole) -> bool:
    if option.executor not in MODEL_EXECUTORS:
        return False
    price, most = _input_price(access.role_of(option)), _input_price(tier)
    return price is not None and most is not None and price > most


def _input_price(role: ModelRole) -> int | None:
    """What tokens of input cost. None where nobody knows."""
    try:
        return role.prices.quote(role.model, SAMPLE_TOKENS, 0)
    except PriceUnknown:
        return None
