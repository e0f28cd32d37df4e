"""Drives a run from the command line: shows it, asks for it, and hands over what it brings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from thrifty.budget import Plan
from thrifty.cli.ask import GO, ask
from thrifty.cli.exit_codes import WAITING, exit_code
from thrifty.cli.home import Home, SavedRun
from thrifty.cli.progress import Progress
from thrifty.cli.request import Request
from thrifty.cli.result import Result
from thrifty.cli.stoppable import first_ctrl_c, stoppable
from thrifty.receipt.record import Receipt
from thrifty.receipt.text import plan_view

if TYPE_CHECKING:
    from thrifty.graph.agent import BudgetAgent

GRACE_S = 2.0
"""How long an answer that is on its way is waited for after a Ctrl-C: it is paid for anyway."""
CUT_AGAIN_S = 0.2
INTERRUPTION = "interrupted"


@dataclass(frozen=True, slots=True)
class Driver:
    """A run, and where it is shown."""

    agent: BudgetAgent
    request: Request
    result: Result
    saved: SavedRun | None
    """Where it is kept; None for a run that is not."""

    @property
    def config(self) -> Any:
        """Names its thread."""
        return {"configurable": {"thread_id": self.saved.id if self.saved else "run"}}

    def start(self) -> int:
        """Starts the run, and returns the exit code of its end."""
        return self.drive({"task": self.request.task, "budget": self.request.budget.to_state()})

    def resume(self, answer: object) -> int:
        """Goes on with a run that is there, and returns the exit code of its end.

        Args:
            answer: what a person said; None lets a run go on, and asks where it waits.
        """
        from thrifty.graph.control import inspect_run, prepare_resume

        run = inspect_run(self.agent, self.config)
        if not run.values:
            return self.start()  # it was cut off before its first checkpoint
        if run.question is not None and answer is None:
            answer = ask(run.question, self.result.screen)
            if answer is None:
                return self._wait(run.question)
        return self.drive(prepare_resume(self.agent, self.config, answer or GO))

    def drive(self, given: Any) -> int:
        """Goes on with what an invocation is given, until the run ends or waits."""
        from langgraph.errors import GraphDrained
        from langgraph.types import Command

        from thrifty.graph.control import finish_now, inspect_run

        while True:
            try:
                self._show(given)
            except GraphDrained:
                if inspect_run(self.agent, self.config).is_planned:
                    finish_now(self.agent, self.config, INTERRUPTION, self.request.context)
                return self._hand_over(INTERRUPTION)
            question = inspect_run(self.agent, self.config).question
            if question is None:
                return self._hand_over("")
            if (answer := ask(question, self.result.screen)) is None:
                return self._wait(question)
            given = Command(resume=answer)

    def _show(self, given: Any) -> None:
        """Streams an invocation to the screen."""
        from langgraph.runtime import RunControl

        from thrifty.models.background_loop import background_loop

        control, ended = RunControl(), Event()

        def cut() -> None:
            pause_s = GRACE_S
            while not ended.wait(pause_s):  # a call may also begin after the others were cut
                background_loop().abandon_all()
                pause_s = CUT_AGAIN_S

        def stop() -> None:
            control.request_drain(INTERRUPTION)
            Thread(target=cut, daemon=True).start()

        events = self.agent.stream(
            given,
            self.config,
            context=self.request.context,
            stream_mode="custom",
            durability="sync",
            control=control,
        )
        with Progress(self.result.screen.news) as progress, first_ctrl_c(stop):
            try:
                for event in stoppable(events):
                    self._tell(event, progress)
            finally:
                ended.set()

    def _tell(self, event: Mapping[str, Any], progress: Progress) -> None:
        if event["event"] == "plan_made":
            made = Plan.from_state(event["plan"])
            progress.print(plan_view(made, self.request.budget))
        progress.show(event)

    def _hand_over(self, interruption: str) -> int:
        """Shows the end of a run and keeps it."""
        from thrifty.graph.control import inspect_run

        run = inspect_run(self.agent, self.config)
        if "receipt" not in run.values:
            raise KeyboardInterrupt("nothing was finished")
        known = {**run.values, "run": self.saved.id if self.saved else ""}
        status = INTERRUPTION if interruption else known["status"]
        if self.saved:
            self.saved.keep({**self.result.data(known), "status": status})
        self.result.show(known)
        if interruption:
            raise KeyboardInterrupt(self._how_to_go_on())
        return exit_code(Receipt.from_state(known["receipt"]))

    def _wait(self, question: Mapping[str, Any]) -> int:
        """Leaves a run waiting for a person who is not at this terminal."""
        if self.saved:
            self.saved.keep({"status": "waiting", "question": dict(question)})
        self.result.show_waiting(question, self.saved.id if self.saved else "")
        return WAITING

    def _how_to_go_on(self) -> str:
        return f"`thrifty resume {self.saved.id}` goes on" if self.saved else ""


@contextmanager
def driver(
    request: Request, result: Result, home: Home | None, saved: SavedRun | None = None
) -> Iterator[Driver]:
    """What drives a run that is new or saved.

    Args:
        request: what was asked.
        result: where it is shown.
        home: where runs are kept; None keeps nothing.
        saved: the run; None starts a new one.
    """
    from langgraph.checkpoint.memory import InMemorySaver

    from thrifty.cli.bills import bills_in
    from thrifty.cli.checkpoints import checkpoints
    from thrifty.graph.build import create_budget_agent  # LangGraph takes a second or two
    from thrifty.ledger.memory import MemoryLedger

    with ExitStack() as stack:
        run = saved or (home.add(request) if home else None)
        agent = create_budget_agent(
            budget=request.budget,
            catalog=request.catalog,
            settings=request.settings,
            ledger=home.ledger() if home else MemoryLedger(),
            checkpointer=stack.enter_context(checkpoints(run.checkpoints))
            if run
            else InMemorySaver(),
            store=stack.enter_context(bills_in(home.path)) if home else None,
        )
        yield Driver(agent, request, result, run)
