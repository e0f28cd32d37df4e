"""Who pays: which account a call is charged to, chosen by what no client can write.

A client of LangGraph's Agent Server writes the input, the state, the context, the metadata and
most of the configuration. The server itself writes who was authenticated, which thread it is and
which graph runs, and it lets no client overwrite these. Only they decide who pays. A client picks
the thread and the assistant of its request, as far as your authorization lets it. So let the user
decide who pays, and these no more than which of the user's own accounts it is.

Elsewhere your own program writes the configuration, so all of it may be read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from thrifty.budget import InvalidInput

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

USER_KEY = "langgraph_auth_user_id"
SERVER_KEYS = (
    "langgraph_auth_user",
    USER_KEY,
    "langgraph_auth_permissions",
    "graph_id",
    "assistant_id",
)
"""What an Agent Server writes into `configurable`. A client can neither set nor remove them."""
TRUSTED_KEYS = (*SERVER_KEYS, "thread_id", "run_id")
"""What is kept of `configurable` for a function that chooses an account on an Agent Server."""
STUDIO_USER = "langgraph-studio-user"
"""Whom the server takes a browser for that shows the pass of LangSmith: it may be anybody."""

NAME_REMEDIES = {
    "account": "return the name of an account that is open",
    "run": "return a name that stays the same when the run starts again",
}
"""What the function should do that chooses an account or names a run."""

AccountChoice = str | Callable[["RunnableConfig"], str]
"""An account by its name, or a function of the configuration that names it."""


def authenticated_user(config: RunnableConfig, *, studio: str | None = None) -> str:
    """The name of the user that the server has authenticated.

    Use it to choose who pays: `account=lambda config: f"user:{authenticated_user(config)}"`.
    In a program of your own, hand over the user that you have authenticated as
    `{"configurable": {"langgraph_auth_user_id": user}}`.

    Args:
        config: the configuration of the run.
        studio: the name to use for LangGraph Studio, which a server lets in under one name
            for everybody. By default it is refused.

    Raises:
        InvalidInput: nobody is authenticated, or it is Studio and has no name.
    """
    user = find_user(config)
    if user == STUDIO_USER:
        if studio is None:
            remedy = (
                "log in as a user of your own, or give Studio an account: "
                'authenticated_user(config, studio="studio")'
            )
            raise InvalidInput("account", user, remedy)
        return studio
    if not user.strip():
        remedy = (
            "a user has to be authenticated for this account; "
            "name an auth handler in langgraph.json, or choose an account without a user"
        )
        raise InvalidInput("account", user, remedy)
    return user


def find_user(config: RunnableConfig) -> str:
    """The authenticated user. Empty where there is none."""
    user = config.get("configurable", {}).get(USER_KEY)
    return "" if user is None else str(user)


def is_on_server(config: RunnableConfig) -> bool:
    """Whether an Agent Server runs it, which says so itself."""
    return any(key in config.get("configurable", {}) for key in SERVER_KEYS)


def choose_account(
    account: AccountChoice, config: RunnableConfig, field: Literal["account", "run"] = "account"
) -> str:
    """The account that pays, or the name of the run that it pays for.

    Args:
        account: the name, or the function that chooses it.
        config: the configuration of the run. On an Agent Server the function is given what no
            client can write, and nothing else.
        field: which of both it is, for what is refused.

    Raises:
        InvalidInput: the function returned no name, or asked for what a client can write.
    """
    if isinstance(account, str):
        return account
    on_server = is_on_server(config)
    try:
        name = account(_keep_trusted(config.get("configurable", {})) if on_server else config)
    except KeyError as error:
        if not on_server:
            raise
        remedy = (
            "on an Agent Server a client can write it, so it cannot choose who pays; "
            f"use authenticated_user(config), or one of: {', '.join(TRUSTED_KEYS)}"
        )
        raise InvalidInput(field, error.args[0], remedy) from error
    if not isinstance(name, str) or not name.strip():
        raise InvalidInput(field, name, NAME_REMEDIES[field])
    return name


def unknown_account(name: str) -> InvalidInput:
    """The refusal of an account that nobody has opened."""
    return InvalidInput("account", name, "open it first, with ledger.open(name, budget)")


def inherit_user(
    config: RunnableConfig | None, around: RunnableConfig | None
) -> RunnableConfig | None:
    """A configuration with the user of the run around it.

    LangGraph drops what surrounds a run that names a thread of its own. Who is authenticated
    stays the same person, and nothing within a run may say otherwise.

    Args:
        config: what a run is started with.
        around: of the node in which it is started. None outside of any.
    """
    outer: Mapping[str, Any] = (around or {}).get("configurable", {})
    kept = {key: outer[key] for key in SERVER_KEYS if key in outer}
    if not kept:
        return config
    inherited: RunnableConfig = {**config} if config else {}
    inherited["configurable"] = {**inherited.get("configurable", {}), **kept}
    return inherited


def _keep_trusted(configurable: Mapping[str, Any]) -> RunnableConfig:
    return {"configurable": {key: configurable[key] for key in TRUSTED_KEYS if key in configurable}}
