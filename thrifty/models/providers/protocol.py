"""What a metered call has to know of a vendor: all that differs between them goes through here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from thrifty.budget import Budget
from thrifty.models.background_loop import Emit
from thrifty.models.model import CapField


@dataclass(frozen=True, slots=True)
class CallBounds:
    """What bounds every call of a model, whatever is left."""

    output_tokens_max: int
    """The largest cap that is ever sent."""
    tokens_per_attachment: int | None = None
    """The most that an image or a file can be; None: a call with one has no bound."""
    cap_field: CapField = "max_completion_tokens"
    """What Chat Completions calls the output cap; the Responses API has one name for it."""


class ProviderRequest(Protocol):
    """One request, whole but for its output cap."""

    model: str
    """The name of the model that is asked."""
    tier: str
    """The service tier that is asked for; empty for the standard one."""
    cap_wanted: int | None
    """The caller's own cap; None without."""
    cap_min: int
    """The smallest cap that the server takes."""
    digest: str
    """The same for the same request, in any process, however it is sent."""
    input_tokens: int
    """The most input tokens that it can be billed."""
    audio_tokens: int
    """The part of them that may be sound, which has a price of its own."""
    is_watched: bool
    """Whether it is seen when it leaves: not on a transport of the user's own."""
    listed_as: str
    """What the public price list calls who is asked."""

    @property
    def provider(self) -> str:
        """Who is asked, as LangChain calls them."""
        ...

    def check_bounded(self, budget: Budget) -> None:
        """Refuses a request whose worst case nobody can know, where it would matter.

        Raises:
            InvalidInput: tokens or money are limited, and something in it has no bound.
        """
        ...

    async def send(self, cap: int, emit: Emit | None = None) -> Any:
        """Sends it once, with a cap, and hands over the pieces where somebody wants them.

        Returns:
            The generation: one of LangChain's, with message and metadata.
        """
        ...


class ProviderModel(Protocol):
    """A chat model of one vendor that makes one attempt at a time, on connections of our loop."""

    given: Any
    """The model as its owner made it, which is left as it is."""
    described: Any
    """The same as it is called: what LangChain asks a model about itself, this one answers."""
    name: str
    """The name under which it is asked."""
    address: str
    """Where it is asked."""
    output_tokens_max: int | None
    """How many tokens it can answer with at most; None where that is unknown."""

    def load(self) -> None:
        """Imports now what would else be imported by the first call."""
        ...

    def request(
        self,
        messages: list[Any],
        stop: list[str] | None,
        options: Mapping[str, Any],
        bounds: CallBounds,
    ) -> ProviderRequest:
        """One request.

        Raises:
            InvalidInput: more than one answer is asked for, or a cap that no server takes.
        """
        ...

    def tool_options(self, tools: Sequence[Any], **options: Any) -> Mapping[str, Any]:
        """The arguments of a call in which these tools are bound."""
        ...
