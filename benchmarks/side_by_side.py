"""Steps side by side: wall-clock of one plan with 1, 2, 4 and 9 steps at once.

    python -m benchmarks.side_by_side            the table of benchmarks/README.md
    python -m benchmarks.side_by_side --delay-ms 1000 --repeat 5

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
AT_ONCE = (1, 2, 4, 9)
SIGMA = 0.5


def main() -> None:
    asked = arguments()
    delays = delays_ms(asked)
    print(f"{STEPS} steps, median answer after {asked.delay_ms} ms, {asked.repeat} runs each\n")
    print("| at once | wall-clock ms | faster than one at a time | floor of the waves ms |")
    print("|---:|---:|---:|---:|")
    baseline = 0.0
    with LLMServer() as server:
        seconds(server, delays, 1)  # what is loaded and connected once is nobody's time
        for at_once in AT_ONCE:
            taken = statistics.median(seconds(server, delays, at_once) for _ in range(asked.repeat))
            baseline = baseline or taken
            floor = floor_ms(delays, at_once)
            print(f"| {at_once} | {taken * 1000:,.0f} | {baseline / taken:.1f} × | {floor:,} |")  # noqa: RUF001


def seconds(server: LLMServer, delays: list[int], at_once: int) -> float:
    """How long a run takes."""
    server.clear()
    server.script(*(Answer("Said. " * 40, delay_ms=delay) for delay in delays))
    catalog = [
        StepOption(f"Part {n}", f"Part {n}", "llm", "writes a part", Spend(300, 0, 900, 1), 5.0)
        for n in range(STEPS)
    ]
    settings = Settings(api_key="none", base_url=server.base_url, api="chat")
    agent = create_budget_agent(catalog=catalog, settings=settings)
    context = {"max_concurrency": at_once, "max_steps": STEPS, "propose_options": False}
    given = {"task": "Write a report", "budget": {"max_tokens": 50_000, "max_tool_calls": STEPS}}
    started_s = time.perf_counter()
    result = agent.invoke(given, context={**context, "model": "gpt-4.1"})
    taken_s = time.perf_counter() - started_s
    done = [line for line in result["receipt"]["lines"] if line["status"] == "done"]
    assert len(done) == STEPS, result["receipt"]["lines"]
    return taken_s


def delays_ms(asked: argparse.Namespace) -> list[int]:
    dice = random.Random(asked.seed)
    return [round(asked.delay_ms * dice.lognormvariate(0, SIGMA)) for _ in range(STEPS)]


def floor_ms(delays: list[int], at_once: int) -> int:
    """What the answers alone take when each wave waits for its slowest one."""
    waves = [delays[first : first + at_once] for first in range(0, STEPS, at_once)]
    return sum(max(wave) for wave in waves)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.side_by_side", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--delay-ms", type=int, default=400)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    main()
