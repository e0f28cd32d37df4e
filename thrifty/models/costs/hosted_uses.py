"""Tools that run at a provider, whose fees for each use were declared: what they cost at most, and
what they have cost.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from thrifty.budget import InvalidInput, validate
from thrifty.budget.money import exact_usd, quote_nano_usd
from thrifty.models.costs.input_bound import messages_of
from thrifty.models.costs.read_uses import KINDS, kind_used
from thrifty.models.costs.use_fees import SEARCH, hosted_kinds
from thrifty.models.costs.written_numbers import read_decimal, read_whole

USD_MAX = 1_000
USES_MAX, TOKENS_MAX = 1_000, 10_000_000
FEES_EXAMPLE = '{"web_search": UseFee(0.01, uses_max=3, tokens_max=20_000)}'


@dataclass(frozen=True, slots=True)
class UseFee:
    """What a tool that runs at a provider costs for each use, and how often a call may use it.

    Raises:
        InvalidInput: a value that cannot be used.
    """

    usd: Decimal
    """The fee, in dollars. A float counts as the shortest decimal that names it."""
    uses_max: int
    """The most uses in one call. It is sent along where the API takes that."""
    tokens_max: int
    """The most input tokens that one use adds: what was found or read, as the model reads it. Zero
    where the provider bills none."""

    def __post_init__(self) -> None:
        usd = exact_usd("usd", self.usd, USD_MAX, f"use dollars for each use, 0 to {USD_MAX}")
        object.__setattr__(self, "usd", usd)
        validate.amount("uses_max", self.uses_max, minimum=1, maximum=USES_MAX)
        validate.amount("tokens_max", self.tokens_max, maximum=TOKENS_MAX)

    @property
    def nano_usd(self) -> int:
        """The fee in nano-USD, rounded up."""
        return quote_nano_usd(self.usd)

    def to_state(self) -> dict[str, Any]:
        """What `read_fees` reads of one fee, as plain data."""
        return {
            "usd": str(self.usd),
            "uses_max": self.uses_max,
            "tokens_max": self.tokens_max,
        }


@dataclass(frozen=True, slots=True)
class HostedUses:
    """The tools of one request that run at its provider, and whose fees were declared."""

    fees: Mapping[str, UseFee] = field(default_factory=dict)
    """By the kind of the tool."""
    are_told: bool = False
    """Whether an answer says how often they were used."""

    @classmethod
    def of(
        cls,
        request: Mapping[str, Any],
        fees: Mapping[str, UseFee],
        *,
        are_told: bool,
        searches: bool = False,
    ) -> "HostedUses":
        """Those in the body of a request, as far as their fees were declared.

        Args:
            request: the body.
            fees: by the kind of the tool.
            are_told: whether an answer says how often they were used.
            searches: whether the model searches by itself, also where its name does not say so.
        """
        kinds = [*hosted_kinds(request), *([SEARCH] if searches else ())]
        return cls({kind: fees[kind] for kind in kinds if kind in fees}, are_told)

    @property
    def most(self) -> int:
        """How many uses there can be."""
        return sum(fee.uses_max for fee in self.fees.values())

    @property
    def fees_nano_usd_max(self) -> int:
        """What they can cost. Some APIs limit all together: each may be the dearest."""
        return self.most * max((fee.nano_usd for fee in self.fees.values()), default=0)

    def input_tokens(self, asked: int, cap: int, calls: int = 1) -> int:
        """The most input tokens of a call.

        After each use the model reads all anew: what it was asked, what it has written, and what
        every use before has added.

        Args:
            asked: what is sent.
            cap: the most that it writes.
            calls: over how many calls both are spread.
        """
        most, added = self.most, max((fee.tokens_max for fee in self.fees.values()), default=0)
        return (most + 1) * asked + most * cap + calls * added * most * (most + 1) // 2

    def cap_within(self, tokens: int, asked: int, calls: int = 1) -> int:
        """The longest answer with which input and output stay within so many tokens."""
        return (tokens - self.input_tokens(asked, 0, calls)) // (self.most + 1)

    def fees_nano_usd(self, uses: Mapping[str, int] | None) -> int:
        """What the uses that an answer tells of cost, or all where it tells of none.

        Args:
            uses: by kind; None where nobody counted them.
        """
        if uses is None or not self.are_told:
            return self.fees_nano_usd_max
        return sum(self.fees[kind].nano_usd * uses.get(kind, 0) for kind in self.fees)


NO_USES = HostedUses()


def uses_sent_again(body: Mapping[str, Any], fees: Mapping[str, UseFee]) -> Iterator[UseFee]:
    """Earlier uses among the messages of a request: what they found may be read once more."""
    for item in messages_of(body):
        if (kind := kind_used(item)) and kind in fees:
            yield fees[kind]


def check_fees(fees: object) -> None:
    """Checks fees by the kind of their tools.

    Raises:
        InvalidInput: they are no mapping, or of a tool whose uses no API limits.
    """
    for kind, fee in validate.instance("fees", fees, Mapping, FEES_EXAMPLE).items():
        validate.choice("fees", kind, KINDS)
        validate.instance(f"fees.{kind}", fee, UseFee, FEES_EXAMPLE)


def read_fees(field: str, given: object) -> dict[str, UseFee]:
    """Reads fees from a mapping of tools to mappings with `usd`, `uses_max` and `tokens_max`.

    Args:
        field: what an error calls it.
        given: the mapping. A number may be a text, as a variable has it.

    Raises:
        InvalidInput: it is no such mapping, or has a value that cannot be used.
    """
    fees = validate.record(field, given, KINDS)
    return {kind: _read_fee(f"{field}.{kind}", fee) for kind, fee in fees.items()}


def _read_fee(field: str, given: object) -> UseFee:
    amounts = validate.complete_record(field, given, ("usd", "uses_max", "tokens_max"))
    usd, uses, tokens = amounts["usd"], amounts["uses_max"], amounts["tokens_max"]
    try:
        return UseFee(read_decimal(usd), read_whole(uses), read_whole(tokens))
    except InvalidInput as error:
        raise InvalidInput(f"{field}.{error.field}", error.value, error.remedy) from None
