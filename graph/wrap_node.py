"""Wraps a node for the graph: who pays, the run's lease, its events, and its traces."""

from collections.abc import Callable
from dataclasses import replace
from inspect import signature
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.errors import GraphInterrupt
from langgraph.runtime import Runtime

from thrifty.graph.emit_events import EventEmitter
from thrifty.graph.leases import hold_run
from thrifty.graph.recursion_guard import guard_recursion
from thrifty.graph.traces import trace_step
from thrifty.nodes.context import Context
from thrifty.run.services import Services

Node = Callable[..., dict[str, Any]]
NodeInGraph = Callable[[Any, Runtime[Context], RunnableConfig], dict[str, Any]]


def wrap_node(node: Node, services: Services) -> NodeInGraph:
    """The node as the graph calls it.

    Args:
        node: a function of the state and, where it names them, of `runtime`, `config` and
            `run_id`, the run's account: that follows from the configuration, for each node anew.
        services: what it works with.

    Returns:
        A function that raises LeaseLost where another invocation drives the run.
    """
    name = node.__name__
    wanted = signature(node).parameters.keys() & {"runtime", "config", "run_id"}

    def run(state: Any, runtime: Runtime[Context], config: RunnableConfig) -> dict[str, Any]:
        # The first node finds no run in its state, or the last one of its thread.
        is_first = name == "generate_options"
        run_id = None if is_first else services.run_id(state["run"], config)
        emitter = EventEmitter(name, runtime.stream_writer, run_id or "", services)
        given = {"runtime": runtime, "config": config, "run_id": run_id}
        arguments = {name: given[name] for name in wanted}
        with (
            hold_run(run_id, state, services),
            trace_step(state, config, run_id, services) as record,
        ):
            emitter.node_started(state)
            try:
                update = node(state, services=services, **arguments)
            # A signal of LangGraph's, not a failure: the run is going to wait for a person.
            except GraphInterrupt as interrupt:
                emitter.run_interrupted(state, interrupt)
                raise
            update = guard_recursion(state, update)
            # After the guard: traces and events say what really happens next.
            record(update)
            # With the update, as the first node finds no run in its state.
            if is_first:
                emitter = replace(emitter, run_id=services.run_id(update["run"], config))
            emitter.node_ended({**state, **update}, update)
        return update

    return run
