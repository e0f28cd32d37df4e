"""A program whose agent sends mail by a tool, and which is killed: for `test_tools_effects_killed`.

`python -m tests.graph.tool_mailing FOLDER URL MOMENT asks` asks the model at that address. It is
killed with SIGKILL before or after it has sent, or later, when the mail is noted in the ledger.
With another last word it has no checkpoints, so that nobody can be asked.
"""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from langgraph.checkpoint.sqlite import SqliteSaver

from tests.graph.mailing import THREAD
from thrifty import Executor, Settings, SqliteLedger, create_budget_agent
from thrifty.graph.agent import BudgetAgent
from thrifty.models.costs import input_bound

ASKED = {"task": "Tell Ann", "budget": {"max_tokens": 60_000}, "run_id": "mine"}


@contextmanager
def tool_mailing(
    folder: Path, url: str, moment: str = "never", *, can_ask: bool = True
) -> Iterator[BudgetAgent]:
    """The agent, over the ledger and the checkpoints of a folder."""

    def kill_at(now: str) -> None:
        if moment == now:
            os.kill(os.getpid(), signal.SIGKILL)

    def send(to: str) -> str:
        """Sends a mail."""
        kill_at("before")
        with (folder / "sent").open("a", encoding="utf-8") as file:
            file.write(f"{to}\n")
        kill_at("after")
        return f"Sent to {to}."

    def look(what: str) -> str:
        """Looks something up."""
        kill_at("later")
        return f"{what}: nothing."

    ledger = SqliteLedger(str(folder / "ledger.sqlite"))
    with SqliteSaver.from_conn_string(str(folder / "checkpoints.sqlite")) as saver:
        yield create_budget_agent(
            settings=Settings("sk-test", url, models={"strong": "gpt-5"}),
            ledger=ledger,
            tools=[Executor(send, effects=True), look],
            checkpointer=saver if can_ask else None,
        )
    ledger.disconnect()


if __name__ == "__main__":
    _, place, address, when, asks = sys.argv
    can_ask = asks == "asks"
    input_bound.OPENAI_HOSTS = (*input_bound.OPENAI_HOSTS, ".127.0.0.1")  # as in `tests.conftest`
    # Without a checkpointer, LangGraph stumbles over a durability.
    options: Any = {"durability": "sync"} if can_ask else {}
    with tool_mailing(Path(place), address, when, can_ask=can_ask) as agent:
        agent.invoke(ASKED, THREAD, **options)
