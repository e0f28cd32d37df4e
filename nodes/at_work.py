"""Puts a node to work: for a run that this invocation holds, and telling what happens."""

from collections.abc import Callable
from contextlib import nullcontext
from inspect import signature
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.errors import GraphInterrupt
from langgraph.runtime import Runtime

from thrifty.nodes.context import Context
from thrifty.nodes.in_time import in_time
from thrifty.nodes.services import Services
from thrifty.nodes.state import known_ms
from thrifty.nodes.teller import Teller
from thrifty.nodes.traced import traced

Node = Callable[..., dict[str, Any]]
NodeInGraph = Callable[[Any, Runtime[Context], RunnableConfig], dict[str, Any]]


def at_work(node: Node, services: Services) -> NodeInGraph:
    """The node as the graph calls it.

    Args:
        node: a function of the state and, where it names them, of `runtime` and `config`.
        services: what it works with.

    Returns:
        A function that raises LeaseLost where another invocation drives the run.
    """
    name = node.__name__
    wanted = signature(node).parameters.keys() & {"runtime", "config"}

    def run(state: Any, runtime: Runtime[Context], config: RunnableConfig) -> dict[str, Any]:
        teller = Teller(name, runtime.stream_writer, services)
        given = {"runtime": runtime, "config": config}
        with _hold(name, state, services), traced(state, config) as told:
            teller.started(state)
            try:
                decided = node(state, services=services, **{part: given[part] for part in wanted})
            except GraphInterrupt as interrupt:
                teller.waiting(state, interrupt)
                raise
            update = in_time(state, decided)
            told(update)
            teller.ended({**state, **update}, update)
        return update

    return run


def _hold(name: str, state: Any, services: Services) -> Any:
    """The run, for as long as the node works; the first node takes it itself, once it is opened."""
    if name == "generate_options":
        services.runs.give_back_what_is_over()
        return nullcontext()
    return services.runs.node(state["run"]["id"], lambda: known_ms(state))
