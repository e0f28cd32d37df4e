"""A server of your own that speaks OpenAI's protocol (vLLM, Ollama, a gateway), at your prices.

OPENAI_BASE_URL=http://127.0.0.1:8000/v1 python examples/openai_compatible_server.py
"""

import os
import sys
from decimal import Decimal

from thrifty import Model, Receipt, TokenPrice, create_budget_agent

MODEL = os.environ.get("MODEL", "qwen3")


def main() -> None:
    base_url = os.environ.get("OPENAI_BASE_URL")
    if not base_url:
        sys.exit("Set OPENAI_BASE_URL to your server's address, such as http://127.0.0.1:8000/v1")

    own = Model(
        MODEL,
        base_url=base_url,  # where Chat Completions is spoken, unless you name another api
        # Dollars per million tokens. Without a price, a limit in dollars admits no call.
        price=TokenPrice(input_usd=Decimal("0.20"), output_usd=Decimal("0.80")),
    )
    agent = create_budget_agent(models={"strong": own})
    result = agent.invoke(
        {
            "task": "Draft a project proposal for a logistics dashboard",
            "budget": {"max_tokens": 4000, "max_cost_usd": 0.005, "max_tool_calls": 3},
        }
    )

    receipt = Receipt.from_state(result["receipt"])
    for line in receipt.lines:
        print(f"{line.label:30} {line.status:8} {line.actual.tokens:5} tokens")
    dollars = Decimal(receipt.spent.cost_nano_usd) / 10**9
    print(f"{receipt.status}: {receipt.spent.tool_calls} calls for ${dollars:f}")
    print(result["draft"])


if __name__ == "__main__":
    main()
