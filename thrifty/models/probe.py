"""Whether the server of models answers, asked with a question that costs nothing."""

from dataclasses import dataclass
from importlib import import_module

from thrifty.budget import ModelUnavailable
from thrifty.budget.clock import NANO_PER_MS, elapsed_ms, now_ns
from thrifty.models.background_loop import background_loop
from thrifty.models.failures import read_failure
from thrifty.models.providers.openai import OPENAI_ADDRESS, connections
from thrifty.models.roles import ModelRole
from thrifty.models.server_words import NO_KEY

DEADLINE_MS = 5_000
NO_LIST = (404, 405, 501)
"""Some compatible servers answer questions and list no models."""


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """A server that answered."""

    models: frozenset[str] | None
    """The names of its models; None where it lists none."""
    took_ms: int


def server_address(role: ModelRole) -> str:
    """Where a role's model is asked."""
    return role.base_url or OPENAI_ADDRESS


def probe(role: ModelRole) -> ProbeResult:
    """Asks the server of a role for the list of its models.

    Raises:
        ModelUnavailable: no answer in time, or a refusal; for good where the key is the reason.
    """
    openai = import_module("openai")
    client = openai.AsyncOpenAI(
        api_key=role.api_key or NO_KEY,
        base_url=server_address(role),
        http_client=connections(),
        max_retries=0,  # a person waits for it
    )
    loop, started_ns = background_loop(), now_ns()
    due_ns = started_ns + DEADLINE_MS * NANO_PER_MS
    page: object = None
    try:
        page = loop.run(lambda abandoned: loop.await_call(client.models.list(), due_ns, abandoned))
    except openai.APIStatusError as error:
        if error.status_code not in NO_LIST:
            # What refuses to list its models will refuse the calls of a run as well.
            raise ModelUnavailable(read_failure(error).reason, for_good=True) from None
    except (openai.OpenAIError, TimeoutError, ValueError) as error:
        raise ModelUnavailable(read_failure(error).reason) from None
    return ProbeResult(None if page is None else _names(page), elapsed_ms(started_ns))


def _names(page: object) -> frozenset[str]:
    """What of an answer is a name: a server may have sent anything."""
    members = getattr(page, "data", None) or ()
    return frozenset(str(getattr(model, "id", "")) for model in members)
