"""The prompt that asks a model for steps: as a run sends it, and as `thrifty plan` foresees it."""

from collections.abc import Mapping

from thrifty.executors.registry import ExecutorRegistry
from thrifty.options.decomposition_request import describe_request
from thrifty.prompts import render_prompt


def steps_request(
    template: str, task: str, executors: ExecutorRegistry, documents: Mapping[str, str]
) -> str:
    """What a model is asked that is to take a task apart.

    Args:
        template: the prompt, as the context has it.
        task: what is to be done, whole.
        executors: the deployment's.
        documents: the texts that the run was handed, by name.
    """
    return render_prompt(template, describe_request(task, executors, documents))
