"""What an option may hand to its executor: plain data, and for local work a known template."""

import math

from thrifty.budget import InvalidInput, StepOption, validate

TEMPLATES = ("deliverables", "generic", "outline", "risks", "tidy", "timeline")
"""What the local executor can write."""
PROMPTS = ("generic", "outline", "polish", "risks", "timeline")
"""What a model can be asked for."""
PAYLOAD_FIELDS = {"llm": ("prompt", "model"), "local": ("template",)}
"""What the built-in executors read."""

PAYLOAD_DEPTH_MAX = 20
MODEL_LENGTH_MAX = 200
INTEGER_MAX = 2**63 - 1
"""The largest integer a checkpoint holds."""


def check_payload(option: StepOption) -> None:
    """Refuses what would fail after money was spent: in a checkpoint, or in the executor."""
    where = f"option {option.name!r}.payload"
    if not option.payload:
        return
    check_plain(where, option.payload)
    if option.executor in PAYLOAD_FIELDS:  # what others read, only who wrote them knows
        validate.record(where, option.payload, PAYLOAD_FIELDS[option.executor])
        validate.choice(f"{where}.prompt", option.payload.get("prompt", "generic"), PROMPTS)
        validate.choice(f"{where}.template", option.payload.get("template", "generic"), TEMPLATES)
        validate.text(
            f"{where}.model", option.payload.get("model", "any"), maximum=MODEL_LENGTH_MAX
        )


def check_plain(where: str, value: object, depth: int = PAYLOAD_DEPTH_MAX) -> None:
    """Refuses what no checkpoint holds as it is.

    Raises:
        InvalidInput: it is not plain data, or nested too deep.
    """
    if depth == 0:
        raise InvalidInput(where, value, f"nest at most {PAYLOAD_DEPTH_MAX} levels")
    if isinstance(value, dict):
        for key, member in value.items():
            if not isinstance(key, str):
                raise InvalidInput(where, key, "use texts as keys")
            check_plain(f"{where}.{key}", member, depth - 1)
    elif isinstance(value, list | tuple):
        for index, member in enumerate(value):
            check_plain(f"{where}[{index}]", member, depth - 1)
    elif not _is_plain_scalar(value):
        raise InvalidInput(where, value, "use text, finite numbers, true or false, lists, mappings")


def _is_plain_scalar(value: object) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, int):
        return abs(value) <= INTEGER_MAX
    return value is None or isinstance(value, str)
