"""Notes what a run planned and paid."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.tasks.load import BenchmarkTask
from benchmarks.tasks.scripted_replies import asks_for_steps
from benchmarks.tasks.tools import make_tools
from benchmarks.tasks.whole_agent import MODELS, GivenAs, run_agent
from tests.harness.llm_server import LLMServer
from thrifty import Budget
from thrifty.executors.registry import AGENT
from thrifty.options.direct_answer import AGENT_STEP, ANSWER_STEP
from thrifty.run.facts import Run

WORTH = re.compile(r"the plan is worth ([\d.]+), a direct answer ([\d.]+)$")


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
    facts: Run = field(compare=False, repr=False)
    """What was accepted, with the steps that the task was taken apart into."""

    @property
    def in_vain(self) -> bool:
        """Asking brought no more than a direct answer."""
        return self.asked and self.plan in ("direct", "agent with tools", "none")


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
    run = run_agent(task, budget, make_tools(task), server, given_as=given_as)
    limit_usd, spend = budget.max_cost_usd, run.result["spend"]
    share = run.tokens / budget.max_tokens if budget.max_tokens else run.usd / (limit_usd or 0)
    options = [told for told in run.result["decisions"] if told["kind"] == "options"]
    worth = WORTH.search(options[-1]["reason"]) if options else None
    return RunFigures(
        task_id=task.id,
        budget=name,
        asked=any(map(asks_for_steps, run.requests)),
        plan=sort_of(run.first_plan["chosen"]),
        chosen=tuple(option["name"] for option in run.first_plan["chosen"]),
        value=run.first_plan["value"],
        gain=(float(worth[1]), float(worth[2])) if worth else None,
        ways=tuple(_ways(run.first_plan)),
        spent_share=float(share),
        books_right=(spend["tokens"], spend["cost_nano_usd"]) == (run.tokens, run.usd * 10**9),
        status=run.result["status"],
        facts=run.result["run"],
    )


def sort_of(chosen: Sequence[dict[str, Any]]) -> str:
    """Which sort of plan these options are."""
    answers = [option for option in chosen if option["step"] in (ANSWER_STEP, AGENT_STEP)]
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
