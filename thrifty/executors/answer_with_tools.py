"""The executor `llm with tools`: a model that may call tools answers, LangChain's `create_agent`.

Its model books each call on the step in which it works, and the callback guard counts its tools. So
it gets as far as the step's reservation and no further.
"""

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Any

from thrifty.budget import InvalidInput
from thrifty.executors.answer_shape import AnswerShape
from thrifty.executors.model_access import ROLE_FIELD
from thrifty.executors.output_text import output_data, output_text
from thrifty.executors.protocol import Result, Work, WorkFunction
from thrifty.executors.reading_text import messages_to_answer
from thrifty.models.agent_models import Models


def name_tools(tools: Sequence[Any]) -> dict[str, Any]:
    """LangChain tools by their names, functions made into such tools.

    Raises:
        InvalidInput: one is neither, or two have the same name.
    """
    if isinstance(tools, str) or not isinstance(tools, Sequence):
        raise InvalidInput("tools", tools, "use a list of LangChain tools or functions")
    named: dict[str, Any] = {}
    for thing in tools:
        tool = _as_tool(thing)
        if named.setdefault(tool.name, tool) is not tool:
            raise InvalidInput("tools", tool.name, "give each tool a name of its own")
    return named


def make_agent(models: Models, tools: Sequence[Any]) -> WorkFunction | None:
    """Answers with a model of the deployment and these tools.

    Returns:
        None without tools, or where the extra `langchain` is not installed.
    """
    if not tools or find_spec("langchain") is None:
        return None

    def answer(work: Work) -> Result | str:
        from langchain.agents import create_agent  # half a second: only when it is called

        model = models.for_step(str(work.option.payload[ROLE_FIELD]))
        agent: Any = create_agent(model, list(tools), response_format=_ask_for(work.shape))
        return _read_answer(agent.invoke({"messages": messages_to_answer(work)}))

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
