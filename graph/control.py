"""Control of a run from outside the graph: end it with what there is, or let it go on.

Both need a checkpointer. Neither bills or repeats anything that is done. Whose run it is follows
from the configuration, as for its nodes: hand over the one with which it was started.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.types import Command

from thrifty.budget import InvalidInput, Step
from thrifty.budget.decision import Decision
from thrifty.graph.agent import BudgetAgent
from thrifty.run.active_time import known_ms
from thrifty.run.apply_answer import apply_answer
from thrifty.run.identity import outside_places
from thrifty.run.question import GO, read_answer


@dataclass(frozen=True, slots=True)
class RunPosition:
    """How far a run has come."""

    values: Mapping[str, Any]
    """Its state."""
    next: tuple[str, ...]
    """The nodes that run next. None when it has ended."""
    question: Any
    """What a person is asked: a run's own questions are mappings. None when it waits for none."""
    question_id: str = ""
    """LangGraph's name of the question: steps side by side may ask one each."""

    @property
    def is_waiting(self) -> bool:
        """Whether a person is asked. An executor of yours may ask anything, even None."""
        return bool(self.question_id)

    @property
    def is_planned(self) -> bool:
        """Whether there is anything to go on from, or to finish."""
        return "plan" in self.values


def inspect_run(agent: BudgetAgent, config: RunnableConfig) -> RunPosition:
    """Where a run stands, as its last checkpoint has it."""
    state = agent.get_state(config)
    asked = state.interrupts[0] if state.interrupts else None
    if asked is None:
        return RunPosition(state.values, state.next, None)
    return RunPosition(state.values, state.next, asked.value, asked.id)


def finish_now(
    agent: BudgetAgent, config: RunnableConfig, reason: str, context: Any = None
) -> dict[str, Any]:
    """Ends a run that was interrupted or that waits: its draft so far, and its receipt.

    Raises:
        InvalidInput: nothing was planned yet, so that there is nothing to finish. Or it is the run
            of another user.
    """
    run = inspect_run(agent, config)
    if not run.is_planned:
        raise InvalidInput("run", None, "start it anew: nothing was planned yet")
    _find_account(agent, config, run.values)
    decision = Decision("halt", reason, known_ms(run.values))
    halted = {"direction": "finish", "halt_reason": reason, "decisions": [decision.to_state()]}
    # LangGraph goes on along the edges of this node, which follow the direction.
    agent.update_state(config, halted, as_node="check_spend")
    result: dict[str, Any] = agent.invoke(None, config, context=context)
    return result


def prepare_resume(agent: BudgetAgent, config: RunnableConfig, answer: object = GO) -> Any:
    """What to invoke a run with so that it goes on from where it is.

    A run that waits is answered, one that was cut off goes on, and one that had ended is
    planned anew, with what is left of its budget or with a raised one.

    Args:
        agent: the run's.
        config: names its thread.
        answer: `"go"`, or `{"budget": {…}, "leave_out": […]}` with the limits that change and
            what is not to be done. A run that waits takes every answer that
            `thrifty.run.question` lists or, where it asks about a call,
            `thrifty.models.guard.call_question`. Of several questions the first is answered.

    Raises:
        InvalidInput: there is no such run, it is another user's, or the answer cannot be used.
    """
    run = inspect_run(agent, config)
    if not run.values:
        raise InvalidInput("run", config["configurable"]["thread_id"], "start it first")
    if run.is_waiting:
        return Command(resume={run.question_id: answer})
    # From its last checkpoint, LangGraph goes on by itself.
    if not run.is_planned or (run.next and answer == GO):
        return None
    _plan_anew(agent, config, run.values, answer)
    return None


def _plan_anew(
    agent: BudgetAgent, config: RunnableConfig, values: Mapping[str, Any], answer: object
) -> None:
    """Writes into the state of a run that it is planned anew, by what a person answered."""
    services, run_id = agent.services, _find_account(agent, config, values)
    limits = services.limits(run_id)
    known = services.steps(values["run"], run_id)
    steps = (*known, *map(Step.from_state, values["proposed"]))
    given = read_answer(answer, limits, steps)
    if given.finish:
        raise InvalidInput("answer", answer, "let it be: the run is not waiting for an answer")
    decision = Decision("ask", given.summary, known_ms(values))
    update = {
        **apply_answer(given, values, run_id, services.ledger),
        "direction": "plan",
        "halt_reason": "",
        "status": "running",
        "decisions": [decision.to_state()],
    }
    agent.update_state(config, update, as_node="approve")


def _find_account(agent: BudgetAgent, config: RunnableConfig, values: Mapping[str, Any]) -> str:
    """The account of the run that a configuration means, whatever the run's state says."""
    run_id = agent.services.run_id(values["run"], config, outside_places(config))
    try:
        agent.services.limits(run_id)
    except KeyError:
        remedy = "hand over the configuration that it was started with: its user and its thread"
        raise InvalidInput("run", run_id, remedy) from None
    return run_id
