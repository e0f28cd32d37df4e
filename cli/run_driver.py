"""What commands share: driving a run, showing it, asking the person, and keeping the result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from thrifty.budget import Plan
from thrifty.cli.ctrl_c import iterate_in_thread, on_first_ctrl_c
from thrifty.cli.exit_codes import WAITING, exit_code
from thrifty.cli.run_request import RunRequest
from thrifty.cli.saved_runs import RunsFolder, SavedRun
from thrifty.cli.view.progress_view import ProgressView
from thrifty.cli.view.question_prompt import GO, ask_person
from thrifty.cli.view.run_output import RunOutput
from thrifty.receipt.receipt_data import Receipt
from thrifty.receipt.terminal import plan_view

if TYPE_CHECKING:
    from thrifty.graph.agent import BudgetAgent

GRACE_S = 2.0
"""How long an answer that is on its way is waited for after a Ctrl-C: it is paid for anyway."""
RECUT_INTERVAL_S = 0.2
INTERRUPTION = "interrupted"


@dataclass(frozen=True, slots=True)
class RunDriver:
    """A run, and where it is shown."""

    agent: BudgetAgent
    request: RunRequest
    output: RunOutput
    saved: SavedRun | None
    """Where it is kept; None for a run that is not."""

    @property
    def config(self) -> Any:
        """Names its thread."""
        return {"configurable": {"thread_id": self.saved.id if self.saved else "run"}}

    def start(self) -> int:
        """Starts the run, and returns the exit code of its end."""
        budget = self.request.budget.to_state()
        return self.run_to_end({"task": self.request.task, "budget": budget})

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
            answer = ask_person(run.question, self.output.screen)
            if answer is None:
                return self._leave_waiting(run.question)
        return self.run_to_end(prepare_resume(self.agent, self.config, answer or GO))

    def run_to_end(self, graph_input: Any) -> int:
        """Goes on with what an invocation is given, until the run ends or waits."""
        from langgraph.errors import GraphDrained
        from langgraph.types import Command

        from thrifty.graph.control import finish_now, inspect_run

        while True:
            try:
                self._stream(graph_input)
            except GraphDrained:
                if inspect_run(self.agent, self.config).is_planned:
                    finish_now(self.agent, self.config, INTERRUPTION, self.request.context)
                return self._show_and_save_result(INTERRUPTION)
            question = inspect_run(self.agent, self.config).question
            if question is None:
                return self._show_and_save_result("")
            if (answer := ask_person(question, self.output.screen)) is None:
                return self._leave_waiting(question)
            graph_input = Command(resume=answer)

    def _stream(self, graph_input: Any) -> None:
        """Streams an invocation to the screen."""
        from langgraph.runtime import RunControl

        from thrifty.models.background_loop import background_loop

        control, ended = RunControl(), Event()

        def cut() -> None:
            pause_s = GRACE_S
            while not ended.wait(pause_s):  # a call may also begin after the others were cut
                background_loop().abandon_all()
                pause_s = RECUT_INTERVAL_S

        def stop() -> None:
            control.request_drain(INTERRUPTION)
            Thread(target=cut, daemon=True).start()  # it must not outlive the process

        with ProgressView(self.output.screen.notes) as progress, on_first_ctrl_c(stop):
            parts = self.agent.stream(
                graph_input,
                self.config,
                context=self.request.context,
                # Without a screen nobody reads along, and a server need not stream.
                stream_mode=["custom", "messages"] if progress.is_live else ["custom"],
                durability="sync",  # a step is on disk before the next one spends
                control=control,
            )
            try:
                for mode, part in iterate_in_thread(parts):
                    self._show_part(mode, part, progress)
            finally:
                ended.set()  # what cuts calls off may stop

    def _show_part(self, mode: str, part: Any, progress: ProgressView) -> None:
        """Shows an event or, where a model answers, the next piece of its text."""
        if mode == "messages":
            message, about = part
            if about.get("thrifty_answers"):
                progress.show_text(message.id, message.text)
            return
        if part["event"] == "plan_made":
            plan = Plan.from_state(part["plan"])
            self.output.screen.notes.print(plan_view(plan, self.request.budget))
        progress.show_event(part)

    def _show_and_save_result(self, interruption: str) -> int:
        """Shows the end of a run and keeps it."""
        from thrifty.graph.control import inspect_run

        run = inspect_run(self.agent, self.config)
        if "receipt" not in run.values:
            raise KeyboardInterrupt("nothing was finished")
        values = {**run.values, "run": self.saved.id if self.saved else ""}
        status = interruption or values["status"]
        if self.saved:
            self.saved.save_result({**self.output.to_data(values), "status": status})
        self.output.show_result(values)
        if interruption:
            hint = f"`thrifty resume {self.saved.id}` goes on" if self.saved else ""
            raise KeyboardInterrupt(hint)
        return exit_code(Receipt.from_state(values["receipt"]))

    def _leave_waiting(self, question: Mapping[str, Any]) -> int:
        """Leaves a run waiting for a person who is not at this terminal."""
        if self.saved:
            self.saved.save_result({"status": "waiting", "question": dict(question)})
        self.output.show_waiting(question, self.saved.id if self.saved else "")
        return WAITING


@contextmanager
def open_run_driver(
    request: RunRequest, output: RunOutput, home: RunsFolder | None, saved: SavedRun | None = None
) -> Iterator[RunDriver]:
    """What drives a run that is new or saved.

    Args:
        request: what was asked.
        output: where it is shown.
        home: where runs are kept; None keeps nothing.
        saved: the run; None starts a new one.
    """
    from langgraph.checkpoint.memory import InMemorySaver

    from thrifty.cli.bill_history import open_bills
    from thrifty.cli.checkpoint_file import open_checkpoints
    from thrifty.graph.build import create_budget_agent  # LangGraph takes a second or two
    from thrifty.ledger.memory import MemoryLedger

    with ExitStack() as stack:
        ledger = stack.enter_context(home.open_ledger()) if home else MemoryLedger()
        run = saved or (home.add_run(request) if home else None)
        checkpoints = stack.enter_context(open_checkpoints(run.checkpoints)) if run else None
        agent = create_budget_agent(
            budget=request.budget,
            catalog=request.catalog,
            settings=request.settings,
            ledger=ledger,
            account=request.account or None,
            checkpointer=checkpoints or InMemorySaver(),
            store=stack.enter_context(open_bills(home.path)) if home else None,
        )
        yield RunDriver(agent, request, output, run)
