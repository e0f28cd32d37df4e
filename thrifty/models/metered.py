"""The agent's own way through the door: a prompt in, a text or the arguments of one tool out."""

from dataclasses import dataclass
from typing import Any

from thrifty.budget import ModelUnavailable
from thrifty.models.allowance import OUTPUT_CAP_MIN, OUTPUT_CAP_UNKNOWN, Allowance
from thrifty.models.call import Limits
from thrifty.models.client import ChatClients, longest_answer
from thrifty.models.prices import PriceList, public_list
from thrifty.models.reply import Reply, read_reply
from thrifty.models.tab import tab_around
from thrifty.models.tokens import O200K_MODELS, tokens_bound
from thrifty.settings import Settings

__all__ = ["OUTPUT_CAP_MIN", "Allowance", "Models", "Request"]


@dataclass(frozen=True, slots=True)
class Request:
    """What to ask of which model."""

    model: str
    prompt: str
    effort: str = "auto"
    """Reasoning effort; `auto` sends a low one to models that reason, none to others."""
    tool: dict[str, Any] | None = None
    """A function's JSON schema whose arguments are wanted instead of text."""


class Models:
    """The models of a deployment, at its prices."""

    def __init__(self, settings: Settings) -> None:
        self.is_offline = settings.is_offline
        self.prices = PriceList(settings.prices)
        self._cap_field = settings.cap_field
        self._clients = ChatClients(settings)

    def warm_up(self) -> None:
        """Loads prices, client and encoding now: their seconds are not the first run's latency."""
        public_list()
        if not self.is_offline:
            self._clients.load()
            tokens_bound("", O200K_MODELS[0])

    def ask(self, request: Request, allowance: Allowance, config: Any = None) -> Reply:
        """Asks once, and once more where that may help; each attempt is reserved by itself.

        What was asked before under the same key is answered from the journal.

        Raises:
            BudgetExceeded: the worst case does not fit; nothing was sent.
            ModelUnavailable: no usable answer; what the attempts cost is in the ledger.
        """
        model = self._metered(request, allowance)
        if request.tool is not None:
            model = model.bind_tools([request.tool], tool_choice=request.tool["title"])
        reply = read_reply(model.invoke(request.prompt, config))
        if not reply.text.strip() and reply.arguments is None:
            raise ModelUnavailable(f"{request.model}: an answer without any text")
        return reply

    def _metered(self, request: Request, allowance: Allowance) -> Any:
        from thrifty.models.chat import MeteredChatModel  # LangChain: only when really asked

        client = self._clients.get(request.model, request.effort)
        room = allowance.envelope.tokens if allowance.envelope else OUTPUT_CAP_UNKNOWN
        limits = Limits(longest_answer(client) or room, cap_field=self._cap_field)
        tab = tab_around(allowance.ledger, allowance.account)
        return MeteredChatModel(client, lambda _: (allowance, tab), limits, self.prices)
