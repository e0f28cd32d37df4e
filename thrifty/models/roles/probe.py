"""Whether the server of models answers, asked with a question that costs nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from thrifty.budget import ModelUnavailable
from thrifty.budget.clock import NANO_PER_MS, elapsed_ms, now_ns
from thrifty.models.failures.failure import read_failure
from thrifty.models.failures.server_words import NO_KEY
from thrifty.models.providers.openai_likes import connections
from thrifty.models.roles.model_role import ModelRole
from thrifty.models.wire import connection_pool
from thrifty.models.wire.background_loop import background_loop
from thrifty.models.wire.exchange import watch_exchange

DEADLINE_MS = 5_000
BAD_REQUEST = 400
NO_LIST = (404, 405, 501)
"""Some compatible servers answer questions and list no models."""
LISTS = ("data", "models")
"""Where a list of models stands."""
NAMES = ("id", "model", "name")
"""Where each has its name."""
FOLDER = "models/"
"""What Google writes before each."""


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """A server that answered."""

    models: frozenset[str] | None
    """The names of its models; None where it lists none."""
    took_ms: int


def probe(role: ModelRole) -> ProbeResult | None:
    """Asks the server of a role for the list of its models.

    Returns:
        What it said; None where its vendor has no list that costs nothing.

    Raises:
        ModelUnavailable: no answer in time, or a refusal; for good where the key is the reason.
    """
    asked = role.vendor.list_request(role.address, role.api_key or NO_KEY)
    if asked is None:
        return None
    loop, started_ns = background_loop(), now_ns()
    due_ns = started_ns + DEADLINE_MS * NANO_PER_MS
    with watch_exchange() as exchange:
        try:
            page = loop.run(lambda abandoned: loop.await_call(_get(*asked), due_ns, abandoned))
        except connection_pool.http_errors(connections()) as error:
            status = getattr(getattr(error, "response", None), "status_code", 0)
            if status not in NO_LIST:
                # What refuses to list its models will refuse the calls of a run as well.
                reason, is_final = read_failure(error, exchange).reason, status >= BAD_REQUEST
                raise ModelUnavailable(reason, for_good=is_final) from None
            page = None
    return ProbeResult(None if page is None else _names(page), elapsed_ms(started_ns))


async def _get(address: str, headers: Mapping[str, str]) -> Any:
    response = await connections().get(address, headers=headers)
    response.raise_for_status()
    return response.json()


def _names(page: object) -> frozenset[str]:
    """What of an answer is a name: a server may have sent anything."""
    given = page if isinstance(page, dict) else {}
    members = next((each for each in map(given.get, LISTS) if isinstance(each, list)), [])
    listed = (each for each in members if isinstance(each, dict))
    names = (next((each[name] for name in NAMES if name in each), "") for each in listed)
    return frozenset(str(name).removeprefix(FOLDER) for name in names)
