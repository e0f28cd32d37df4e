"""Whoever wants a job done: starts it, answers it, and starts it again until it has an end.

A client lives outside of the processes that die. It drives its job in one of them and looks what
came of it; sometimes it gives up waiting and drives it in a second one while the first is still at
work. When all is quiet it holds what it was handed over to the promises.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING, Any

from langgraph.types import Command

from tests.harness.simulation.actors import Actor, Process
from tests.harness.simulation.audit import LIMITED
from tests.harness.simulation.books import AccountRows
from tests.harness.simulation.catalogs import SETTINGS, executors
from tests.harness.simulation.jobs import TEAM, Job
from tests.harness.simulation.saver import CheckpointLost
from tests.harness.simulation.stand_ins import served
from thrifty import create_budget_agent
from thrifty.budget import AccountClosed, Budget, LeaseLost, LedgerUnavailable
from thrifty.graph.agent import BudgetAgent
from thrifty.run.identity import run_account

if TYPE_CHECKING:
    from tests.harness.simulation.world import World

DRIVES_MAX = 60
NANO_PER_S = 1_000_000_000
GONE = object()
A_PERSON = "a person"
WRITTEN = ("done", "cut")


@dataclass(eq=False)
class Drive:
    """One invocation, and what came of it."""

    actor: Actor
    result: Any = GONE
    """What it returned; GONE where its process was killed."""
    error: Exception | None = None


class Refused(Exception):
    """A run cannot begin, as the account that is to pay was closed."""


class Client:
    """Has one job done.

    Args:
        world: where.
        job: what.
        dice: decide how long it waits, what it answers, and what it does afterwards.
    """

    def __init__(self, world: World, job: Job, dice: Random) -> None:
        self._world, self._job, self._dice = world, job, dice
        self._agents: dict[Process, BudgetAgent] = {}
        self._drives: list[Drive] = []
        self._number = 1
        self._budget = job.budget

    def live(self) -> None:
        """Has the job done, and then does with it what people do."""
        self._world.schedule.pause(int(self._job.begins_after_s * NANO_PER_S))
        with suppress(Refused):
            self._finish(self._until_it_ends(None))
            for _ in range(self._dice.choice((0, 0, 1, 2))):
                self._afterwards()

    # Driving it.

    def _until_it_ends(self, first: Any) -> Mapping[str, Any]:
        """Drives the run until it has an end, or waits for a person who never comes."""
        begin = first
        for _ in range(DRIVES_MAX):
            process = self._world.a_process()
            drive = self._drive(process, begin)
            self._wait_for(drive)
            if isinstance(drive.error, AccountClosed):
                self._ended({})
                raise Refused
            if drive.error is not None:
                self._look_at_error(drive)
            elif drive.result is not GONE:
                if "__interrupt__" not in drive.result:
                    return self._ended(drive.result)
                if self._dice.random() < 0.1:
                    self._world.trace(f"{self._job.name} waits for a person, who never comes")
                    return self._ended(drive.result)
            begin = None
            self._world.schedule.pause(self._dice.choice((0, 1, 20, 100)) * NANO_PER_S)
        self._world.audit.breach(f"{self._job.name} does not end, driven {DRIVES_MAX} times")
        raise AssertionError

    def _drive(self, process: Process, begin: Any) -> Drive:
        def work() -> None:
            try:
                agent = self._agent(process)
                drive.result = begin(agent) if begin else self._go_on(agent)
            except Exception as error:  # noqa: BLE001 - looked at outside
                drive.error = error

        drive = Drive(self._world.schedule.spawn(self._job.name, process, work))
        self._drives.append(drive)
        return drive

    def _wait_for(self, drive: Drive) -> None:
        process = drive.actor.process
        self._world.schedule.pause(until=lambda: drive.actor.is_done or process.is_given_up)
        if self._dice.random() < 0.03 and not drive.actor.is_done:
            self._drive(self._world.a_process(), None)  # one that has not waited

    def _ended(self, result: Mapping[str, Any]) -> Mapping[str, Any]:
        """The result, once everybody who was given up has come back and been refused."""
        self._world.schedule.pause(until=lambda: all(d.actor.is_done for d in self._drives))
        for drive in self._drives:
            if drive.error is not None:
                self._look_at_error(drive)
        self._drives.clear()
        return result

    def _agent(self, process: Process) -> BudgetAgent:
        if process not in self._agents:
            self._agents[process] = create_budget_agent(
                catalog=self._job.steps,
                executors=executors(self._world, self._dice),
                settings=replace(SETTINGS, api=self._job.api),  # type: ignore[arg-type]
                ledger=self._world.books.ledger(),
                account=self._job.account or None,
                checkpointer=self._world.saver if self._job.is_kept else None,
            )
        return self._agents[process]

    def _go_on(self, agent: BudgetAgent) -> Any:
        """Starts the run, or goes on from where its last checkpoint is."""
        job = self._job
        if not job.is_kept:
            return self._invoke(agent, {**self._asked(), "run_id": f"run {self._number}"})
        state = agent.get_state(job.thread)  # type: ignore[arg-type]
        number = state.values.get("run", {}).get("number", 0)
        if number < self._number:
            has_begun = state.next == ("generate_options",)
            return self._invoke(agent, None if has_begun else self._asked())
        if state.interrupts:
            return self._invoke(agent, Command(resume=self._answer()))
        if state.next or state.values["status"] == "running":
            return self._invoke(agent, None)
        return state.values  # it had ended, and nobody was told

    def _invoke(self, agent: BudgetAgent, given: Any, config: Any = None) -> Any:
        options: Any = {"durability": self._job.durability} if self._job.is_kept else {}
        with served(agent):
            return agent.invoke(
                given, config or self._job.thread, context=self._job.context, **options
            )

    def _asked(self) -> dict[str, Any]:
        task = f"Do {self._job.name}, for the {self._number}. time"
        return {"task": task, "budget": self._budget.to_state()}

    def _answer(self) -> Any:
        more = (
            {"max_tokens": 4_000} if self._budget.max_tokens is not None else {"max_tool_calls": 9}
        )
        last = self._job.steps[-1].name
        return self._dice.choice(("go", "go", "finish", {"budget": more}, {"leave_out": [last]}))

    # What may go wrong.

    def _look_at_error(self, drive: Drive) -> None:
        """An invocation may fail because something was made to fail, and for nothing else."""
        error, process = drive.error, drive.actor.process
        drive.error = None
        if isinstance(error, LedgerUnavailable | CheckpointLost) and self._world.failures.get(
            process
        ):
            return
        if isinstance(error, LeaseLost):
            self._take_over(error)
            return
        if isinstance(error, AccountClosed) and self._world.books.ledger().balance(TEAM).is_closed:
            return
        told = f"{type(error).__name__}: {error}"
        self._world.audit.breach(f"{self._job.name} in {process.name} ended with {told}")

    def _take_over(self, lost: LeaseLost) -> None:
        """Says, as a person, that an owner is gone of whom no process could know it."""
        holder = self._world.processes.get(lost.holder.partition(" #")[0])
        if lost.holder != A_PERSON and (holder is None or not holder.seems_gone):
            return
        try:
            ledger = self._world.books.ledger()
            ledger.give_back(ledger.take(lost.run, A_PERSON, over_fence=lost.fence))
        except (LeaseLost, LedgerUnavailable):
            pass  # somebody was quicker, or the disk failed: the next attempt will tell

    # What it is handed over.

    @property
    def _account(self) -> str:
        name = "" if self._job.is_kept else f"run {self._number}"
        own: Any = {"name": name, "number": self._number}
        return run_account(own, self._job.thread, self._job.account)  # type: ignore[arg-type]

    def _finish(self, result: Mapping[str, Any]) -> None:
        """Holds what was handed over to the promises."""
        breach = self._world.audit.breach
        if "__interrupt__" in result:
            return
        receipt, name = result.get("receipt"), self._job.name
        if result.get("status") not in ("done", "halted") or receipt is None:
            breach(f"{name} ended as {result.get('status')!r} with {receipt}")
            return
        if result["status"] == "halted" and not receipt["halt_reason"]:
            breach(f"{name} was halted, and nobody knows why")
        self._look_at_text(result)
        rows = self._world.books.rows(self._account)
        self._world.audit.look_at_all()
        told, known = result["spend"], rows.run.spent
        says, has = (told["tokens"], told["tool_calls"]), (known[0], known[3])
        # The checkpoints of a way back may be lost; and who was asleep when a run ended may wake,
        # and find it free to be driven once more: then this is an end before the last one. What
        # the disk did not take then may be settled since, at less than was held for it.
        if says != has and (self._world.sleeps or any(self._world.failures.values())):
            return
        self._look_at_books(result["status"], receipt, rows)
        is_alone = not self._world.sleeps and not any(entry.is_open for entry in rows.own)
        if is_alone and says != has:
            breach(f"{name} says that it spent {told}, the books say {known}")

    def _look_at_books(self, status: str, receipt: Any, rows: AccountRows) -> None:
        """An overrun is told, and one of a limit halts; what has ended holds nothing any more."""
        breach, name = self._world.audit.breach, self._job.name
        limits = Budget.from_state(receipt["budget"]).limits
        told = "; ".join([receipt["halt_reason"], *receipt["warnings"]])
        for entry in rows.own:
            pairs = zip(entry.charged.amounts, entry.reserved.amounts, strict=True)
            over = [charged > reserved for charged, reserved in pairs]
            is_over = any(over[i] and limits[i] is not None for i in LIMITED)
            if is_over and repr(entry.label) not in told:
                breach(f"{name} says nothing of {entry.key}, which took more than it had reserved")
        spent = rows.run.spent
        is_passed = any((limit := limits[i]) is not None and spent[i] > limit for i in LIMITED)
        if is_passed and status != "halted":
            breach(f"{name} is {status}, though it has spent {spent} of {limits}")
        if self._world.weather.disk or self._world.sleeps:
            return  # what cannot be written down stays reserved
        if self._world.audit.is_held(self._account):
            return  # who went back died before the first checkpoint: this is the end before that
        if any(rows.run.reserved):
            breach(f"{name} has ended and still holds {rows.run.reserved}")

    def _look_at_text(self, result: Mapping[str, Any]) -> None:
        """By its own receipt: the thread may hold what somebody else wrote who woke later."""
        texts = [line["label"] for line in result["receipt"]["lines"] if line["status"] in WRITTEN]
        if texts and not result["draft"].strip():
            self._world.audit.breach(f"{self._job.name} did {texts}, and handed over none")

    # What people do with a run that has ended.

    def _afterwards(self) -> None:
        acts = [self._again]
        if self._job.is_kept:
            acts += [self._travel, self._delete]
        self._dice.choice(acts)()

    def _again(self) -> None:
        """Another task on the same thread."""
        self._number += 1
        self._finish(self._until_it_ends(None))

    def _travel(self) -> None:
        """Goes back to an earlier checkpoint, and on from there."""
        point = self._dice.random()

        def begin(agent: BudgetAgent) -> Any:
            history = [s for s in agent.get_state_history(self._job.thread) if s.next]  # type: ignore[arg-type]
            numbers = [s.values.get("run", {}).get("number") for s in history]
            here = [s for s, n in zip(history, numbers, strict=True) if n == self._number]
            if not here:
                return self._go_on(agent)
            past = here[int(point * len(here))]
            self._world.trace(f"{self._job.name} goes back to before {past.next}")
            return self._invoke(agent, None, past.config)

        self._finish(self._until_it_ends(begin))

    def _delete(self) -> None:
        """Deletes the thread, and asks for the same again: the money that is spent stays spent."""
        self._world.trace(f"{self._job.name}'s thread is deleted")
        self._world.saver.delete_thread(self._job.name)
        self._number = 1
        self._finish(self._until_it_ends(None))
