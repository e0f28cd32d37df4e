"""What a person is asked about a call with effects outside, and what the answer may say.

Before a call that has to be approved (`about` is `call`):

| answer | what happens |
|---|---|
| `"go"` | it is called with the input that is shown |
| `{"input": …}` | it is called with this input instead |
| `"leave_out"` | it is not called |

After a call that failed, or of which nobody knows whether it happened (`about` is `effect`):

| answer | what happens |
|---|---|
| `"again"` | it is called once more |
| `"done"`, `{"done": "what came of it"}` | it has happened, and counts as done |
| `"leave_out"` | it is left as it is |
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from thrifty.budget import InvalidInput, validate
from thrifty.budget.plain_text import trim_text

APPROVAL_FORMS = 'answer "go", {"input": …} or "leave_out"'
EFFECT_FORMS = 'answer "again", "done", {"done": "what came of it"} or "leave_out"'
UNKNOWN = "it was called, and nobody knows whether it happened"
DONE = "Done."
"""What a call is said to have come to that has written nothing."""
FAILED = "its call failed, and may have had its effect all the same"


class CallQuestion(TypedDict):
    """What the interrupt carries that asks about one call."""

    about: Literal["call", "effect"]
    """A call before it is made, or one that was made and did not come back."""
    question: str
    reason: str
    """What the call does, or what is known of it."""
    executor: str
    """What is called: an executor or a tool."""
    step: str
    """The step that it is for. Empty for a tool of an agent of your own."""
    task: str
    """What the run was asked to do. Empty for a tool of an agent of your own."""
    attempt: int
    """Which call of it for this step it is, from 1. Only a person lets there be a second one."""
    input: Any
    """What it is called with, where it takes an input of its own."""
    results: Mapping[str, Any]
    """What it reads, by name: of each result its `text` and its `data`."""
    draft: str
    """What it is to revise of the draft."""
    answers: str
    error: NotRequired[str]
    """What was wrong with the last answer."""


@dataclass(frozen=True, slots=True)
class CallAnswer:
    """A person's answer, read and checked."""

    action: Literal["go", "again", "done", "leave_out"]
    text: str = ""
    """What came of a call that a person knows to have happened."""
    edited: tuple[Any, ...] = ()
    """The input that a person wants instead. Empty where it stays."""


def read_approval(given: object) -> CallAnswer:
    """Reads what a person answered who was asked before a call.

    Raises:
        InvalidInput: it says none of what `APPROVAL_FORMS` lists.
    """
    if given == "go":
        return CallAnswer("go")
    if given == "leave_out":
        return CallAnswer("leave_out")
    if isinstance(given, Mapping) and set(given) == {"input"}:
        return CallAnswer("go", edited=(given["input"],))
    raise InvalidInput("answer", given, APPROVAL_FORMS)


def read_effect(given: object) -> CallAnswer:
    """Reads what a person answered who was asked what became of a call.

    Raises:
        InvalidInput: it says none of what `EFFECT_FORMS` lists.
    """
    if given == "again":
        return CallAnswer("again")
    if given == "leave_out":
        return CallAnswer("leave_out")
    if given == "done":
        return CallAnswer("done")
    if isinstance(given, Mapping) and set(given) == {"done"}:
        text = validate.text("answer.done", given["done"])
        return CallAnswer("done", trim_text(text))
    raise InvalidInput("answer", given, EFFECT_FORMS)
