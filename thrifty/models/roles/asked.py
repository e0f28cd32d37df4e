"""How long what is asked is, for any model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from typing_extensions import TypedDict

from thrifty.budget import validate
from thrifty.models.costs.input_bound import (
    O200K_MODELS,
    attachments,
    body_tokens,
    is_exact,
    json_body_tokens,
)
from thrifty.models.roles.model_role import ModelRole


class AskedState(TypedDict):
    """An `Asked` as plain data."""

    tokens: int
    attachments: int
    bytes: int
    json_bytes: int


class Asked(NamedTuple):
    """How long what is asked is, with the documents that go with it."""

    tokens: int
    """As the models of OpenAI count it."""
    attachments: int = 0
    """How many images and files are in it."""
    bytes: int = 0
    """In UTF-8. They bound it for a model whose encoding nobody knows."""
    json_bytes: int = 0
    """The same with all that stands around the texts, for a vendor with a protocol of its own."""

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Asked:
        """How long the messages of a request are."""
        tokens, text = body_tokens(body, O200K_MODELS[0]), body_tokens(body, "")
        return cls(tokens, attachments(body), text, json_body_tokens(body))

    @classmethod
    def from_state(cls, given: AskedState) -> Asked:
        """Reads what a state says, which a client can write.

        Raises:
            InvalidInput: one of its fields is no amount.
        """
        fields: Mapping[str, Any] = given
        return cls(*[validate.amount(f"run.asked.{name}", fields[name]) for name in cls._fields])

    def to_state(self) -> AskedState:
        """The same as plain data."""
        return AskedState(
            tokens=self.tokens,
            attachments=self.attachments,
            bytes=self.bytes,
            json_bytes=self.json_bytes,
        )

    def tokens_for(self, model: ModelRole) -> int:
        """The most input tokens that it can be for a model, about."""
        text = self.tokens
        if not is_exact(model.encoding):
            text = max(text, self.json_bytes if model.vendor.counts_as_json else self.bytes)
        return text + self.attachments * (model.tokens_per_attachment or 0)
