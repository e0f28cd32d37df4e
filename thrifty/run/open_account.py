"""Opens the account of a run: by itself, or below one that several runs share."""

from collections.abc import Iterable

from langchain_core.runnables import RunnableConfig

from thrifty.budget import Budget, LeaseLost
from thrifty.ledger.authority import is_on_server, unknown_account
from thrifty.ledger.notes import Notes
from thrifty.models.calls.current_account import current_account
from thrifty.models.roles.asked import Asked
from thrifty.run.conversation import message_ids
from thrifty.run.facts import Run
from thrifty.run.identity import node_places, run_account
from thrifty.run.run_input import RunInput
from thrifty.run.services import Services

BEGAN = "began"
"""The notes in a run's account that say where it began."""
REPLAY = "__pregel_replay_state"
"""Where LangGraph keeps from which checkpoint a run goes on."""


def open_account(
    given: RunInput,
    recipe: str,
    number: int,
    config: RunnableConfig,
    checkpoint: str,
    services: Services,
) -> tuple[Run, str]:
    """Opens the account. A run inside a step of another gets at most what that step has left.

    Args:
        given: what it was asked.
        recipe: which one it follows.
        number: its number by the state of its thread.
        config: as its first node is told.
        checkpoint: that from which its first node is run.
        services: with the ledger.

    Returns:
        The run, and the name of its account.

    Raises:
        InvalidInput: nobody has opened the account that is to pay for the run.
        LeaseLost: another invocation is doing this very run.
    """
    budget = given.budget
    if outer := current_account():
        budget = budget.tightest_with(outer.left)
    run = _run_of(given, recipe, number, budget)
    payer = services.common(config)  # asked once: who pays is in the account's name, too
    beginnings = () if given.name else _beginnings(config, checkpoint)
    while beginnings and _is_of_another(run_account(run, config, payer), beginnings, services):
        run = Run(**{**run, "number": run["number"] + 1})
    run_id = run_account(run, config, payer)
    _open(run_id, budget, payer, services)
    _note_beginnings(run_id, beginnings, services)
    if budget.tightest_with(services.ledger.balance(run_id).left) != budget:
        # The plan counts on what is left: what dead processes hold must not make it a poor one.
        services.ledger.sweep(payer or run_id)
    return run, run_id


def _run_of(given: RunInput, recipe: str, number: int, budget: Budget) -> Run:
    """The run as it is accepted, before anything is measured of it."""
    return Run(
        name=given.name,
        number=number,
        task=given.task,
        recipe=recipe,
        conversation=message_ids(given.messages),
        words=given.words,
        decomposition=None,
        uncounted=[],
        asked=Asked(0).to_state(),
        budget=budget.to_state(),
        documents=list(given.documents),
    )


def _beginnings(config: RunnableConfig, checkpoint: str) -> tuple[str, ...]:
    """What tells a run that begins again from another one, on an Agent Server.

    A server that died starts its run again under the same id. Who goes back to the beginning of a
    run names the checkpoint. Elsewhere, and in a parent's graph, a number is enough.
    """
    if node_places(config) or not is_on_server(config):
        return ()
    given = config.get("configurable", {})
    gone_back_to = getattr(given.get(REPLAY), "checkpoint_id", "")
    return tuple(str(each) for each in (given.get("run_id"), checkpoint, gone_back_to) if each)


def _is_of_another(run_id: str, beginnings: Iterable[str], services: Services) -> bool:
    """Whether an account is that of another run.

    Where a client's next message has rolled that back, no state of the thread tells of it.
    """
    notes = Notes(services.ledger, run_id, BEGAN)
    try:
        is_noted = notes.read(BEGAN) is not None
    except KeyError:  # nobody has opened it
        return False
    return is_noted and all(notes.read(f"{BEGAN}/{each}") is None for each in beginnings)


def _note_beginnings(run_id: str, beginnings: Iterable[str], services: Services) -> None:
    notes = Notes(services.ledger, services.account(run_id), BEGAN)
    named = [f"{BEGAN}/{each}" for each in beginnings]
    for key in (*named, BEGAN) if named else ():
        if notes.read(key) is None:
            notes.write(key)


def _open(run_id: str, budget: Budget, payer: str, services: Services) -> None:
    """Opens an account or, where a run that was killed is asked for again, finds it."""
    parent, ledger = payer or None, services.ledger
    try:
        ledger.open(run_id, budget, parent=parent)
    except LeaseLost:  # its limits change, which only who has taken it over may do
        with services.runs.track_node(run_id, lambda: 0):
            ledger.open(services.account(run_id), budget, parent=parent)
    except KeyError:
        raise unknown_account(payer) from None
