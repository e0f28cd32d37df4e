"""What commands share: driving a run, showing it, asking the person, and keeping the result."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from thrifty.budget import Plan
from thrifty.cli.answers import GO, fit_answer
from thrifty.cli.ctrl_c import iterate_in_thread, on_first_ctrl_c
from thrifty.cli.exit_codes import WAITING, exit_code
from thrifty.cli.run_request import RunRequest
from thrifty.cli.saved_runs import RunsFolder, SavedRun
from thrifty.cli.view.progress_view import ProgressView
from thrifty.cli.view.question_prompt import ask_person
from thrifty.cli.view.run_output import RunOutput
from thrifty.receipt.receipt_data import Receipt
from thrifty.receipt.terminal import plan_view

if TYPE_CHECKING:
    from thrifty.graph.agent import BudgetAgent
    from thrifty.graph.control import RunPosition

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
        request = self.request
        given = {
            "budget": request.budget.to_state(),
            "documents": dict(request.documents),
            "words": request.words,
        }
        if request.attachments:
            message = {"role": "user", "content": request.message}
            return self.run_to_end({**given, "messages": [message]})
        return self.run_to_end({**given, "task": request.task})

    def resume(self, said: Mapping[str, Any] | None) -> int:
        """Goes on with a run that is there, and returns the exit code of its end.

        Args:
            said: what a person said by options; None lets a run go on, and asks where it waits.

        Raises:
            InvalidInput: that answers nothing that the run asks.
        """
        from thrifty.graph.control import inspect_run, prepare_resume

        run = inspect_run(self.agent, self.config)
        if not run.values:
            return self.start()  # it was cut off before its first checkpoint
        question = run.question if run.is_waiting else None
        answer = GO if said is None else fit_answer(said, question)
        if run.is_waiting and said is None:
            answer = ask_person(question, self.output.screen)
            if answer is None:
                return self._leave_waiting(run)
        return self.run_to_end(prepare_resume(self.agent, self.config, answer))

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
            run = inspect_run(self.agent, self.config)
            if not run.is_waiting:
                return self._show_and_save_result("")
            if (answer := ask_person(run.question, self.output.screen)) is None:
                return self._leave_waiting(run)
            graph_input = Command(resume={run.question_id: answer})

    def _stream(self, graph_input: Any) -> None:
        """Streams an invocation to the screen."""
        from langgraph.runtime import RunControl

        from thrifty.models.wire.background_loop import background_loop

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
        results = run.values["results"].items()
        values = {
            **run.values,
            "run": self.saved.id if self.saved else "",
            # The person has the documents, which stand among them.
            "results": {name: r for name, r in results if name not in self.request.documents},
        }
        status = interruption or values["status"]
        if self.saved:
            self.saved.save_result({**self.output.to_data(values), "status": status})
        self.output.show_result(values)
        if interruption:
            hint = f"`thrifty resume {self.saved.id}` goes on" if self.saved else ""
            raise KeyboardInterrupt(hint)
        return exit_code(Receipt.from_state(values["receipt"]))

    def _leave_waiting(self, run: RunPosition) -> int:
        """Leaves a run waiting for a person who is not at this terminal."""
        # What an executor asks by itself may be anything.
        question = json.loads(json.dumps(run.question, default=str))
        if self.saved:
            spend = run.values["spend"]
            self.saved.save_result({"status": "waiting", "question": question, "spend": spend})
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
    from thrifty.ledger.memory import MemoryLedger

    with ExitStack() as stack:
        ledger = stack.enter_context(home.open_ledger()) if home else MemoryLedger()
        run = saved or (home.add_run(request) if home else None)
        checkpoints = stack.enter_context(open_checkpoints(run.checkpoints)) if run else None
        agent = request.make_agent(
            ledger=ledger,
            checkpointer=checkpoints or InMemorySaver(),
            store=stack.enter_context(open_bills(home.path)) if home else None,
        )
        yield RunDriver(agent, request, output, run)
