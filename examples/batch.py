"""A hundred tasks under one budget, eight at a time.

The account's limits are a ceiling for all runs below it. Each call is reserved there before it is
sent, so that together they cannot spend more than the account has: the last tasks are done by local
code when the money is gone.
"""

from collections import Counter
from typing import Any

from thrifty import Budget, MemoryLedger, Receipt, Spend, Step, StepOption, create_budget_agent

TASKS = [f"Answer ticket {number}: the delivery is late" for number in range(1, 101)]

ledger = MemoryLedger()  # a SqliteLedger is shared by processes, a PostgresLedger by machines
ledger.open("tickets", Budget(max_tokens=20_000, max_cost_usd=0.50, max_tool_calls=60))

WAYS = (
    StepOption("Model", "Reply", "llm", "Write a reply.", Spend(400, 0, 2_000, 1), 10.0),
    StepOption("Template", "Reply", "local", "Fill in the reply.", Spend(0, 0, 10, 0), 4.0),
)
agent = create_budget_agent(
    catalog=[Step("Reply", WAYS, required=True)],
    ledger=ledger,
    account="tickets",
    budget=Budget(max_tokens=1_000, max_cost_usd=0.05, max_tool_calls=1),  # of one task
)


def main() -> None:
    asked: list[Any] = [{"task": task} for task in TASKS]
    results = agent.batch(asked, {"max_concurrency": 8}, context={"propose_options": False})

    receipts = [Receipt.from_state(result["receipt"]) for result in results]
    ways = Counter(line.label for receipt in receipts for line in receipt.lines if line.value)
    print(", ".join(f"{way}: {count} tasks" for way, count in sorted(ways.items())))
    print("replies:", sum(bool(result["draft"]) for result in results))
    balance = ledger.balance("tickets")
    print("spent together:", balance.spent.tokens, "tokens,", balance.spent.tool_calls, "calls")
    print("left:", balance.left.max_tokens, "tokens,", balance.left.max_tool_calls, "calls")


if __name__ == "__main__":
    main()
