"""What commands share: what a person can answer to a run, in the words and options of commands."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from thrifty.budget import InvalidInput
from thrifty.cli.input_file import parse_json

FINISH, GO, RAISE, LEAVE_OUT = "finish", "go", "raise", "leave out"
EDIT, AGAIN, DONE, ANSWER = "edit", "again", "done", "answer"


class PossibleAnswer(NamedTuple):
    """One thing that can be answered."""

    word: str
    """What a person types."""
    effect: str
    """What happens then."""
    option: str
    """How `thrifty resume` says the same."""


def choices(question: Any) -> list[PossibleAnswer]:
    """What can be answered to a question. An executor's own is answered with a text."""
    match question:
        case {"about": "call", "step": step, "executor": called, "input": given}:
            edit = PossibleAnswer(EDIT, "change the input first", "--input TEXT")
            return [
                PossibleAnswer(GO, "call it with what is shown", "--go"),
                *([] if given is None else [edit]),
                PossibleAnswer(LEAVE_OUT, "do not call it", _leave_out(step or called)),
            ]
        case {"about": "effect", "step": step, "executor": called}:
            return [
                PossibleAnswer(DONE, "it has happened, so go on", "--done TEXT"),
                PossibleAnswer(AGAIN, "call it once more", "--again"),
                PossibleAnswer(LEAVE_OUT, "leave it as it is", _leave_out(step or called)),
            ]
        case {"about": "plan" | "budget" as about}:
            return _plan_choices(question, about == "plan")
    return [PossibleAnswer(ANSWER, "what it asks for", "--answer TEXT")]


def _plan_choices(question: Mapping[str, Any], is_plan: bool) -> list[PossibleAnswer]:
    raised = PossibleAnswer(RAISE, "allow what it lacks", "--max-tokens N and the like")
    go_on = "carry out this plan" if is_plan else "go on with what is left"
    return [
        PossibleAnswer(GO, go_on, "--go"),
        *([raised] if question["buys"] else []),
        PossibleAnswer(LEAVE_OUT, "name a step that is not to be done", "--leave-out STEP"),
        PossibleAnswer(FINISH, "end the run with what there is", "--finish"),
    ]


def _leave_out(name: str) -> str:
    return f"--leave-out {json.dumps(name, ensure_ascii=False)}"


def read_value(text: str, before: object = "") -> object:
    """What a person typed: a JSON object or list is data, and so is any JSON in place of data.

    Args:
        text: as it was typed.
        before: what it takes the place of.

    Raises:
        InvalidInput: it has to be data, and is no JSON.
    """
    is_data = not isinstance(before, str) or text.lstrip().startswith(("{", "["))
    try:
        return parse_json(text) if is_data else text
    except (ValueError, RecursionError) as error:
        if isinstance(before, str):
            return text  # a text may begin with a bracket, too
        remedy = f"write JSON, as in {json.dumps(before, ensure_ascii=False, default=str)}"
        raise InvalidInput("input", text, remedy) from error


def answer_from_options(given: Mapping[str, Any], limits: Mapping[str, Any]) -> Any:
    """What the options of `thrifty resume` say. None where they say nothing.

    Args:
        given: the options, by the names of their parameters.
        limits: those of the budget that are to change.

    Raises:
        InvalidInput: they say more than one thing.
    """
    changes: dict[str, Any] = {"budget": dict(limits)} if limits else {}
    if given["leave_out"]:
        changes["leave_out"] = list(given["leave_out"])
    said = [changes] * bool(changes)
    said += [{word: True} for word in (GO, FINISH, AGAIN) if given[word]]
    said += [{word: given[word]} for word in ("input", DONE, ANSWER) if given[word] is not None]
    if len(said) > 1:
        options = ["--" + "/--".join(each).replace("_", "-") for each in said]
        raise InvalidInput("answer", ", ".join(options), "say one of them")
    return said[0] if said else None


def fit_answer(said: Mapping[str, Any], question: object) -> Any:
    """The answer in the form that the question takes.

    Args:
        said: by `answer_from_options`.
        question: what the run waits for. None where it waits for nothing.

    Raises:
        InvalidInput: it does not answer this question.
    """
    match question, said:
        case None | {"about": "plan" | "budget"}, {"go": True} | {"finish": True}:
            return next(iter(said))
        case None | {"about": "plan" | "budget"}, {"budget": _} | {"leave_out": _}:
            return said
        case {"about": "call"}, {"go": True}:
            return GO
        case {"about": "call", "input": before}, {"input": text} if before is not None:
            return {"input": read_value(text, before)}
        case {"about": "call" | "effect", **known}, {"leave_out": [name]} if name in (
            known["step"],
            known["executor"],
        ):
            return "leave_out"
        case {"about": "effect"}, {"again": True}:
            return AGAIN
        case {"about": "effect"}, {"done": text}:
            return {"done": text} if text else DONE
        case _, {"answer": text} if choices(question)[0].word == ANSWER:
            return read_value(text)
    options = _options(said)
    if question is None:
        raise InvalidInput("answer", options, "leave it out: the run asks nothing like that")
    raise InvalidInput("answer", options, f"use {join_options(choices(question))}")


def _options(said: Iterable[str]) -> str:
    return ", ".join(f"--{name.replace('_', '-')}" for name in said)


def join_options(allowed: Iterable[PossibleAnswer]) -> str:
    """The options that answer, in words."""
    *others, last = [choice.option for choice in allowed]
    return f"{', '.join(others)} or {last}" if others else last
