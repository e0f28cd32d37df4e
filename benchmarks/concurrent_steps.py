"""Steps side by side: wall-clock of one plan with 1, 2, 4 and 9 steps at once.

    python -m benchmarks.concurrent_steps            the table of benchmarks/README.md
    python -m benchmarks.concurrent_steps --delay-ms 1000 --repeat 5

Nine independent steps, each one model call at a real HTTP server on loopback, which takes a
seeded, lognormal time for each answer; one step at a time is the baseline.
"""

import argparse
import random
import statistics
import time

from tests.harness.llm_server import Answer, LLMServer
from thrifty import Settings, Spend, StepOption, create_budget_agent

STEPS = 9
CONCURRENCIES = (1, 2, 4, 9)
SIGMA = 0.5


def main() -> None:
    asked = read_arguments()
    delays = delays_ms(asked)
    print(f"{STEPS} steps, median answer after {asked.delay_ms} ms, {asked.repeat} runs each\n")
    print("| at once | wall-clock ms | faster than one at a time | floor of the waves ms |")
    print("|---:|---:|---:|---:|")
    baseline = 0.0
    with LLMServer() as server:
        measure_seconds(server, delays, 1)  # what is loaded and connected once is nobody's time
        for at_once in CONCURRENCIES:
            taken = statistics.median(
                measure_seconds(server, delays, at_once) for _ in range(asked.repeat)
            )
            baseline = baseline or taken
            floor = lower_bound_ms(delays, at_once)
            print(f"| {at_once} | {taken * 1000:,.0f} | {baseline / taken:.1f} × | {floor:,} |")  # noqa: RUF001


def measure_seconds(server: LLMServer, delays: list[int], concurrency: int) -> float:
    """How long a run takes."""
    server.clear()
    server.script(*(Answer("Said. " * 40, delay_ms=delay) for delay in delays))
    catalog = [
        StepOption(f"Part {n}", f"Part {n}", "llm", "writes a part", Spend(300, 0, 900, 1), 5.0)
        for n in range(STEPS)
    ]
    settings = Settings("none", server.base_url, "chat", models={"strong": "gpt-4.1"})
    agent = create_budget_agent(catalog=catalog, settings=settings)
    context = {"max_concurrency": concurrency, "max_steps": STEPS, "propose_options": False}
    given = {"task": "Write a report", "budget": {"max_tokens": 50_000, "max_tool_calls": STEPS}}
    started_s = time.perf_counter()
    result = agent.invoke(given, context=context)
    taken_s = time.perf_counter() - started_s
    done = [line for line in result["receipt"]["lines"] if line["status"] == "done"]
    assert len(done) == STEPS, result["receipt"]["lines"]
    return taken_s


def delays_ms(arguments: argparse.Namespace) -> list[int]:
    dice = random.Random(arguments.seed)
    return [round(arguments.delay_ms * dice.lognormvariate(0, SIGMA)) for _ in range(STEPS)]


def lower_bound_ms(delays: list[int], concurrency: int) -> int:
    """What the answers alone take when each wave waits for its slowest one."""
    waves = [delays[first : first + concurrency] for first in range(0, STEPS, concurrency)]
    return sum(max(wave) for wave in waves)


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.concurrent_steps", description=__doc__
    )
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--delay-ms", type=int, default=400)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    main()
