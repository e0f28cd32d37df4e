"""The conversation that a run answers: which messages it is, how long, and what of it fits."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from langchain_core.messages import (
    AnyMessage,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    convert_to_openai_messages,
)

from thrifty.budget import InvalidInput
from thrifty.budget.plain_text import LONE_SURROGATE
from thrifty.models.roles.asked import Asked
from thrifty.run.facts import Run


def read_conversation(run: Run, messages: Sequence[AnyMessage]) -> list[AnyMessage]:
    """What a run is asked by: its messages among those of its thread, or else its task."""
    ids = set(run["conversation"])
    said = [_with_whole_characters(message) for message in messages if message.id in ids]
    return said or [HumanMessage(run["task"])]


def _with_whole_characters(message: AnyMessage) -> AnyMessage:
    """A message as it can be sent: half a character, as of a cut emoji, has no form in UTF-8."""
    content = _mend(message.content)
    return (
        message if content == message.content else message.model_copy(update={"content": content})
    )


def _mend(value: Any) -> Any:
    if isinstance(value, str):
        return LONE_SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_mend(each) for each in value]
    return {key: _mend(each) for key, each in value.items()} if isinstance(value, dict) else value


def message_ids(messages: Sequence[BaseMessage]) -> list[str]:
    """The names of messages in a state."""
    return [str(message.id) for message in messages]


def measure(messages: Sequence[BaseMessage]) -> Asked:
    """How long messages are, about: what estimates need, and no bound.

    Raises:
        InvalidInput: a message holds what no model can be sent.
    """
    try:
        body: Mapping[str, Any] = {"messages": convert_to_openai_messages(list(messages))}
    except (ValueError, TypeError) as error:
        remedy = "use texts, images and files in the form that LangChain gives them"
        raise InvalidInput("messages", type(error).__name__, remedy) from error
    return Asked.of(body)


def trim_oldest(
    messages: Sequence[AnyMessage], fits: Callable[[Sequence[AnyMessage]], bool]
) -> Sequence[AnyMessage]:
    """The newest messages that fit, from one of a person's on, with the system's before them.

    Where not even the last of a person's fits, all are kept: then their length is not the reason.

    Args:
        messages: the whole conversation.
        fits: whether an answer to some of them can be had.
    """
    system = [message for message in messages if isinstance(message, SystemMessage)]
    others = [message for message in messages if not isinstance(message, SystemMessage)]
    starts = [place for place, each in enumerate(others) if isinstance(each, HumanMessage)]

    def kept_from(place: int) -> list[AnyMessage]:
        return [*system, *others[place:]]

    def fits_from(place: int) -> bool:
        return fits(kept_from(place))

    if not starts or fits(messages) or not fits_from(starts[-1]):
        return messages
    low, high = 0, len(starts) - 1  # the last one fits
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if fits_from(starts[middle]) else (middle + 1, high)
    return kept_from(starts[high])
