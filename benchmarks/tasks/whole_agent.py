"""Runs the whole agent on a task at a budget, against a server on loopback."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from langchain_core.tools import BaseTool

from benchmarks.tasks.budgets import BUDGETS, CHEAP, STRONG
from benchmarks.tasks.load import BenchmarkTask
from tests.harness.llm_server import LLMServer, Request
from thrifty import Budget, MemoryLedger, Model, Settings, StepOption, create_budget_agent
from thrifty.graph.agent import BudgetAgent
from thrifty.models.costs import input_bound
from thrifty.models.costs.usage import Usage
from thrifty.run.facts import Run

MODELS = {"strong": Model("gpt-5", price=STRONG), "cheap": Model("gpt-5-mini", price=CHEAP)}
PLENTY = Budget(max_tokens=10_000_000)

GivenAs = Literal["executors", "tools"]
"""How an agent is handed the tools of a task: with `tools`, a model can call them by itself."""
PlanSteps = Literal["auto", "always", "never"]


@dataclass(frozen=True, slots=True)
class AgentRun:
    """What a run planned, ended with, and sent."""

    first_plan: dict[str, Any]
    result: dict[str, Any]
    requests: Sequence[Request]
    """In the order in which they came."""

    @property
    def tokens(self) -> int:
        """By the server's bill."""
        return sum(request.bill.total_tokens for request in self.requests)

    @property
    def usd(self) -> Decimal:
        """Likewise."""
        return sum(map(_usd, self.requests), Decimal(0))


def count_as_openai() -> None:
    """The server on loopback counts tokens as OpenAI does, and is taken to from now on."""
    input_bound.OPENAI_HOSTS = (*input_bound.OPENAI_HOSTS, ".127.0.0.1")


def direct_answer(task: BenchmarkTask, server: LLMServer) -> StepOption:
    """The direct answer of the strong model without tools, as the planner has it."""
    agent = create_budget_agent(
        settings=Settings("sk-test", server.base_url, "chat", models={"strong": MODELS["strong"]})
    )
    given = {"task": task.text, "documents": dict(task.documents), "budget": PLENTY.to_state()}
    (chosen,) = agent.invoke(given, context={"plan_steps": "never"})["plan"]["chosen"]
    return StepOption.from_state(chosen)


def given_budgets(
    tasks: Iterable[BenchmarkTask], server: LLMServer
) -> Mapping[str, Mapping[str, Budget]]:
    """The budgets of each task by its id, from the estimates of today."""
    return {
        task.id: {
            name: budget(direct_answer(task, server), task.words)
            for name, budget in BUDGETS.items()
        }
        for task in tasks
    }


def run_agent(
    task: BenchmarkTask,
    budget: Budget,
    tools: Iterable[BaseTool],
    server: LLMServer,
    *,
    given_as: GivenAs = "executors",
    plan_steps: PlanSteps = "auto",
) -> AgentRun:
    """One run, from its first plan to its end.

    Args:
        task: what is asked.
        budget: its limits.
        tools: what there is beside the models.
        server: who answers. Its requests of before are not counted.
        given_as: how the agent is handed the tools.
        plan_steps: whether a model is asked for steps.
    """
    before, agent = len(server.requests), _make_agent(tools, server, given_as)
    given = {"task": task.text, "documents": dict(task.documents), "budget": budget.to_state()}
    if task.words:
        given["words"] = task.words
    plans, result = [], {}
    context = {"plan_steps": plan_steps}
    for mode, told in agent.stream(given, context=context, stream_mode=["updates", "values"]):
        if mode == "values":
            result = told
        elif "plan" in told:
            plans.append(told["plan"]["plan"])
    return AgentRun(plans[0], result, server.requests[before:])


def option_values(
    facts: Run, tools: Iterable[BaseTool], server: LLMServer, given_as: GivenAs = "executors"
) -> dict[str, dict[str, float]]:
    """What each option of a run is worth by the priors of now: by its step and its name.

    Args:
        facts: the run, with the steps that its task was taken apart into.
        tools: that it had.
        server: whose models it had.
        given_as: how it was handed the tools.
    """
    steps = _make_agent(tools, server, given_as).services.steps(facts, facts["name"])
    return {step.name: {option.name: option.value for option in step.options} for step in steps}


def _make_agent(tools: Iterable[BaseTool], server: LLMServer, given_as: GivenAs) -> BudgetAgent:
    handed: dict[str, Any] = (
        {"tools": [*tools]} if given_as == "tools" else {"executors": {t.name: t for t in tools}}
    )
    settings = Settings("sk-test", server.base_url, "chat", models=MODELS)
    return create_budget_agent(settings=settings, ledger=MemoryLedger(), **handed)


def _usd(request: Request) -> Decimal:
    price = next(model.price for model in MODELS.values() if model.name == request.model)
    usd = price.usd(Usage(request.bill.input_tokens, request.bill.output_tokens)) if price else None
    assert usd is not None
    return usd
