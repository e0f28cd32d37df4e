"""The account of a run: derived, for every node anew, from what no client can write.

`run:user=ann/account=user%3Aann/thread=2f1c/run=1` is a run of Ann's. User, account and thread
are what a server says. The last part is read from the state: how the run is called among those of
the same user, account and thread. Between them stand the nodes of parents' graphs in which it runs;
a client of a server can forge these, too. So whatever a client writes, the run stays one of its
own. Every part is escaped and says what it is, so that no run has the account of another, or one
that a person has opened.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from thrifty.budget import validate
from thrifty.ledger.account_names import join_account
from thrifty.ledger.authority import find_user

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

    from thrifty.run.facts import Run

RUN_NAME_MAX = 100
"""The longest name that a caller may give a run, in characters."""
RUN_KIND = "run:"
"""What the names of runs' accounts begin with."""
LOCAL = "local"
"""Stands for the user where nobody is authenticated."""


def outside_places(config: RunnableConfig) -> tuple[str, ...]:
    """Where a run is in its parents' graphs, by the configuration of who steers it from outside.

    Each place is the name of a node and the number of its turn.
    """
    namespace = str(_configurable(config).get("checkpoint_ns") or "")
    return tuple(namespace.split("|")) if namespace else ()


def node_places(config: RunnableConfig) -> tuple[str, ...]:
    """The same, by the configuration of a node of the run, whose own place is the last."""
    return outside_places(config)[:-1]


def run_account(
    run: Run, config: RunnableConfig, common: str, places: Sequence[str] | None = None
) -> str:
    """The name of a run's account in the ledger.

    Args:
        run: how the state calls it.
        config: as one of its nodes is told.
        common: the deployment's account, which pays. Empty where each run pays for itself.
        places: where the run is in its parents' graphs. By default, as a node of it is told.

    Raises:
        InvalidInput: the run's name or number is none.
    """
    name = validate.any_string("run.name", run["name"])
    if len(name) > RUN_NAME_MAX:
        validate.text("run.name", name, maximum=RUN_NAME_MAX)
    number = validate.amount("run.number", run["number"], minimum=1)
    # A named run is the same in every turn of the node around it. A numbered one is of one turn.
    where = node_places(config) if places is None else places
    if name:  # without a thread, whoever knows the name means the same run
        where = [place.partition(":")[0] for place in where if _thread(config)]
    parts = [
        ("user", find_user(config)),
        ("account", common),
        ("thread", _thread(config)),
        *(("in", place) for place in where),
        ("named", name) if name else ("run", str(number)),
    ]
    return _join(parts)


def local_account(thread: str, common: str) -> str:
    """The account of the first run of a thread, where nobody is authenticated."""
    return _join([("account", common), ("thread", thread), ("run", "1")])


def _join(parts: Sequence[tuple[str, str]]) -> str:
    has_user = any(kind == "user" and part for kind, part in parts)
    return join_account(RUN_KIND, parts, first="" if has_user else LOCAL)


def _thread(config: RunnableConfig) -> str:
    return str(_configurable(config).get("thread_id") or "")


def _configurable(config: RunnableConfig) -> Mapping[str, Any]:
    return config.get("configurable", {})
