"""A plan of a task that was taken apart, against every plan there is.

The oracle knows by itself who pays for reading, what a fee is, what roles ask of a plan, and what
it takes off a plan that leaves no share for a direct answer.
"""

from dataclasses import replace
from decimal import Decimal
from itertools import product
from math import inf
from random import Random

import pytest

from tests.long_cases import long_but
from thrifty import Budget, Model, Settings, Spend, Step, StepOption, TokenPrice
from thrifty.executors.model_access import ModelAccess
from thrifty.models.roles.model_roles import ModelRoles
from thrifty.planning.problem import Problem
from thrifty.run.plan_run import best_of_run, plan_run

INPUT_NANO_USD = {"strong": 2_000, "middle": 900, "cheap": 500}
"""What a token of input costs."""
ROLES = ModelRoles(
    Settings(
        "sk-test",
        models={
            role: Model(role, price=TokenPrice(Decimal(nano) / 1_000, Decimal(8)))
            for role, nano in INPUT_NANO_USD.items()
        },
    )
)
READS = {
    "Digest": ("Found",),
    "Answer": ("Found", "Digest"),
    "Part 1": ("Found", "Digest"),
    "Part 2": ("Found",),
}
"""Who reads what. Where there are sections, an answer beside them reads none of it."""
ROLE_OF = {"Found": "material", "Digest": "material", "Answer": "answer"}


def random_problem(seed: int) -> tuple[Problem, Budget]:
    random = Random(seed)

    def option(step: str, who: str) -> StepOption:
        estimate = Spend(random.randint(50, 900), random.randint(0, 4_000_000), 0, 1)
        asks = who in INPUT_NANO_USD
        return StepOption(
            f"{step} ({who})", step, "llm" if asks else who, "Do it.", estimate,
            random.choice([0.5, 3.0, 12.0, 25.0, 40.0]), 0.0,
            {"model": who} if asks else {}, random.randint(0, 500),
        )  # fmt: skip

    def step(name: str, required: bool = False) -> Step:
        models = random.sample(sorted(INPUT_NANO_USD), random.randint(1, 3))
        who = ["search"] if name == "Found" else models
        return Step(
            name,
            tuple(option(name, each) for each in who),
            reads=READS.get(name, ()),
            role=ROLE_OF.get(name, "section"),
            required=required,
        )

    sections = [step("Part 1", required=True), step("Part 2")] if random.random() < 0.5 else []
    answer = replace(step("Answer"), reads=()) if sections else step("Answer")
    steps = [step("Found"), step("Digest"), *sections, answer]
    given = Budget(random.randint(300, 4_000), random.randint(1, 12) / 1_000, None, 6)
    gone = [steps.pop(2)] if sections and random.random() < 0.2 else []
    done = [steps.pop(-2)] if sections and random.random() < 0.3 else []
    return Problem(tuple(steps), given, risk=0.5, done=tuple(done), lost=tuple(gone)), given


def best_objective(problem: Problem, given: Budget) -> float:
    plans = product(*([None, *step.options] for step in problem.steps))
    tiers = sorted(INPUT_NANO_USD.values())
    return max(
        objective(problem, given, [o for o in plan if o], tier) for plan in plans for tier in tiers
    )


def objective(problem: Problem, given: Budget, chosen: list[StepOption], tier: int) -> float:
    """What a plan is worth less its fees. Minus infinity where it is none at this price."""
    steps = {step.name: step for step in problem.steps}
    names = {option.step for option in chosen}
    if not is_plan(names, problem):
        return -inf
    spent, worth = [0, 0], {}
    for option in chosen:
        step, asks = steps[option.step], option.executor == "llm"
        if asks and step.reads and INPUT_NANO_USD[option.payload["model"]] > tier:
            return -inf
        readers = sum(option.step in each.reads for each in steps.values())
        read = readers * option.output_tokens
        amounts = option.estimate.tokens + read, option.estimate.cost_nano_usd + read * tier
        spent = [sum(pair) for pair in zip(spent, amounts, strict=True)]
        worth[step.name] = less_fee(option, step, given, amounts)
    if not fits(spent, given) or len(chosen) > 6 or None in worth.values():
        return -inf
    if names.isdisjoint({"Answer"}) and "Part 1" in names:
        whole = min(
            steps["Answer"].options, key=lambda o: (o.estimate.cost_nano_usd, o.estimate.tokens)
        )
        share = whole.estimate.tokens, whole.estimate.cost_nano_usd
        if fits(share, given) and not fits([sum(p) for p in zip(spent, share, strict=True)], given):
            risk = 0.03 * less_fee(whole, steps["Answer"], given, share)
            worth["Part 1"] = max(0.0, worth["Part 1"] - risk)
    return sum(worth.values())


