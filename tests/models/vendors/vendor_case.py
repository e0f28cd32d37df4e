"""What the tests have to know of a vendor."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import HumanMessage

from tests.harness.llm_server import Bill, LLMServer

NOTHING, ALL, BILL = "nothing", "all that was held", "the server's bill"
"""What a call may be charged."""

Options = Mapping[str, Any]
"""Arguments of a model, or of a call."""


@dataclass(frozen=True, kw_only=True)
class Prices:
    """What one token costs, in nano-USD."""

    input: int
    output: int
    cached: int
    written: int = 0
    """Written to a cache for minutes. Zero: nobody asks more for that."""
    written_1h: int = 0
    """Written to it for an hour."""

    def cost(self, bill: Bill) -> int:
        """What a provider asks for a bill."""
        written, hour = bill.written_input_tokens, bill.written_1h_input_tokens
        fresh = bill.input_tokens - bill.cached_input_tokens - written - hour
        return (
            fresh * self.input
            + bill.cached_input_tokens * self.cached
            + written * (self.written or self.input)
            + hour * (self.written_1h or self.written or self.input)
            + bill.output_tokens * self.output
        )

    def worst(self, input_tokens: int, output_tokens: int) -> int:
        """The most that so many tokens can cost."""
        dearest = max(self.input, self.written, self.written_1h)
        return input_tokens * dearest + output_tokens * self.output


PICTURE: Options = {
    "type": "image_url",
    "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="},
}


@dataclass(frozen=True, kw_only=True)
class VendorCase:
    """A vendor, by one of its models and one of its protocols."""

    name: str
    """As the tests are called."""
    column: str
    """Its column in the tables of the docs."""
    api: str
    """Its protocol, as the server's journal calls it."""
    client: Callable[..., Any]
    """Makes its chat model at a server: `client(server, **options)`."""
    prices: Prices
    output_tokens_max: int
    """How much the model can write at most."""
    input_slack_tokens: int
    """How much larger than the server's count the bound on a short input may be."""
    counts: tuple[str, ...] = ("cached_input_tokens",)
    """Which parts of the input its answers count apart, as `Answer` calls them."""
    caps: Mapping[str, tuple[Options, Options]] = field(default_factory=dict)
    """Where a cap of 50 can be named: arguments of the model, and of the call."""
    unbounded: Mapping[str, tuple[Options, Options]] = field(default_factory=dict)
    """What is refused, and how: arguments of the model, and of the call, by what is told."""
    unpriced: Mapping[str, tuple[Options, Options]] = field(default_factory=dict)
    """What has no price, the same way."""
    broken_header: Options = field(default_factory=lambda: {"api_key": "k\nX-Other: 1"})
    """Arguments of a model whose requests cannot be written."""
    own_retries: Options = field(default_factory=lambda: {"max_retries": 5})
    """Arguments of a model that would try again by itself."""
    picture: Options = field(default_factory=lambda: PICTURE)
    """A part of a message that is more than its text."""
    charged: Mapping[str, str] = field(default_factory=dict)
    """What goes wrong and is charged otherwise than at most vendors, by its name in the table."""
    terms: Options = field(default_factory=dict)
    """How the model is metered, beside the account."""

    @property
    def image(self) -> HumanMessage:
        """A message with a picture."""
        return HumanMessage([{"type": "text", "text": "What is this?"}, dict(self.picture)])

    def at(self, server: LLMServer, options: Options | None = None) -> Any:
        """Its chat model, at a server."""
        return self.client(server, **(options or {}))
