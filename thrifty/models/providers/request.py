"""What a metered call has to know of its request, whatever is asked for."""

from typing import Any, ClassVar, Protocol

from thrifty.budget import Budget
from thrifty.models.costs.hosted_uses import HostedUses
from thrifty.models.wire.background_loop import Emit


class MeteredRequest(Protocol):
    """One request, whole but for its output cap. No field of it is changed."""

    operation: ClassVar[str]
    """What is done, as OpenTelemetry calls it."""

    @property
    def model(self) -> str:
        """The name of the model that is asked."""
        ...

    @property
    def address(self) -> str:
        """Where it is asked."""
        ...

    @property
    def provider(self) -> str:
        """Who is asked, as LangChain calls them."""
        ...

    @property
    def listed_as(self) -> str:
        """What the public price list calls who is asked."""
        ...

    @property
    def tier(self) -> str:
        """The service tier that is asked for; empty for the standard one."""
        ...

    @property
    def digest(self) -> str:
        """The same for the same request, in any process, however it is sent."""
        ...

    @property
    def input_tokens(self) -> int:
        """The most input tokens that it can be billed."""
        ...

    @property
    def audio_tokens(self) -> int:
        """The part of them that may be sound, which has a price of its own."""
        ...

    @property
    def cap_wanted(self) -> int | None:
        """The caller's own cap; None without."""
        ...

    @property
    def cap_min(self) -> int:
        """The smallest cap that the server takes."""
        ...

    @property
    def uses(self) -> HostedUses:
        """The tools in it that run at the provider."""
        ...

    @property
    def is_watched(self) -> bool:
        """Whether it is seen when it leaves: not on a transport of the user's own."""
        ...

    @property
    def keeps_answer(self) -> bool:
        """Whether its answer is kept beside its bill, so that it is not paid for twice."""
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
