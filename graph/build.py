"""The agent: its nodes and edges, in the order of a run."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.graph import END, START, StateGraph
from langgraph.store.base import BaseStore
from langgraph.types import Checkpointer

from thrifty.budget import Budget, InvalidInput, check_steps, validate
from thrifty.checks.check import CheckSource
from thrifty.checks.checks import Checks
from thrifty.executors import registry
from thrifty.executors.answer_shape import AnswerShape
from thrifty.executors.answer_with_tools import make_agent, name_tools
from thrifty.executors.model_access import check_roles
from thrifty.graph.agent import BudgetAgent
from thrifty.graph.routes import by_direction, to_executors
from thrifty.graph.wrap_node import wrap_node
from thrifty.ledger.active_runs import ActiveRuns
from thrifty.ledger.memory import MemoryLedger
from thrifty.ledger.protocol import Ledger
from thrifty.models.roles.agent_models import Models
from thrifty.nodes.approve import approve
from thrifty.nodes.check_spend import check_spend
from thrifty.nodes.context import Context, context_of_roles
from thrifty.nodes.finish import finish
from thrifty.nodes.generate_options import generate_options
from thrifty.nodes.plan import plan
from thrifty.nodes.route import route
from thrifty.nodes.run_llm import run_llm
from thrifty.nodes.run_local import run_local
from thrifty.nodes.state import Input, Output, State
from thrifty.options.direct_answer import who_answers
from thrifty.options.recipe import RecipeSource
from thrifty.options.recipes import Recipes
from thrifty.planning import engines
from thrifty.run.services import Services
from thrifty.settings import ModelSource, Settings


def build(services: Services) -> StateGraph[State, Context, Input, Output]:
    """The whole run: its nodes, and which may follow which."""
    context = context_of_roles(services.models.roles.names)
    graph = StateGraph(State, context_schema=context, input_schema=Input, output_schema=Output)

    for node in (generate_options, plan, route, run_llm, run_local, check_spend, approve, finish):
        action: Any = wrap_node(node, services)  # LangGraph's types know no such signature
        graph.add_node(node.__name__, action)

    graph.add_edge(START, "generate_options")
    graph.add_edge("generate_options", "plan")
    graph.add_conditional_edges("plan", by_direction, ["route", "approve", "finish"])
    graph.add_conditional_edges("route", to_executors, ["run_llm", "run_local", "check_spend"])
    graph.add_edge("run_llm", "check_spend")
    graph.add_edge("run_local", "check_spend")
    graph.add_conditional_edges("check_spend", by_direction, ["route", "plan", "approve", "finish"])
    graph.add_conditional_edges("approve", by_direction, ["route", "plan", "finish"])
    graph.add_edge("finish", END)
    return graph


def create_budget_agent(
    *,
    budget: Budget | None = None,
    catalog: RecipeSource | None = None,
    executors: Mapping[str, object] | None = None,
    tools: Sequence[Any] = (),
    models: Mapping[str, ModelSource] | None = None,
    response_format: type | Mapping[str, Any] | None = None,
    check: CheckSource | None = None,
    checks: Mapping[str, CheckSource] | None = None,
    settings: Settings | None = None,
    ledger: Ledger | None = None,
    account: str | Callable[[RunnableConfig], str] | None = None,
    checkpointer: Checkpointer = None,
    store: BaseStore | None = None,
) -> BudgetAgent:
    """An agent that does as much of a task as its budget allows, and never spends more.

    Args:
        budget: the limits of a run that is given none in its input or context. By default those of
            its recipe, or else 8,000 tokens, 60 seconds and 8 calls.
        catalog: a recipe: a path to a YAML file, a mapping of that form, steps, or `"proposal"`.
            One without phrases is followed for every task. By default a task that asks for a
            project proposal or plan follows the recipe `proposal`, and any other is answered
            directly. `"answer"` answers every task directly.
        executors: your own, by the name that options call them: functions, LangChain tools,
            any Runnable, or an `Executor`, which says more of one of these.
        tools: LangChain tools, or functions, with which a model can answer (extra `langchain`).
            Each is an executor as well, by its name. `Executor(tool, effects=True, approve=True)`
            says of one what it would say of an executor.
        response_format: what the answer has to be: a pydantic class, or a JSON schema of an
            object. The answer is asked for so, checked, and handed back as `structured`.
        check: what a direct answer has to pass: a `Check`, a function of the text, a JSON schema, a
            pydantic class, a compiled regular expression, or a command as a list of words.
        checks: the same by name, for the steps of a recipe that name one in `check`.
        models: the models by role, such as `{"strong": "gpt-5", "cheap": "gpt-5-mini"}`, in
            place of those in the settings: names such as `anthropic:claude-haiku-4-5`, `Model`, or
            chat models of LangChain's.
        settings: models, keys, servers and prices. From the environment by default.
        ledger: where money is reserved and settled, in memory by default.
        account: one that is open in the ledger and that pays for all runs, such as a user's: its
            limits are a ceiling for all of them together, and each run's account stands below
            it. Or a function of the run's configuration that names it, the same name for as
            long as the run lasts, as in
            `account=lambda config: f"user:{authenticated_user(config)}"`. On an Agent Server it
            is given what no client can write: the authenticated user, and the thread.
        checkpointer: makes runs durable, so that they can wait for a person and be resumed.
        store: where bills are kept, so that later runs estimate by them. A server has its own.

    Returns:
        A compiled LangGraph graph. Its input is `{"task": …, "budget": {…}}` or messages, its
        output has `answer`, `draft`, `results`, `structured`, `status`, `spend`, `plan`,
        `receipt` and `messages`.

    Raises:
        InvalidInput: an argument cannot be used: the recipe, an executor, a setting.
        ModelUnavailable: the models' client cannot be made, as under a proxy of no known kind.
    """
    if budget is not None:
        validate.instance("budget", budget, Budget, "Budget(max_tokens=2_200)")
    if settings is not None:
        validate.instance("settings", settings, Settings, 'Settings(api_key="…")')
    settings = settings or Settings.from_environment()
    if models is not None:
        settings = replace(settings, models=models)
    # Anybody's ledger will do, so no class is asked for.
    if ledger is not None and not callable(getattr(ledger, "reserve", None)):
        raise InvalidInput("ledger", ledger, 'use a ledger, as in SqliteLedger("runs.sqlite")')
    if account is not None and not callable(account):
        validate.text("account", account)
    asked, named = Models(settings), name_tools(tools)
    # Beside the agent that answers with them, tools can do steps.
    agent = make_agent(asked, named)
    registered = replace(
        registry.ExecutorRegistry.of(_join(executors, named)),
        agent=agent,
        agent_tools=tuple(named) if agent else (),
    )
    given = Checks.of(checks, check)
    recipes = Recipes.of(catalog, who_answers(asked.roles, registered))
    if recipes.recipe is not None:
        check_steps(recipes.recipe.steps, registered.names)
        check_roles(recipes.recipe.options, asked.roles)
        given.require_known(recipes.recipe.steps)
    shape = AnswerShape.of(response_format)
    if shape is not None and not recipes.can_answer:
        remedy = "let a step of the recipe have the role answer"
        raise InvalidInput("response_format", response_format, remedy)
    # Loaded now, so that it does not count as the first run's latency.
    for part in (asked, registry, engines):
        part.warm_up()
    ledger = ledger or MemoryLedger()
    services = Services(
        recipes=recipes,
        executors=registered,
        models=asked,
        ledger=ledger,
        runs=ActiveRuns(ledger),
        budget=budget,
        shape=shape,
        checks=given,
        payer=account,
    )
    compiled = build(services).compile(checkpointer=checkpointer, store=store, name="thrifty")
    # LangGraph cannot compile into a class of one's own, so its graph is copied into ours.
    return BudgetAgent(**vars(compiled.copy()), services=services)


def _join(
    executors: Mapping[str, object] | None, tools: Mapping[str, object]
) -> Mapping[str, object] | None:
    """Executors with the tools among them."""
    if not tools or not isinstance(executors, Mapping | None):
        return executors  # what is no mapping is refused by the registry
    if same := sorted((executors or {}).keys() & tools.keys()):
        raise InvalidInput("tools", same[0], "choose another name; an executor has it")
    return {**(executors or {}), **tools}
