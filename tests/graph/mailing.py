"""A program whose executor sends mail, and which is killed as it does: for `test_effects_killed`.

`python -m tests.graph.mailing FOLDER MOMENT asks` is killed with SIGKILL before or after it has
sent. With another last word it has no checkpoints, so that nobody can be asked.
"""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from langgraph.checkpoint.sqlite import SqliteSaver

from thrifty import (
    Executor,
    Settings,
    Spend,
    SqliteLedger,
    Step,
    StepOption,
    create_budget_agent,
)
from thrifty.graph.agent import BudgetAgent

THREAD: Any = {"configurable": {"thread_id": "t"}}
ASKED = {"task": "Tell Ann", "budget": {"max_tokens": 500, "max_tool_calls": 9}}


def sent_in(folder: Path) -> list[str]:
    file = folder / "sent"
    return file.read_text("utf-8").split() if file.exists() else []


@contextmanager
def mailing(
    folder: Path, moment: str = "never", *, can_ask: bool = True, **terms: Any
) -> Iterator[BudgetAgent]:
    """The agent, over the ledger and the checkpoints of a folder."""

    def send(work: Any) -> str:
        if moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        with (folder / "sent").open("a", encoding="utf-8") as file:
            file.write("mail\n")
        if moment == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return "Sent."

    mail = StepOption("Mail", "Mail", "mail", "sends a mail", Spend(10, 0, 5, 1), 5.0)
    letter = StepOption("Letter", "Mail", "letter", "writes a letter", Spend(10, 0, 5, 1), 4.0)
    ledger = SqliteLedger(str(folder / "ledger.sqlite"))
    with SqliteSaver.from_conn_string(str(folder / "checkpoints.sqlite")) as saver:
        yield create_budget_agent(
            settings=Settings(),
            ledger=ledger,
            catalog=[Step("Mail", (mail, letter))],
            executors={
                "mail": Executor(send, effects=True, **terms),
                "letter": lambda work: "Dear Ann",
            },
            checkpointer=saver if can_ask else None,
        )
    ledger.disconnect()


if __name__ == "__main__":
    asks = sys.argv[3] == "asks"
    # Without a checkpointer, LangGraph stumbles over a durability.
    options: Any = {"durability": "sync"} if asks else {}
    with mailing(Path(sys.argv[1]), sys.argv[2], can_ask=asks) as agent:
        agent.invoke({**ASKED, "run_id": "mine"}, THREAD, **options)
