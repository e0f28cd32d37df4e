"""Turns what a user registers into an executor.

One rule: whatever has `.invoke` (a tool, a chain, an agent, a graph) is handed an input and
knows nothing of thrifty; any other callable is handed the `Work`. LangChain is never imported:
what it makes is known by its attributes.
"""

import inspect
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from typing import Any

from thrifty.budget import InvalidInput
from thrifty.executors.output_text import output_text, reported_tokens
from thrifty.executors.protocol import Executor, Result, Work


def adapt(name: str, thing: Any) -> Executor:
    """An executor that calls the thing.

    Async functions and async-only Runnables run to completion on an event loop of their own in
    the calling thread, which must not be running one.

    Raises:
        InvalidInput: the thing cannot be called with one argument.
    """
    field = f"executors.{name}"
    if isinstance(thing, type):  # to call it would make one, and do nothing
        raise InvalidInput(field, thing, f"register an instance: {thing.__name__}(...)")
    call = thing
    if callable(getattr(thing, "invoke", None)):
        call = _invocation(thing)
    elif not callable(thing):
        raise InvalidInput(field, thing, "register a function, a tool or a Runnable")
    elif not _takes_one_argument(thing):
        raise InvalidInput(field, thing, "let it take one argument, the work")
    return lambda work: _to_result(_await_if_needed(call(work)), work)


def _invocation(runnable: Any) -> Callable[[Work], Any]:
    invoke = runnable.ainvoke if _is_async_only(runnable) else runnable.invoke
    return lambda work: invoke(_runnable_input(runnable, work))


def _runnable_input(runnable: Any, work: Work) -> Any:
    """The payload's `input` when there is one; else the task: a message to an agent, and to a tool
    under the name that it calls it."""
    if "input" in work.option.payload:
        return work.option.payload["input"]
    if "messages" in getattr(runnable, "channels", ()):  # an agent, or a graph like one
        return {"messages": [("user", work.task)]}
    arguments = getattr(runnable, "args", None)  # a tool's, as a JSON schema
    if not isinstance(arguments, Mapping):
        return work.task
    needed = [name for name, schema in arguments.items() if "default" not in schema]
    if not needed and len(arguments) != 1:
        return {}
    if len(needed) > 1:
        raise InvalidInput(
            f"option {work.option.name!r}.payload.input", None, f"give a mapping of {needed}"
        )
    return {(needed or list(arguments))[0]: work.task}


def _to_result(output: Any, work: Work) -> Result | str:
    """A text is charged what its calls came to, or else what its option declares.

    A message whose call nobody saw says itself how many tokens it took.
    """
    if isinstance(output, Result):
        return output
    # It loads a ledger: only when something is called.
    from thrifty.models.guard.step_account import current_account

    text, account = output_text(output), current_account()
    if (tokens := reported_tokens(output)) is None or (account and account.was_used):
        return text
    return Result(text, replace(work.option.estimate, tokens=tokens, latency_ms=0))


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
