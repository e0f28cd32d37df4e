"""thrifty from Python: run to the end, watch it work, or await it."""

import asyncio

from thrifty import Budget, Plan, Receipt, create_budget_agent

TASK = "Draft a 1-page project proposal for a fleet optimization pilot, including scope and risks."

# The budget of runs that are given none. A key, if there is one, comes from OPENAI_API_KEY.
agent = create_budget_agent(budget=Budget(max_tokens=2200, max_tool_calls=2))


def run_to_the_end() -> None:
    result = agent.invoke({"task": TASK, "budget": {"max_tokens": 3000, "max_cost_usd": 0.05}})
    print(result["draft"].splitlines()[0], "… and so on:", len(result["draft"]), "characters")
    print(f"{result['status']}; spent {result['spend']}")

    plan = Plan.from_state(result["plan"])  # state is plain data; this gives it its type back
    for left in plan.left_out:
        print(f"  not chosen: {left.option} ({left.reason})")

    receipt = Receipt.from_state(result["receipt"])
    for line in receipt.lines:
        print(f"  {line.status:8} {line.label:30} {line.actual.tokens:5} tokens")
    print(f"within budget: {receipt.within_budget}")


def watch() -> None:
    for update in agent.stream({"task": TASK}, stream_mode="updates"):
        for node, change in update.items():
            if node in ("run_llm", "run_local"):
                for outcome in change["outcomes"]:
                    print(f"  {node}: {outcome['option']['name']} is {outcome['status']}")


async def side_by_side() -> None:
    tasks = ("Draft a project plan for a tea party", "Draft a project plan for a book launch")
    runs = (agent.ainvoke({"task": task}) for task in tasks)
    for task, result in zip(tasks, await asyncio.gather(*runs), strict=True):
        print(f"  {task}: {result['status']}, {result['spend']['latency_ms']} ms")


if __name__ == "__main__":
    print("== invoke")
    run_to_the_end()
    print("== stream")
    watch()
    print("== ainvoke")
    asyncio.run(side_by_side())
