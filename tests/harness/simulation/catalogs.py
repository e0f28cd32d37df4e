"""Steps to do, drawn at random, and the code that does some of them."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING, Any

from tests.harness.simulation.audit import STEPS
from tests.harness.simulation.provider import PRICES
from tests.harness.simulation.stand_ins import BASE_URL, own_client, served
from thrifty import Settings, create_budget_agent, metered
from thrifty.budget import Spend, Step, StepOption
from thrifty.executors.protocol import Result, Work

if TYPE_CHECKING:
    from tests.harness.simulation.world import World

MODELS = {"strong": "gpt-5", "cheap": "gpt-5-mini", "house": "house"}
"""By role."""
CODE = ("tool", "chain", "guarded", "agent")
NANO_PER_MS = 1_000_000
SETTINGS = Settings("sk-simulated", BASE_URL, "chat", prices=PRICES, models=MODELS)
INNER_BUDGET = {"max_tokens": 1_500, "max_tool_calls": 2}


def catalog(dice: Random, name: str) -> tuple[Step, ...]:
    """One to four steps, some of which need others, and sometimes a revision at the end."""
    steps = [_section(dice, name, i) for i in range(dice.choice((1, 2, 2, 3, 4)))]
    if dice.random() < 0.3:
        options = (
            _asked(dice, f"{name} polish", "strong"),
            _local(f"{name} polish", {"template": "tidy"}),
        )
        steps.append(Step(f"{name} polish", options, role="revision"))
    return tuple(steps)


def _section(dice: Random, name: str, i: int) -> Step:
    step = f"{name} step {i}"
    options = [_asked(dice, step, role) for role in MODELS if dice.random() < 0.5]
    if dice.random() < 0.4:
        options.append(_coded(dice, step, dice.choice(CODE)))
    if not options or dice.random() < 0.5:
        options.append(_local(step, {}))
    requires = (f"{name} step {dice.randrange(i)}",) if i and dice.random() < 0.3 else ()
    return Step(step, tuple(options), requires=requires)


def _asked(dice: Random, step: str, role: str) -> StepOption:
    spend = Spend(dice.choice((250, 500, 900)), 0, dice.choice((100, 800)), 1)
    value = 4 + 4 * dice.random()
    return StepOption(
        f"{step} ({role})", step, "llm", f"Write {step}.", spend, value, payload={"model": role}
    )


def _coded(dice: Random, step: str, code: str) -> StepOption:
    spend = Spend(dice.choice((900, 1_800)), 9_000_000, 300, dice.choice((1, 2, 3)))
    return StepOption(f"{step} ({code})", step, code, "Do it.", spend, 5 + 4 * dice.random())


def _local(step: str, payload: dict[str, Any]) -> StepOption:
    return StepOption(
        f"{step} (local)", step, "local", "Write it.", Spend(60, 0, 5), 2.0, payload=payload
    )


def executors(world: World, dice: Random) -> dict[str, Callable[[Work], Result | str]]:
    """Somebody else's code: a tool, a chain with a metered model, one with a guarded model."""

    def tool(work: Work) -> Result | str:
        world.schedule.pause(dice.choice((1, 40, 700)) * NANO_PER_MS)
        world.reach(f"the tool works on {work.option.step}")
        if dice.random() < 0.15:
            raise RuntimeError("the tool broke")
        declared = work.option.estimate
        if dice.random() < 0.5:
            return "What the tool found."
        return Result("What the tool found.", spend=Spend(declared.tokens // 2, 0, 0, 1))

    def chain(work: Work) -> str:
        model = metered(own_client("gpt-5-mini"), prices=PRICES)
        return _said(model, work, dice, world, {})

    def guarded(work: Work) -> str:
        return _said(own_client("gpt-5-mini"), work, dice, world, {"max_completion_tokens": 200})

    def agent(work: Work) -> str:
        inner = create_budget_agent(
            catalog=_inner(work.option.step), settings=SETTINGS, ledger=world.books.ledger()
        )
        asked: Any = {"task": work.task, "budget": INNER_BUDGET, "run_id": work.option.step}
        with served(inner):
            return str(inner.invoke(asked, context={"propose_options": False})["draft"])

    code = {"tool": tool, "chain": chain, "guarded": guarded, "agent": agent}
    return {name: _watched(world, each) for name, each in code.items()}


def _inner(step: str) -> tuple[Step, ...]:
    """What an agent within a step of another does."""
    spend = Spend(300, 0, 100, 1)
    payload = {"model": "cheap"}
    return tuple(
        Step(
            f"{step} part {i}",
            (
                StepOption(
                    f"{step} part {i} (cheap)",
                    f"{step} part {i}",
                    "llm",
                    f"Write part {i} of {step}.",
                    spend,
                    5.0,
                    payload=payload,
                ),
                _local(f"{step} part {i}", {}),
            ),
        )
        for i in (1, 2)
    )


def _said(model: Any, work: Work, dice: Random, world: World, cap: dict[str, int]) -> str:
    """One to three questions, whose failures are swallowed now and then."""
    said = ""
    for number in range(dice.choice((1, 2, 3))):
        world.reach(f"the code of {work.option.step} asks its question {number + 1}")
        try:
            said += str(model.invoke(f"{work.task} {work.option.step} {number}", **cap).text)
        except Exception:
            if dice.random() < 0.5:
                raise
    return said


def _watched(world: World, code: Callable[[Work], Result | str]) -> Callable[[Work], Result | str]:
    """The code, of which the audit knows for which step it works."""

    def work_on(work: Work) -> Result | str:
        token = STEPS.set((*STEPS.get(), world.last_sent[world.schedule.actor]))
        try:
            return code(work)
        finally:
            STEPS.reset(token)

    return work_on
