"""An agent of LangChain's, with tools, that answers within its account, though it would go on."""

import logging
import os

from langchain.agents import create_agent
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI

from thrifty import Budget, BudgetMiddleware, MemoryLedger, Spend

KEY = os.environ.get("OPENAI_API_KEY", "")
SERVER = os.environ.get("OPENAI_BASE_URL")
MODEL = os.environ.get("MODEL", "gpt-4o-mini")


@tool
def search(topic: str) -> str:
    """Searches the web, at half a cent a time."""
    return f"{topic}: nothing new today."


ledger = MemoryLedger()  # SqliteLedger("spend.sqlite") and PostgresLedger outlive the process
ledger.open("team", Budget(max_cost_usd=0.02, max_tool_calls=12, max_latency_ms=60_000))
held = BudgetMiddleware(
    ledger, "team", tools={"search": Spend(cost_nano_usd=5_000_000)}, max_output_tokens=200
)
agent = create_agent(
    ChatOpenAI(model=MODEL, api_key=KEY or "none", base_url=SERVER), [search], middleware=[held]
)


def main() -> None:
    if not (KEY or SERVER):
        raise SystemExit("Set OPENAI_API_KEY, or OPENAI_BASE_URL for a server of your own.")
    logging.getLogger("langchain_core").setLevel("ERROR")  # it warns of each refused tool
    result = agent.invoke({"messages": [("human", "What is new in tea?")]})
    for message in result["messages"][1:]:
        print(f"{message.type}: {message.text[:90] or 'wants ' + message.tool_calls[0]['name']}")
    balance = ledger.balance("team")
    print(f"spent: {balance.spent.tool_calls} calls; within budget:", end=" ")
    print(balance.budget.without_latency().covers(balance.spent))


if __name__ == "__main__":
    main()