def less_fee(option: StepOption, step: Step, given: Budget, amounts) -> float | None:
    """What an option is worth less its fee. None where it is not worth that."""
    limits = given.limits[0], given.limits[1]
    share = max([1 / 6, *(min(1.0, s / limit) for s, limit in zip(amounts, limits, strict=True))])
    makes_result = step.role == "answer" or step.required
    is_further = option.executor == "llm" and not makes_result
    value = option.value - (1.0 if is_further else 0.0) - 3.0 * share
    if makes_result:
        return max(option.value / 100, value)
    return value if value > 0 else None


def fits(amounts, given: Budget) -> bool:
    return amounts[0] <= given.limits[0] and amounts[1] <= given.limits[1]


def is_plan(names: set[str], problem: Problem) -> bool:
    """Sections that are done exclude no answer, and a section that is lost leaves answers alone."""
    known = {step.name: step for step in (*problem.steps, *problem.lost)}
    sections = {name for name in names if known[name].role == "section"}
    if "Answer" in names and sections:
        return False
    if "Part 1" in known and "Answer" not in names and "Part 1" not in names:
        return False
    return all(
        any(material in known[reader].reads for reader in names)
        for material in names & {"Found", "Digest"}
    )


@pytest.mark.parametrize("engine", ["exact", "auto"])
@pytest.mark.parametrize("seeds", long_but([range(0, 60), range(60, 600)], range(0, 60)))
def test_it_is_the_best_of_all_plans_at_all_prices(engine, seeds):
    with_steps = 0
    for seed in seeds:
        problem, given = random_problem(seed)
        plan = plan_run(problem, engine, given, ModelAccess(ROLES, is_cost_limited=True))
        best = best_objective(problem, given)
        if best == -inf:
            assert plan.status == "infeasible", seed
            continue
        assert plan.status == "optimal", seed
        tiers = INPUT_NANO_USD.values()
        found = max(objective(problem, given, list(plan.chosen), tier) for tier in tiers)
        assert found == pytest.approx(best, abs=1e-5), seed
        declared = {option for step in problem.steps for option in step.options}
        assert declared.issuperset(plan.chosen)
        assert plan.value == pytest.approx(sum(option.value for option in plan.chosen), abs=1e-5)
        told = {each.option for each in plan.left_out} | {option.name for option in plan.chosen}
        assert told == {option.name for option in declared}
        with_steps += len(plan.chosen) > 1
    assert with_steps > len(seeds) / 10


def best_told(problem: Problem) -> float:
    """What the plan is told to be worth that is best less its fees, if nothing is limited. A point
    is taken for each further step of a model, and nothing for a share of a limit."""
    steps = {step.name: step for step in problem.steps}
    found = (-inf, 0, 0.0)
    for plan in product(*([None, *step.options] for step in problem.steps)):
        chosen = [option for option in plan if option]
        if not is_plan({option.step for option in chosen}, problem):
            continue
        further = [o for o in chosen if o.executor == "llm" and not makes_result(steps[o.step])]
        if any(option.value <= 1.0 for option in further):
            continue
        told = sum(option.value for option in chosen)
        # Of two plans that are as good, the one that takes less is told of.
        found = max(found, (told - len(further), -sum(o.estimate.tokens for o in chosen), told))
    return found[2]


def makes_result(step: Step) -> bool:
    return step.role == "answer" or step.required


@pytest.mark.parametrize("seeds", long_but([range(0, 60), range(60, 300)], range(0, 60)))
def test_its_share_is_of_the_best_that_a_run_would_choose_without_limits(seeds):
    shares = []
    for seed in seeds:
        problem, given = random_problem(seed)
        best = best_of_run(problem, given)
        assert best == pytest.approx(best_told(problem), abs=1e-5), seed
        plan = plan_run(problem, "exact", given, ModelAccess(ROLES, is_cost_limited=True))
        shares.append(plan.told_with(best).share)
        assert shares[-1] == pytest.approx(min(1.0, plan.value / best)), seed
        free = Budget()
        unlimited = replace(problem, left=Budget())
        plan = plan_run(unlimited, "exact", free, ModelAccess(ROLES, is_cost_limited=False))
        assert plan.told_with(best_of_run(unlimited, free)).share == 1.0, seed
    assert 1.0 in shares
    assert min(shares) < 1.0
