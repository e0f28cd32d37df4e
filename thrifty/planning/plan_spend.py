"""What options are expected to use together when a run carries them out."""

from collections.abc import Sequence
from dataclasses import replace

from thrifty.budget.option import StepOption
from thrifty.budget.spend import Spend, total_spend
from thrifty.budget.step import Step
from thrifty.planning.problem import Problem
from thrifty.planning.solver.makespan import list_waits, makespan


def plan_spend(problem: Problem, chosen: Sequence[StepOption]) -> Spend:
    """What the options of a plan are expected to use together, in their order.

    Amounts add up. Latencies do so only where steps run one after another: else the latency is
    the makespan of the plan.
    """
    total = total_spend(option.estimate for option in chosen)
    if problem.concurrency == 1:
        return total
    steps = {step.name: step for step in problem.steps}
    latency_ms = makespan_ms(
        [steps[option.step] for option in chosen],
        [option.estimate.latency_ms for option in chosen],
        problem.concurrency,
        waves=problem.schedule == "waves",
    )
    return replace(total, latency_ms=latency_ms)


def makespan_ms(
    steps: Sequence[Step], latencies_ms: Sequence[int], concurrency: int, *, waves: bool
) -> int:
    """How long steps take when they run side by side.

    Args:
        steps: in the order in which they are started; any other that they follow is done.
        latencies_ms: of each.
        concurrency: how many may run at a time.
        waves: as of `Problem.schedule`.
    """
    waits = list_waits(
        [step.name for step in steps],
        [step.follows for step in steps],
        [step.role == "revision" for step in steps],
    )
    return makespan(latencies_ms, waits, concurrency, waves=waves)
