"""Runs the whole agent on a task at a budget, and notes what it planned and paid."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from benchmarks.tasks.budgets import CHEAP, STRONG
from benchmarks.tasks.load import BenchmarkTask
from benchmarks.tasks.scripted_replies import ASKS_FOR_STEPS
from benchmarks.tasks.tools import make_tools
from tests.harness.llm_server import LLMServer, Request
from thrifty import Budget, MemoryLedger, Model, Settings, StepOption, create_budget_agent
from thrifty.executors.registry import AGENT
from thrifty.models.costs.usage import Usage
from thrifty.options.direct_answer import ANSWER_STEP

MODELS = {"strong": Model("gpt-5", price=STRONG), "cheap": Model("gpt-5-mini", price=CHEAP)}
PLENTY = Budget(max_tokens=10_000_000)
WORTH = re.compile(r"the plan is worth ([\d.]+), a direct answer ([\d.]+)$")

GivenAs = Literal["executors", "tools"]
"""How an agent is handed the tools of a task: with `tools`, a model can call them by itself."""


@dataclass(frozen=True, slots=True)
class RunFigures:
    """One run."""

    task_id: str
    budget: str
    asked: bool
    """Whether a model was asked for steps."""
    plan: str
    """Which sort of plan was made first."""
    chosen: tuple[str, ...]
    """The options of that plan."""
    value: float
    """What it is worth."""
    gain: tuple[float, float] | None
    """The value of the plan with steps, and that of a direct answer, where steps bring more."""
    ways: tuple[int, ...]
    """Where there are steps: how many options each has that a model can do, with the answer."""
    spent_share: float
    """Of the limit, by the server's bill."""
    books_right: bool
    """Whether the receipt says the tokens and the cost of the server's bill."""
    status: str

    @property
    def in_vain(self) -> bool:
        """Asking brought no more than a direct answer."""
        return self.asked and self.plan in ("direct", "agent with tools", "none")


def direct_answer(task: BenchmarkTask, server: LLMServer) -> StepOption:
    """The direct answer of the strong model without tools, as the planner has it."""
    agent = create_budget_agent(
        settings=Settings("sk-test", server.base_url, "chat", models={"strong": MODELS["strong"]})
    )
    given = {"task": task.text, "documents": dict(task.documents), "budget": PLENTY.to_state()}
    (chosen,) = agent.invoke(given, context={"plan_steps": "never"})["plan"]["chosen"]
    return StepOption.from_state(chosen)


def run_task(
    task: BenchmarkTask, name: str, budget: Budget, given_as: GivenAs, server: LLMServer
) -> RunFigures:
    """One run at a server that has a script.

    Args:
        task: what is asked.
        name: what the budget is called.
        budget: its limits.
        given_as: how the agent is handed the tools.
        server: who answers. Its requests of before are not counted.
    """
    before = len(server.requests)
    first_plan, result = _invoke(task, budget, given_as, server)
    requests = server.requests[before:]
    tokens = sum(request.bill.total_tokens for request in requests)
    usd = sum(map(_usd, requests), Decimal(0))
    limit_usd = budget.max_cost_usd
    share = tokens / budget.max_tokens if budget.max_tokens else float(usd / (limit_usd or 0))
    spend, options = result["spend"], [d for d in result["decisions"] if d["kind"] == "options"]
    worth = WORTH.search(options[-1]["reason"]) if options else None
    return RunFigures(
        task_id=task.id,
        budget=name,
        asked=any(request.must_call == ASKS_FOR_STEPS for request in requests),
        plan=_sort_of(first_plan["chosen"]),
        chosen=tuple(option["name"] for option in first_plan["chosen"]),
        value=first_plan["value"],
        gain=(float(worth[1]), float(worth[2])) if worth else None,
        ways=tuple(_ways(first_plan)),
        spent_share=share,
        books_right=(spend["tokens"], spend["cost_nano_usd"]) == (tokens, usd * 10**9),
        status=result["status"],
    )


def _invoke(
    task: BenchmarkTask, budget: Budget, given_as: GivenAs, server: LLMServer
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The first plan and what a run ends with."""
    tools = make_tools(task)
    handed: dict[str, Any] = (
        {"tools": tools} if given_as == "tools" else {"executors": {t.name: t for t in tools}}
    )
    settings = Settings("sk-test", server.base_url, "chat", models=MODELS)
    agent = create_budget_agent(settings=settings, ledger=MemoryLedger(), **handed)
    given = {"task": task.text, "documents": dict(task.documents), "budget": budget.to_state()}
    if task.words:
        given["words"] = task.words
    plans, result = [], {}
    for mode, told in agent.stream(given, stream_mode=["updates", "values"]):
        if mode == "values":
            result = told
        elif "plan" in told:
            plans.append(told["plan"]["plan"])
    return plans[0], result


def _usd(request: Request) -> Decimal:
    price = next(model.price for model in MODELS.values() if model.name == request.model)
    usd = price.usd(Usage(request.bill.input_tokens, request.bill.output_tokens)) if price else None
    assert usd is not None
    return usd


def _sort_of(chosen: Sequence[dict[str, Any]]) -> str:
    answers = [option for option in chosen if option["step"] == ANSWER_STEP]
    if not chosen:
        return "none"
    if not answers:
        return "sections"
    if len(chosen) > 1:
        return "material and answer"
    return "agent with tools" if answers[0]["executor"] == AGENT else "direct"


def _ways(plan: dict[str, Any]) -> list[int]:
    options = {(o["step"], o["name"]) for o in plan["chosen"]}
    options |= {(o["step"], o["option"]) for o in plan["left_out"]}
    if {step for step, _ in options} == {ANSWER_STEP}:
        return []  # nothing was taken apart
    by_model = {step for step, name in options if name.endswith(tuple(f"({r})" for r in MODELS))}
    return [sum(step == each for each, _ in options) for step in sorted(by_model)]
