"""The prompt of one step for a model, the same where it is counted and where it is sent."""

from collections.abc import Mapping

from thrifty.executors.payload import CONVERSATION
from thrifty.executors.protocol import Work
from thrifty.executors.reading_text import length_request, messages_to_answer, reading_text
from thrifty.models.roles.agent_models import ModelPrompt
from thrifty.models.roles.model_role import ModelRole
from thrifty.prompts import render_prompt


def step_prompt(work: Work, role: ModelRole, prompts: Mapping[str, str]) -> ModelPrompt:
    """What a model is asked for a piece of work, whole, with all that it reads.

    Args:
        work: the work.
        role: whose model is asked.
        prompts: the text of every prompt, by its name.
    """
    tool = None if work.shape is None else dict(work.shape.schema)
    kind = work.option.payload.get("prompt", "polish" if work.revises else "generic")
    if kind == CONVERSATION:
        return ModelPrompt(role.name, messages=tuple(messages_to_answer(work)), tool=tool)
    usual = "polish" if work.revises else "generic"
    values = {
        "task": work.task,
        "assignment": work.instruction,
        "results": reading_text(work),
        "length": length_request(work),
    }
    # A kind that has no prompt of its own gets the usual one.
    template = prompts.get(kind, prompts[usual])
    return ModelPrompt(role.name, render_prompt(template, values).strip(), tool=tool)
