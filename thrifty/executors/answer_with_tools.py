"""The executor `llm with tools`: a model that may call tools answers, LangChain's `create_agent`.

Its model books each call on the step in which it works, and the callback guard counts its tools. So
it gets as far as the step's reservation and no further.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import wraps
from importlib.util import find_spec
from typing import Any

from thrifty.budget import InvalidInput
from thrifty.executors.agent_place import AgentFunction, AgentPlace
from thrifty.executors.answer_shape import AnswerShape
from thrifty.executors.model_access import ROLE_FIELD
from thrifty.executors.output_text import output_data, output_text
from thrifty.executors.protocol import Executor, Result, Work
from thrifty.executors.reading_text import messages_to_answer
from thrifty.models.roles.agent_models import Models


def name_tools(tools: Sequence[Any]) -> dict[str, Executor]:
    """LangChain tools by their names, functions made into such tools, with what is said of them.

    Raises:
        InvalidInput: one is neither, or two have the same name.
    """
    if isinstance(tools, str) or not isinstance(tools, Sequence):
        raise InvalidInput("tools", tools, "use a list of LangChain tools or functions")
    named: dict[str, Executor] = {}
    for thing in tools:
        declared = thing if isinstance(thing, Executor) else Executor(thing)
        tool = _as_tool(declared.fn)
        if tool.name in named:
            raise InvalidInput("tools", tool.name, "give each tool a name of its own")
        named[tool.name] = replace(declared, fn=tool)
    return named


def make_agent(models: Models, tools: Mapping[str, Executor]) -> AgentFunction | None:
    """Answers with a model of the deployment and these tools.

    Args:
        models: of the deployment.
        tools: by their names. Those with effects are called once for a step, and those to be
            approved after a person has said so.

    Returns:
        None without tools, or where the extra `langchain` is not installed.
    """
    if not tools or find_spec("langchain") is None:
        return None
    called = [_as_sync(tool.fn) for tool in tools.values()]
    approve = frozenset(name for name, tool in tools.items() if tool.approve)
    effects = frozenset(name for name, tool in tools.items() if tool.effects)

    def answer(work: Work, place: AgentPlace) -> Result | str:
        from langchain.agents import create_agent  # half a second: only when it is called

        from thrifty.models.guard.held_tools import HeldTools
        from thrifty.models.guard.hold_step_tools import HoldStepTools

        model, messages = _place_model(work, place), messages_to_answer(work)
        held = HoldStepTools(HeldTools(approve, effects), place.tools, len(messages))
        shape = _ask_for(work.shape)
        agent: Any = create_agent(model, called, middleware=[held], response_format=shape)
        return _read_answer(agent.invoke({"messages": messages}))

    def _place_model(work: Work, place: AgentPlace) -> Any:
        model = models.for_step(str(work.option.payload[ROLE_FIELD]))
        # Of its own model alone: what a tool asks another one is no part of the answer.
        model.metadata = {**(model.metadata or {}), **place.metadata}
        model.callbacks = [*(model.callbacks or ()), *place.callbacks]
        return model

    return answer


def _ask_for(shape: AnswerShape | None) -> Any:
    """How an agent is told the shape of its answer: as a function, as a model alone is."""
    from langchain.agents.structured_output import ToolStrategy

    return None if shape is None else ToolStrategy(dict(shape.schema))


def _read_answer(state: Mapping[str, Any]) -> Result | str:
    """The answer at the end of an agent, as data where it gave it in its shape."""
    if state.get("structured_response") is None:
        return output_text(state)
    return Result(data=output_data(state))


def _as_sync(tool: Any) -> Any:
    """A tool as an agent in a thread can call it, also where it was made of a coroutine alone."""
    coroutine = getattr(tool, "coroutine", None)
    if coroutine is None or getattr(tool, "func", None) is not None:
        return tool

    @wraps(coroutine)  # LangChain reads the arguments off it
    def call(*given: Any, **named: Any) -> Any:
        import asyncio  # a twentieth of a second, for those who need it

        return asyncio.run(coroutine(*given, **named))

    return tool.model_copy(update={"func": call})


def _as_tool(thing: Any) -> Any:
    if isinstance(getattr(thing, "name", None), str) and callable(getattr(thing, "invoke", None)):
        return thing
    if not callable(thing) or isinstance(thing, type):
        raise InvalidInput("tools", thing, "use a LangChain tool, or a function with a docstring")
    from langchain_core.tools import tool

    try:
        return tool(thing)
    except (TypeError, ValueError) as error:
        raise InvalidInput("tools", thing, f"make it a LangChain tool ({error})") from error
