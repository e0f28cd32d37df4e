"""What was cut short claims no more than it knows: bounds hold, and only the best is `optimal`."""

from collections import Counter
from collections.abc import Iterator
from random import Random
from time import monotonic_ns

import pytest

from tests.long_cases import long_but
from tests.planning import mmkp
from tests.planning.families import many_ways
from thrifty.budget.clock import NANO_PER_MS
from thrifty.planning.solver.auto import finish_with_milp, solve_automatically
from thrifty.planning.solver.build_knapsack import build_knapsack
from thrifty.planning.solver.core import restrict_to_core
from thrifty.planning.solver.exact import ExactEngine, Subproblem, solve_exactly
from thrifty.planning.solver.knapsack import KnapsackModel
from thrifty.planning.solver.milp import solve_by_milp
from thrifty.planning.solver.solve_result import LIMITS_DEFAULT, SolveLimits, SolveResult

NODES = (0, 1, 2, 5, 20, 100)
GAPS = (0.0005, 0.002, 0.01, 0.1)
DEADLINES_MS = (0, 1, 3, 10, 30)


def stops() -> Iterator[SolveLimits]:
    """Allowances that run out early."""
    yield from (SolveLimits(nodes_max=nodes) for nodes in NODES)
    yield from (SolveLimits(gap=gap) for gap in GAPS)
    yield from (SolveLimits(nodes_max=5, gap=gap) for gap in GAPS)
    for ms in DEADLINES_MS:
        yield SolveLimits(deadline_ns=monotonic_ns() + ms * NANO_PER_MS)


def models() -> Iterator[KnapsackModel]:
    """Required steps with several ways each, and some that nothing requires."""
    for seed in range(3):
        random = Random(seed)
        for is_concave in (False, True):
            for share in (0.35, 0.6):
                yield build_knapsack(
                    many_ways(random, 10, 5, is_concave=is_concave, share=share, required=True)
                )
        yield build_knapsack(many_ways(random, 10, 5, is_concave=True, share=0.5))


def is_true(model: KnapsackModel, found: SolveResult, best: SolveResult) -> bool:
    """Whether a result claims nothing that a run to the end denies."""
    if not best.is_plan:
        return not found.is_plan
    most = model.plan_value(best.items)
    value = model.plan_value(found.items) if found.is_plan else None
    if found.is_plan and not model.is_plan(found.items):
        return False
    return found.bound >= most and (not found.is_proven or value == most)


def left_open(
    model: KnapsackModel, monkeypatch: pytest.MonkeyPatch
) -> tuple[ExactEngine, Subproblem] | None:
    """A run that left its core open."""
    with monkeypatch.context() as patch:
        patch.setattr("thrifty.planning.solver.exact.STAGES", {0: ((2, 0),)})
        patch.setattr("thrifty.planning.solver.exact.STAGES_SHORT", {})
        exact = ExactEngine(model, LIMITS_DEFAULT)
        parts = exact.reduce_root()
    return (exact, parts[0]) if parts else None


@pytest.mark.long
def test_a_core_on_which_highs_was_cut_short_claims_no_more_than_is_known(monkeypatch):
    pytest.importorskip("highspy")
    seen: Counter[str] = Counter()
    for model in models():
        best = solve_exactly(model)
        assert best.is_proven
        for stop in stops():
            if (run := left_open(model, monkeypatch)) is None:
                break
            exact, part = run
            core = restrict_to_core(model, part.core)
            seen["sorted by worth"] += any(
                group[0].value < max(item.value for item in group) for group in core.items if group
            )
            exact.limits = stop
            found = finish_with_milp(exact, part)
            assert is_true(model, found, best)
            seen["proven" if found.is_proven else "open"] += 1
    assert min(seen["sorted by worth"], seen["proven"], seen["open"]) > 50, seen


@pytest.mark.long
def test_highs_alone_and_auto_cut_short_claim_no_more_than_is_known():
    pytest.importorskip("highspy")
    seen: Counter[bool] = Counter()
    for model in models():
        best = solve_exactly(model)
        for stop in stops():
            for found in (solve_by_milp(model, (), stop), solve_automatically(model, stop)):
                assert is_true(model, found, best)
                seen[found.is_proven] += 1
    assert min(seen.values()) > 50


def test_what_no_plan_is_worth_more_than_does_not_depend_on_the_order_of_items():
    model = build_knapsack(many_ways(Random(0), 6, 4, is_concave=True, share=0.5))
    backwards = tuple(group[::-1] for group in model.items)
    turned = KnapsackModel(
        backwards,
        model.requires,
        model.is_required,
        model.topics,
        model.is_revision,
        model.row_names,
        model.capacities,
        model.max_steps,
    )
    assert turned.value_max == model.value_max == sum(group[0].value for group in model.items)


@pytest.mark.parametrize("number", long_but(mmkp.SETS, next(iter(mmkp.SETS))))
def test_a_published_instance_cut_short_claims_no_more_than_is_known(number, monkeypatch):
    pytest.importorskip("highspy")
    ended_open = 0
    for instance in mmkp.read(number):
        for stop in (
            SolveLimits(nodes_max=0),
            SolveLimits(nodes_max=1),
            SolveLimits(gap=0.01),
            SolveLimits(gap=0.1),
        ):
            run = left_open(instance.model, monkeypatch)
            assert run
            exact, part = run
            exact.limits = stop
            found = finish_with_milp(exact, part)
            assert found.bound >= instance.optimum
            assert not found.is_proven or instance.model.plan_value(found.items) == instance.optimum
            ended_open += not found.is_proven
    assert ended_open > 20
