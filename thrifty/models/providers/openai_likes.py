"""Vendors whose class is made from OpenAI's, and that are not OpenAI."""

from typing import TYPE_CHECKING, Any

from thrifty.models.providers.openai import OpenAIModel
from thrifty.models.providers.thinking import Thinking
from thrifty.models.providers.vendor_facts import Server
from thrifty.settings import Settings

if TYPE_CHECKING:
    from thrifty.models.roles.model_role import ModelRole


class OpenAILikeModel(OpenAIModel):
    """A chat model that speaks like OpenAI's, with a tokenizer and service tiers of its own.

    What OpenAI's is made of by the settings, it is made of as any other vendor's.
    """

    limits_uses = False

    @classmethod
    def usual_server(cls, settings: Settings) -> Server:
        """As its own variables say."""
        return super(OpenAIModel, cls).usual_server(settings)

    @classmethod
    def make(cls, role: "ModelRole") -> Any:
        """By its own class."""
        return super(OpenAIModel, cls).make(role)

    @classmethod
    def thinking(cls, model: str, effort: str) -> Thinking:
        """It is told nothing."""
        return super(OpenAIModel, cls).thinking(model, effort)

    @classmethod
    def encoding(cls, model: str, address: str) -> str:
        """Nobody here has it: bytes bound a text, with room for what the vendor adds."""
        return ""

    def close(self, body: dict[str, Any], options: dict[str, Any]) -> None:
        """It has no tiers to name."""
        return None
