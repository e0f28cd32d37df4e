"""Turns what a user registers into an executor.

One rule: whatever has `.invoke` (a tool, a chain, an agent, a graph) is handed an input and
knows nothing of thrifty; any other callable is handed the `Work`. LangChain is never imported:
what it makes is known by its attributes.
"""

import inspect
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from thrifty.budget import InvalidInput
from thrifty.executors.declared_input import takes_query
from thrifty.executors.output_text import output_data, output_text, reported_tokens
from thrifty.executors.plain_json import plain_json
from thrifty.executors.protocol import Executor, Result, Work, WorkFunction
from thrifty.executors.reading_text import brief, messages_to_answer
from thrifty.executors.references import fill_references
from thrifty.models.guard.tool_input import check_tool_input


@dataclass(frozen=True, slots=True)
class RegisteredExecutor:
    """An executor as steps call it."""

    declared: Executor
    """What was registered."""
    work_function: WorkFunction

    def __call__(self, work: Work) -> Result | str:
        """Does a piece of work."""
        return self.work_function(work)

    def input_of(self, work: Work) -> Any:
        """What a person who is asked about a call is shown of its input. None where it has none."""
        if _is_runnable(self.declared.fn):
            with suppress(InvalidInput):  # the call says so, unless the person gives another one
                return _runnable_input(self.declared.fn, work)
        return work.option.payload.get("input")

    def with_input(self, work: Work, given: object) -> Work:
        """The same work with another input, as a person wants it.

        Raises:
            InvalidInput: a tool does not take it, or a function reads no input of its own.
        """
        field, payload = "answer.input", work.option.payload
        plain_json(field, given)
        if isinstance(getattr(self.declared.fn, "args", None), Mapping):
            check_tool_input(self.declared.fn, given, field)
        elif not (_is_runnable(self.declared.fn) or "input" in payload):
            remedy = 'answer "go" or "leave_out": this function is called with the step as it is'
            raise InvalidInput(field, given, remedy)
        return replace(work, option=replace(work.option, payload={**payload, "input": given}))


def adapt(name: str, thing: Any) -> RegisteredExecutor:
    """An executor that calls the thing.

    Async functions and async-only Runnables run to completion on an event loop of their own in
    the calling thread, which must not be running one.

    Raises:
        InvalidInput: the thing cannot be called with one argument.
    """
    declared = thing if isinstance(thing, Executor) else Executor(thing)
    field, call = f"executors.{name}", declared.fn
    if isinstance(call, type):  # to call it would make one, and do nothing
        raise InvalidInput(field, call, f"register an instance: {call.__name__}(...)")
    if _is_runnable(call):
        call = _invocation(call)
    elif not callable(call):
        raise InvalidInput(field, call, "register a function, a tool or a Runnable")
    elif not _takes_one_argument(call):
        raise InvalidInput(field, call, "let it take one argument, the work")
    return RegisteredExecutor(declared, lambda work: _to_result(_await_if_needed(call(work)), work))


def _is_runnable(thing: Any) -> bool:
    return callable(getattr(thing, "invoke", None))


def _invocation(runnable: Any) -> Callable[[Work], Any]:
    invoke = runnable.ainvoke if _is_async_only(runnable) else runnable.invoke
    return lambda work: invoke(_runnable_input(runnable, work))


def _runnable_input(runnable: Any, work: Work) -> Any:
    """The payload's `input` when there is one, with the results that it refers to.

    Else the work in one text: a message to an agent, the input of a chain. A tool and a retriever,
    which take a query, get the task alone, and a tool under the name that it calls it.
    """
    if "input" in work.option.payload:
        return fill_references(work.option.payload["input"], work)
    if "messages" in getattr(runnable, "channels", ()):  # an agent, or a graph like one
        # Who answers is sent the conversation itself.
        is_answer = bool(work.conversation)
        return {"messages": messages_to_answer(work) if is_answer else [("user", brief(work))]}
    arguments = getattr(runnable, "args", None)  # a tool's, as a JSON schema
    if not isinstance(arguments, Mapping):
        return work.task if takes_query(runnable) else brief(work)
    needed = [name for name, schema in arguments.items() if "default" not in schema]
    if not needed and len(arguments) != 1:
        return {}
    if len(needed) > 1:
        raise InvalidInput(
            f"option {work.option.name!r}.payload.input", None, f"give a mapping of {needed}"
        )
    return {(needed or list(arguments))[0]: work.task}


def _to_result(output: Any, work: Work) -> Result | str:
    """The text of an output, and the data in it where there is any.

    It is charged what its calls came to, or else what its option declares. A message whose call
    nobody saw says itself how many tokens it took.
    """
    if isinstance(output, Result):
        return output
    # It loads a ledger: only when something is called.
    from thrifty.models.calls.current_account import current_account

    text, data, account = output_text(output), output_data(output), current_account()
    if (tokens := reported_tokens(output)) is None or (account and account.was_used):
        return text if data is None else Result(text, data)
    spend = replace(work.option.estimate, tokens=tokens, latency_ms=0)
    return Result(text, data, spend)


def _await_if_needed(output: Any) -> Any:
    """The output, waited for when it is a coroutine."""
    if not inspect.isawaitable(output):
        return output
    try:
        import asyncio  # a twentieth of a second, for those who need it

        return asyncio.run(_await_output(output))
    finally:
        if isinstance(output, Coroutine):
            output.close()  # one that never ran would warn; one that ran does not mind


async def _await_output(output: Any) -> Any:
    return await output


def _is_async_only(runnable: Any) -> bool:
    """Whether it was made of a coroutine alone, so that `invoke` would only raise."""
    if getattr(runnable, "coroutine", None) is not None:  # a tool
        return getattr(runnable, "func", None) is None
    return hasattr(runnable, "afunc") and not hasattr(runnable, "func")  # a RunnableLambda


def _takes_one_argument(function: Callable[..., Any]) -> bool:
    try:
        inspect.signature(function).bind(None)
    except TypeError:
        return False
    except ValueError:  # a builtin that does not say
        return True
    return True
