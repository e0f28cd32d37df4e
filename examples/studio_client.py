"""A client of a running `langgraph dev` (or an Agent Server): stream a run, answer its question.

langgraph dev &
python examples/studio_client.py
"""

import os
from collections.abc import Iterable
from typing import Any

from langgraph_sdk import get_sync_client
from langgraph_sdk.client import SyncLangGraphClient

from thrifty import Receipt

URL = os.environ.get("LANGGRAPH_URL", "http://127.0.0.1:2024")
TASK = "Draft a project proposal for a logistics dashboard, including scope, timeline, and risks."
BUDGET = {"max_tokens": 2200, "max_tool_calls": 2}


def show(parts: Iterable[Any]) -> None:
    """Prints each node as it ends."""
    for part in parts:
        if part.event == "updates":
            print("  ", ", ".join(part.data))
        elif part.event == "error":
            raise SystemExit(f"{part.data['error']}: {part.data['message']}")


def question_of(client: SyncLangGraphClient, thread: str) -> dict[str, Any] | None:
    """What the run waits for, if it waits."""
    waiting = client.threads.get_state(thread)["interrupts"]
    return dict(waiting[0]["value"]) if waiting else None


def main() -> None:
    with get_sync_client(url=URL) as client:
        run(client)


def run(client: SyncLangGraphClient) -> None:
    thread = client.threads.create()["thread_id"]
    given: dict[str, Any] = {"task": TASK, "budget": BUDGET}
    ask: Any = {"on_drift": "ask", "learn": False}  # ask whoever runs this instead of planning anew
    show(client.runs.stream(thread, "thrifty", input=given, context=ask, stream_mode="updates"))

    if question := question_of(client, thread):
        print(f"{question['question']} ({question['reason']})")
        more: Any = {"resume": {"budget": {"max_tokens": 9000, "max_tool_calls": 6}}}
        parts = client.runs.stream(thread, "thrifty", command=more, context=ask)
        show(parts)

    values: Any = client.threads.get_state(thread)["values"]
    receipt = Receipt.from_state(values["receipt"])
    print(f"{receipt.status}: {receipt.spent.tokens} of {receipt.budget.max_tokens} tokens")
    print(values["draft"])


if __name__ == "__main__":
    main()
