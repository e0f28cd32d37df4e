"""A vendor's chat model: what is the same for all of them, and what each has to say of its own.

What differs between vendors is a small file each: names of fields, and what the vendor adds to a
request.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

from thrifty.budget import Budget, InvalidInput
from thrifty.ledger.idempotent_calls import fingerprint
from thrifty.models.costs.hosted_uses import NO_USES, HostedUses
from thrifty.models.costs.input_bound import as_json
from thrifty.models.providers.caps import CAP_FIELDS, WITHIN, read_caps, without_caps
from thrifty.models.providers.refusals import check_transport, unknown_model
from thrifty.models.providers.vendor_facts import VendorFacts
from thrifty.models.providers.vendor_request import CallBounds, VendorRequest
from thrifty.models.wire.background_loop import background_loop

if TYPE_CHECKING:
    from thrifty.models.roles.model_role import ModelRole

ONE_REQUEST = {"max_retries": 0, "stream_usage": True, "streaming": False}
"""How a client is set that sends each request once and counts it: a retry is a call of its own."""


class Vendor(VendorFacts, ABC):
    """A chat model of one vendor, for metered calls. A vendor's file makes it of facts.

    Raises:
        InvalidInput: it is none of the vendor's, or cannot be used.
    """

    listed_as: str
    """What the public price list calls the vendor."""
    reports_cost: ClassVar[bool] = False
    """Whether its answers say what they have cost, and that is the bill."""
    cut_words: ClassVar[Mapping[str, tuple[str, ...]]]
    """Where the last piece of an answer says how it ended, and in which words that it was cut."""
    delivery_fields: ClassVar[tuple[str, ...]]
    """What of a request may differ where the same is asked, beside its cap."""
    counts_by_piece: ClassVar[bool] = False
    """Whether in LangChain's pieces of a stream each counts what it adds, whatever the server
    says."""
    why_cap_min: ClassVar[str] = ""
    """Why a server takes no smaller cap, where one does not take all."""

    declines_tools: ClassVar[Any] = None
    """How a request says that no tool is to be called, where the API wants to be told of each tool
    that stands in a conversation. None: they may be left out."""

    def __init__(self, model: Any) -> None:
        if not self.takes(model):
            raise unknown_model(model, self.package)
        check_transport(model)
        self.check(model)
        self.given = model
        """The model as its owner made it, which is left as it is."""
        self.name = self.name_of(model)
        """The name under which it is asked."""
        self.address = self.address_of(model)
        """Where it is asked."""
        self.output_tokens_max: int | None = (model.profile or {}).get("max_output_tokens")
        """How many tokens it can answer with at most; None where that is unknown."""
        counted = getattr(model, "stream_usage", None) is not False  # else its owner wants it so
        changes = {**ONE_REQUEST, "stream_usage": counted}
        self.described = described = model.model_copy(update=changes)
        """The same as it is called: what LangChain asks a model about itself, this one answers."""
        self.is_apart = False
        """Whether its server is another than its vendor's variables speak of, so that nothing of
        them is sent there."""
        # A fork has a loop of its own, and so makes connections of its own.
        self._connected_on = cache(lambda loop: self.connect(described))

    @classmethod
    def of_role(cls, role: "ModelRole") -> "Vendor":
        """The model of a role: the one that its deployment has made, or one made for it."""
        if role.client is not None:
            return cls(role.client)
        made = cls(cls.make(role))
        made.is_apart = role.is_apart
        return made

    @classmethod
    def takes(cls, model: Any) -> bool:
        """Whether a model is this vendor's."""
        return cls.kind_of(model) is not None

    @classmethod
    def kind_of(cls, model: Any) -> Any:
        """The vendor's own class among those that a model is made of. Nothing is imported."""
        return made_of(model, cls.package, cls.kind)

    @abstractmethod
    def name_of(self, model: Any) -> str:
        """The name under which a model is asked."""

    @abstractmethod
    def address_of(self, model: Any) -> str:
        """Where it is asked."""

    @abstractmethod
    def connect(self, model: Any) -> Any:
        """A copy of a model without caps of its own, on connections of this process.

        It tries each request once.
        """

    @abstractmethod
    def input_tokens(
        self, body: Mapping[str, Any], messages: Sequence[Any], bounds: CallBounds
    ) -> int:
        """The most input tokens that a request can be billed, with what the vendor adds unseen."""

    @abstractmethod
    def check_bounded(self, request: VendorRequest, budget: Budget) -> None:
        """Refuses a request whose worst case nobody can know.

        Raises:
            InvalidInput: something in it has no bound.
        """

    def cap_min(self, body: Mapping[str, Any]) -> int:
        """The smallest cap that the server takes for a request."""
        return 1

    def tier(self, body: Mapping[str, Any]) -> str:
        """What of a request has another price than the standard's; empty when nothing has."""
        return str(body.get("service_tier") or "")

    def check(self, model: Any) -> None:
        """Refuses a model that cannot be used.

        Raises:
            InvalidInput: with the remedy.
        """
        return None

    def audio_tokens(self, body: Mapping[str, Any], bounds: CallBounds) -> int:
        """The part of the input that may be sound, which has a price of its own."""
        return 0

    def load(self) -> None:
        """Imports what the client puts off until its parts are looked at."""
        return None

    @property
    def is_watched(self) -> bool:
        """Whether a request is seen when it leaves: not on a transport of the user's own."""
        return True

    def body(
        self,
        connected: Any,
        messages: list[Any],
        stop: list[str] | None,
        options: Mapping[str, Any],
    ) -> dict[str, Any]:
        """What the client will send, but for the cap."""
        body: dict[str, Any] = connected._get_request_payload(messages, stop=stop, **options)
        return body

    def close(self, body: dict[str, Any], options: dict[str, Any]) -> None:
        """Says in a request, and in its arguments, what is dear where it is left open."""
        return None

    def hosted_uses(
        self, body: dict[str, Any], options: dict[str, Any], bounds: CallBounds
    ) -> HostedUses:
        """The tools in a request that run at the provider, where each use has a declared fee.

        It also says in the request, and in its arguments, how often they may be used at most.
        """
        return NO_USES

    def own_cap(self, model: Any) -> Any:
        """The cap that a model was made with; None without."""
        return model.max_tokens

    def call_caps(self, options: Mapping[str, Any]) -> Iterable[Any]:
        """Caps among the arguments of a call that stand where no other vendor has one."""
        return ()

    def cap_options(self, request: VendorRequest, cap: int) -> dict[str, Any]:
        """The arguments of a call by which it is sent with this cap."""
        return {"max_tokens": cap}

    def capped_model(self, request: VendorRequest, cap: int) -> Any:
        """Who is asked, where the cap is not among the arguments of the call."""
        return request.connected

    @property
    def streams(self) -> bool:
        """Whether an answer can be sent in pieces."""
        return True

    def complete_usage(self, message: Any, body: Mapping[str, Any]) -> None:
        """Writes into an answer's count what only its request says."""
        return None

    def request(
        self,
        messages: list[Any],
        stop: list[str] | None,
        options: Mapping[str, Any],
        bounds: CallBounds,
    ) -> VendorRequest:
        """One request, as the client would send it.

        Raises:
            InvalidInput: more than one answer is asked for, or a cap that no server takes.
        """
        connected = self._connected_on(background_loop())
        kept = without_caps(options)
        kept.pop("stream_usage", None)  # what nobody counts is charged in full
        body = self.body(connected, messages, stop, kept)
        # The client merges it into the body as well, where it may overwrite any field.
        body |= body.pop("extra_body", None) or {}
        self.close(body, kept)
        uses = self.hosted_uses(body, kept, bounds)
        if body.get("n") not in (None, 1):
            raise InvalidInput("n", body["n"], "ask once for each answer")
        cap_wanted, cap_min = self._cap_wanted(options), self.cap_min(body)
        cap_max = min(cap_wanted or bounds.output_tokens_max, bounds.output_tokens_max)
        if cap_max < cap_min:
            raise InvalidInput(
                "max_tokens", cap_max, f"use {cap_min:,} or more; {self.why_cap_min}"
            )
        return VendorRequest(
            model=str(body.get("model") or self.name),
            tier=self.tier(body),
            cap_wanted=cap_wanted,
            cap_min=cap_min,
            digest=self._digest(body),
            input_tokens=self.input_tokens(body, messages, bounds),
            audio_tokens=self.audio_tokens(body, bounds),
            uses=uses,
            is_watched=self.is_watched,
            listed_as=self.listed_as,
            vendor=self,
            body=body,
            connected=connected,
            messages=messages,
            options={"stop": stop, **kept},
            bounds=bounds,
        )

    def tool_options(self, tools: Sequence[Any], **options: Any) -> Mapping[str, Any]:
        """The arguments of a call in which these tools are bound, as the model itself does it."""
        bound: Any = self.described.bind_tools(tools, **options)
        kept: Mapping[str, Any] = bound.kwargs
        return kept

    def _cap_wanted(self, options: Mapping[str, Any]) -> int | None:
        """The smallest of the caps that the caller set anywhere; which would be sent depends."""
        model = self.described
        caps, made = [self.own_cap(model)], getattr(model, "model_kwargs", None) or {}
        for source in (vars(model), made, options):
            for name in WITHIN:
                caps += map((source.get(name) or {}).get, CAP_FIELDS)
        for source in (made, options):
            caps += map(source.get, CAP_FIELDS)
        caps += self.call_caps(options)
        return min(read_caps(caps), default=None)

    def _digest(self, body: Mapping[str, Any]) -> str:
        asked = dict(body)
        for field in (*self.delivery_fields, *CAP_FIELDS):
            asked.pop(field, None)
        return fingerprint(as_json(asked))


def made_of(model: Any, package: str, kind: str) -> Any:
    """The class of a package among those that an object is made of; None without. By its name."""
    module = package.replace("-", "_")
    for base in type(model).__mro__:
        if base.__name__ == kind and base.__module__.partition(".")[0] == module:
            return base
    return None
