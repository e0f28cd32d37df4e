"""The agent: its nodes and edges, in the order of a run."""

from collections.abc import Mapping
from functools import partial

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Checkpointer

from thrifty.budget import Budget, check_steps
from thrifty.budget.limits import BUDGET_DEFAULT
from thrifty.executors.catalog import Catalog, CatalogSource
from thrifty.executors.registry import Executors, warm_up
from thrifty.graph.routes import by_direction, to_executors
from thrifty.ledger.memory import MemoryLedger
from thrifty.ledger.protocol import Ledger
from thrifty.ledger.run_clock import RunClock
from thrifty.models.metered import Models
from thrifty.nodes.approve import approve
from thrifty.nodes.check_spend import check_spend
from thrifty.nodes.context import Context
from thrifty.nodes.finish import finish
from thrifty.nodes.generate_options import generate_options
from thrifty.nodes.plan import plan
from thrifty.nodes.route import route
from thrifty.nodes.run_llm import run_llm
from thrifty.nodes.run_local import run_local
from thrifty.nodes.services import Services
from thrifty.nodes.state import Input, Output, State
from thrifty.settings import Settings

BudgetAgent = CompiledStateGraph[State, Context, Input, Output]


def create_budget_agent(
    *,
    budget: Budget = BUDGET_DEFAULT,
    catalog: CatalogSource = None,
    executors: Mapping[str, object] | None = None,
    settings: Settings | None = None,
    ledger: Ledger | None = None,
    checkpointer: Checkpointer = None,
) -> BudgetAgent:
    """An agent that does as much of a task as its budget allows, and never spends more.

    Args:
        budget: the limits of a run that is given none in its input or context.
        catalog: steps and options: a path to a YAML file, a mapping of that form, or steps;
            the built-in nine options by default.
        executors: your own, by the name that options call them: functions, LangChain tools,
            or any Runnable.
        settings: key, server and prices; from the environment by default.
        ledger: where money is reserved and settled; in memory by default.
        checkpointer: makes runs durable, so that they can wait for a person and be resumed.

    Returns:
        A compiled LangGraph graph; its input is `{"task": …, "budget": {…}}` or messages, its
        output has `draft`, `status`, `spend`, `plan`, `receipt` and `messages`.

    Raises:
        InvalidInput: the catalog, an executor or a setting cannot be used.
    """
    registry = Executors.of(executors)
    steps = Catalog.of(catalog).steps
    check_steps(steps, registry.names)
    models = Models(settings or Settings.from_environment())
    models.warm_up()
    warm_up()
    services = Services(steps, registry, models, ledger or MemoryLedger(), RunClock(), budget)
    return build(services).compile(checkpointer=checkpointer, name="thrifty")


def build(services: Services) -> StateGraph[State, Context, Input, Output]:
    """The whole run."""
    graph = StateGraph(State, context_schema=Context, input_schema=Input, output_schema=Output)

    graph.add_node("generate_options", partial(generate_options, services=services))
    graph.add_node("plan", partial(plan, services=services))
    graph.add_node("route", partial(route, services=services))
    graph.add_node("run_llm", partial(run_llm, services=services))
    graph.add_node("run_local", partial(run_local, services=services))
    graph.add_node("check_spend", partial(check_spend, services=services))
    graph.add_node("approve", partial(approve, services=services))
    graph.add_node("finish", partial(finish, services=services))

    graph.add_edge(START, "generate_options")
    graph.add_edge("generate_options", "plan")
    graph.add_edge("plan", "route")
    graph.add_conditional_edges("route", to_executors, ["run_llm", "run_local", "check_spend"])
    graph.add_edge("run_llm", "check_spend")
    graph.add_edge("run_local", "check_spend")
    graph.add_conditional_edges("check_spend", by_direction, ["route", "plan", "approve", "finish"])
    graph.add_conditional_edges("approve", by_direction, ["plan", "finish"])
    graph.add_edge("finish", END)
    return graph
