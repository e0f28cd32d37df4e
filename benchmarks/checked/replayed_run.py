"""One run of the agent: ten questions as ten steps, on one budget."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from statistics import mean, stdev
from typing import Any

from langgraph.store.base import BaseStore
from rs_bpe.bpe import openai

from benchmarks.checked.questions import ROLES, Question
from benchmarks.checked.replies import MODELS
from benchmarks.checked.tally import EndedRun
from benchmarks.checked.text_check import check_arithmetic
from tests.harness.llm_server import LLMServer
from thrifty import Model, Settings, Spend, Step, StepOption, TokenPrice, create_budget_agent
from thrifty.graph.agent import BudgetAgent
from thrifty.options import priors

PRICES = {
    "strong": TokenPrice(input_usd=10, output_usd=30),
    "cheap": TokenPrice(input_usd=0.6, output_usd=0.6),
}
"""Dollars per million tokens, as they were when the answers were written."""
TASK = "Solve questions of school mathematics."
PROMPT_TOKENS = 150
"""What a request takes beside its question, about."""
QUESTIONS_A_RUN = 10
PLENTY = {"max_cost_usd": 5}
KIND = "school mathematics"
CHECK = "arithmetic"
VALUE = 10.0
"""What a right answer is worth."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What answers of a model came to on other questions."""

    output_tokens: int
    spread: float


def expect(questions: Sequence[Question]) -> Mapping[str, Expected]:
    """By role, what the logged answers to these questions let expect of others."""
    found = {}
    for role in ROLES:
        lengths = [count_tokens(question.answers[role].text) for question in questions]
        found[role] = Expected(round(mean(lengths)), stdev(lengths) / mean(lengths))
    return found


def make_steps(
    questions: Sequence[Question], expected: Mapping[str, Expected], roles: Sequence[str] = ROLES
) -> list[Step]:
    """A step a question, with an option for each model."""
    return [_make_step(place, each, expected, roles) for place, each in enumerate(questions, 1)]


def make_agent(
    questions: Sequence[Question],
    expected: Mapping[str, Expected],
    server: LLMServer,
    roles: Sequence[str] = ROLES,
    **given: Any,
) -> BudgetAgent:
    """The agent with these questions as its recipe, at a server that has their answers."""
    models = {
        role: Model(
            name, base_url=server.base_url, api="chat", encoding="o200k_base", price=PRICES[role]
        )
        for role, name in MODELS.items()
    }
    return create_budget_agent(
        catalog=make_steps(questions, expected, roles),
        models=models,
        settings=Settings(),
        checks={CHECK: check_arithmetic},
        **given,
    )


def run_agent(
    questions: Sequence[Question],
    expected: Mapping[str, Expected],
    cap_nano_usd: int | None,
    server: LLMServer,
    store: BaseStore | None = None,
    roles: Sequence[str] = ROLES,
    **context: Any,
) -> EndedRun:
    """Runs the agent on these questions.

    Args:
        questions: a step each.
        expected: what answers came to on other questions.
        cap_nano_usd: of the whole run. None: no limit.
        server: that has the answers.
        store: where it learns from. None: nowhere.
        roles: the models that may answer.
        context: settings of the run.
    """
    agent = make_agent(questions, expected, server, roles, store=store)
    budget = {"max_cost_nano_usd": cap_nano_usd} if cap_nano_usd is not None else PLENTY
    given = {"task": TASK, "budget": budget}
    settings = {"propose_options": False, "learn": store is not None, **context}
    first_plan: Mapping[str, Any] | None = None
    state: Any = None
    for state in agent.stream(given, context=settings, stream_mode="values"):
        first_plan = first_plan or state.get("plan")
    return EndedRun(first_plan or {"chosen": []}, state["outcomes"], state)


@cache
def count_tokens(text: str) -> int:
    """How many tokens a text has."""
    return len(openai.o200k_base().encode(text))


def _make_step(
    place: int, question: Question, expected: Mapping[str, Expected], roles: Sequence[str]
) -> Step:
    name = f"Question {place}"
    options = tuple(_make_option(name, role, question, expected[role]) for role in roles)
    return Step(name, options, kind=KIND, check=CHECK)


def _make_option(name: str, role: str, question: Question, expected: Expected) -> StepOption:
    read = PROMPT_TOKENS + count_tokens(question.text)
    price = PRICES[role]
    cost_nano_usd = round(
        (read * price.input_usd + expected.output_tokens * price.output_usd) * 1_000
    )
    quality = priors.model_quality(role)
    return StepOption(
        name=f"{name} ({role})",
        step=name,
        executor="llm",
        description=question.text,
        estimate=Spend(read + expected.output_tokens, cost_nano_usd, 0, 1),
        value=VALUE * quality,
        spread=expected.spread,
        payload={"model": role},
        output_tokens=expected.output_tokens,
        quality=quality,
    )
