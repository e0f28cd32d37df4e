"""Three assistants of one graph: what a run may change, as presets with a name.

In Python a preset is a run's context. On an Agent Server it is an assistant, which Studio lists
and a client names in place of the graph:

langgraph dev &
python examples/assistants.py
"""

import os
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from langgraph_sdk import get_sync_client

from thrifty import Context

URL = os.environ.get("LANGGRAPH_URL", "http://127.0.0.1:2024")
TASK = "Draft a project proposal for a logistics dashboard, including scope, timeline, and risks."

ASSISTANTS: dict[str, dict[str, Any]] = {
    "frugal": {
        "max_tokens": 2_200,
        "max_cost_usd": 0.005,
        "max_tool_calls": 2,
        "model": "cheap",
        "propose_options": False,
        "risk": 0.1,
    },
    "balanced": {"max_tokens": 8_000, "max_cost_usd": 0.05},
    "thorough": {
        "max_tokens": 40_000,
        "max_cost_usd": 0.50,
        "max_steps": 12,
        "max_concurrency": 4,
        "on_drift": "ask",
    },
}


def main() -> None:
    with get_sync_client(url=URL) as client:
        for name, preset in ASSISTANTS.items():
            Context(**preset)  # a misspelt field is refused here, and not at the first run
            uid = str(uuid5(NAMESPACE_URL, f"thrifty/{name}"))
            given: Any = {"graph_id": "thrifty", "name": name, "context": preset}
            client.assistants.create(assistant_id=uid, if_exists="do_nothing", **given)
            result: Any = client.runs.wait(None, uid, input={"task": TASK})
            spent, budget = result["receipt"]["spent"], result["receipt"]["budget"]
            print(f"{name}: {spent['tokens']} of {budget['max_tokens']} tokens, {result['status']}")


if __name__ == "__main__":
    main()
