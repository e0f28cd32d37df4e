"""The executors of a run, by the names that options call them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from thrifty.budget import InvalidInput, Spend, StepOption
from thrifty.budget.name_folding import fold_name
from thrifty.budget.option import KEEP, NAME_MAX
from thrifty.executors.adapt import RegisteredExecutor, adapt
from thrifty.executors.agent_place import AgentFunction, AgentPlace
from thrifty.executors.protocol import Executor, Result, Work

LLM = "llm"
"""Handled by the graph, which meters and caps every call. No executor stands behind the name."""

LOCAL = "local"
"""Writes with no model, at no cost."""

AGENT = "llm with tools"
"""Answers with a model and tools. It is there where tools were registered."""

AGENT_READINGS = 2
"""How often it is expected to send what it is asked."""

BUILTIN_EXECUTORS = (LLM, LOCAL)
MODEL_EXECUTORS = (LLM, AGENT)
"""Those that ask the model of a role."""


@dataclass(frozen=True, slots=True)
class ExecutorRegistry:
    """The reserved names and what the user registered."""

    registered: Mapping[str, RegisteredExecutor] = field(default_factory=dict)
    """The user's own, adapted."""
    answering: Mapping[str, Any] = field(default_factory=dict)
    """What was registered of those that can answer a task."""
    agent: AgentFunction | None = None
    """Answers with a model and tools. None where there are no tools."""
    agent_tools: tuple[str, ...] = ()
    """The names of what it can call, which was registered as well."""

    @classmethod
    def of(cls, given: ExecutorRegistry | Mapping[str, object] | None) -> ExecutorRegistry:
        """Registers every member of a mapping.

        Args:
            given: names to functions of the work, LangChain tools, any Runnables, or an `Executor`
                that says more of one of these; None for none.

        Raises:
            InvalidInput: a name is empty or taken, or what it names cannot be called.
        """
        if isinstance(given, ExecutorRegistry):
            return given
        if given is not None and not isinstance(given, Mapping):
            raise InvalidInput("executors", given, "use a mapping of names to executors")
        registered: dict[str, RegisteredExecutor] = {}
        for name, thing in (given or {}).items():
            _check_name(name, (*BUILTIN_EXECUTORS, AGENT, KEEP, *registered))
            registered[name] = adapt(name, thing)
        answering = {
            name: thing.fn
            for name, thing in (given or {}).items()
            if isinstance(thing, Executor) and thing.answers
        }
        return cls(registered, answering)

    @property
    def names(self) -> tuple[str, ...]:
        """What an option may name as its executor."""
        return (*BUILTIN_EXECUTORS, *([AGENT] if self.agent else []), *self.registered)

    @property
    def for_steps_alone(self) -> tuple[str, ...]:
        """What was registered that no direct answer can use."""
        of_answers = {*self.answering, *self.agent_tools}
        return tuple(name for name in self.registered if name not in of_answers)

    def terms_of(self, name: str) -> Executor:
        """What was registered under a name, with what it says of itself."""
        return self.registered[name].declared if name in self.registered else BUILTIN

    def has_effects(self, name: str) -> bool:
        """Whether an executor changes something outside."""
        return self.terms_of(name).effects

    def in_place(self, name: str, place: AgentPlace) -> RegisteredExecutor:
        """The executor of that name. Only the agent with tools has to know where it works.

        Raises:
            InvalidInput: nobody registered it, or it is `llm`, which only the graph can call.
        """
        if name == AGENT and (agent := self.agent) is not None:
            return RegisteredExecutor(BUILTIN, lambda work: agent(work, place))
        return self[name]

    def __getitem__(self, name: str) -> RegisteredExecutor:
        """The executor of that name.

        Raises:
            InvalidInput: nobody registered it, or it is one that only the graph can call.
        """
        if name == LOCAL:
            return RegisteredExecutor(BUILTIN, _run_local)
        if name not in self.registered:
            known = ", ".join((LOCAL, *self.registered))
            raise InvalidInput("executor", name, f"register it, or use one of: {known}")
        return self.registered[name]


def warm_up() -> None:
    """Loads what local code knows now, so that its time is not the first run's latency."""
    _run_local(Work("warm up", StepOption("warm up", "warm up", LOCAL, "Warm up.", Spend(), 0.0)))


def _run_local(work: Work) -> Result:
    from thrifty.executors.offline.local_executor import run_local  # when something is written

    return run_local(work)


BUILTIN = Executor(_run_local)
"""What the built-in executors say of themselves: they change nothing outside."""


def _check_name(name: object, taken: tuple[str, ...]) -> None:
    if not isinstance(name, str) or not name.strip() or len(name) > NAME_MAX:
        raise InvalidInput("executors", name, f"name it with a text of 1 to {NAME_MAX} characters")
    if name != name.strip():
        raise InvalidInput("executors", name, "drop the blanks around the name")
    for other in taken:
        # Two that look alike would let one pass for the other in a recipe.
        if fold_name(name) == fold_name(other):
            is_ours = other in (*BUILTIN_EXECUTORS, AGENT)
            why = "that name is thrifty's own" if is_ours else f"{other!r} is there"
            raise InvalidInput("executors", name, f"choose another name; {why}")
