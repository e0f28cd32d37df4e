"""The agent as a node of a graph whose state has keys of its own."""

from collections.abc import Callable, Mapping
from typing import Any

from langchain_core.runnables import Runnable, RunnableConfig, RunnableLambda

from thrifty.graph.agent import BudgetAgent
from thrifty.nodes.context import Context
from thrifty.nodes.state import Input, Output


def as_node(
    agent: BudgetAgent,
    *,
    read: Callable[[Any], Input],
    write: Callable[[Output], Mapping[str, Any]],
    context: Mapping[str, Any] | None = None,
) -> Runnable[Any, dict[str, Any]]:
    """A node that maps the parent's keys to the agent's, and back.

    A parent that shares the agent's keys can add the agent as a node directly. With other keys
    LangGraph would run it on an empty input and say nothing, so use this.

    Args:
        agent: what `create_budget_agent` returned.
        read: from the parent's state to the agent's input. Hand the budget down here.
        write: from the agent's result to an update of the parent's state.
        context: settings of the run. Without it, those fields of the parent's own context
            count that are named like ours.

    Raises:
        InvalidInput: a setting is unknown or out of its bounds.

    Example:
        `as_node(agent, read=lambda s: {"task": s["question"], "budget": s["limits"]},
        write=lambda result: {"answer": result["draft"]})`
    """

    settings: dict[str, Any] = {} if context is None else {"context": Context(**context)}

    def run(state: Any, config: RunnableConfig) -> dict[str, Any]:
        output: Any = agent.invoke(read(state), config, **settings)
        return dict(write(output))

    async def arun(state: Any, config: RunnableConfig) -> dict[str, Any]:
        output: Any = await agent.ainvoke(read(state), config, **settings)
        return dict(write(output))

    return RunnableLambda(run, arun, name="thrifty")
