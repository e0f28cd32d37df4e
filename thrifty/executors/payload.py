"""What an option may hand to its executor: plain data, and for local work a known template."""

from thrifty.budget import StepOption, validate
from thrifty.executors.plain_json import plain_json

TEMPLATES = ("deliverables", "generic", "outline", "risks", "tidy", "timeline")
"""What the local executor can write."""
CONVERSATION = "conversation"
"""Asks a model with the conversation itself, and no words of ours."""
PROMPTS = (CONVERSATION, "generic", "outline", "polish", "risks", "timeline")
"""What a model can be asked for."""
PAYLOAD_FIELDS = {"llm": ("prompt", "model", "words"), "local": ("template",)}
"""What the built-in executors read."""

MODEL_LENGTH_MAX = 200
WORDS_MAX = 100_000


def is_conversation(option: StepOption) -> bool:
    """Whether a model is asked with the conversation itself."""
    return option.executor == "llm" and option.payload.get("prompt") == CONVERSATION


def check_payload(option: StepOption) -> None:
    """Refuses what would fail after money was spent: in a checkpoint, or in the executor."""
    where = f"option {option.name!r}.payload"
    if not option.payload:
        return
    plain_json(where, dict(option.payload))
    if option.executor in PAYLOAD_FIELDS:  # what others read, only who wrote them knows
        validate.record(where, option.payload, PAYLOAD_FIELDS[option.executor])
        validate.choice(f"{where}.prompt", option.payload.get("prompt", "generic"), PROMPTS)
        validate.choice(f"{where}.template", option.payload.get("template", "generic"), TEMPLATES)
        validate.text(
            f"{where}.model", option.payload.get("model", "any"), maximum=MODEL_LENGTH_MAX
        )
        words = option.payload.get("words", 1)
        validate.amount(f"{where}.words", words, minimum=1, maximum=WORDS_MAX)
