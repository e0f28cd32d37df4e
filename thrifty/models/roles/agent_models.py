"""The agent's own models: a prompt in, a text or the arguments of one tool out."""

import json
from dataclasses import dataclass, field, replace
from typing import Any

from thrifty.budget import ModelUnavailable
from thrifty.models.calls.allowance import OUTPUT_CAP_UNKNOWN, Allowance
from thrifty.models.costs.input_bound import O200K_MODELS, tokens_bound
from thrifty.models.costs.prices import PriceList, public_list
from thrifty.models.providers.vendor import Vendor
from thrifty.models.providers.vendors import has_ended_early
from thrifty.models.roles.chat_clients import ChatClients
from thrifty.models.roles.model_role import ModelRole
from thrifty.models.roles.model_roles import ModelRoles
from thrifty.settings import Settings


@dataclass(frozen=True, slots=True)
class ModelPrompt:
    """What to ask of which model."""

    role: str
    """The model's role."""
    text: str = ""
    messages: tuple[Any, ...] = field(default=(), hash=False)
    """LangChain's, which are sent as they are instead of a text."""
    tool: dict[str, Any] | None = None
    """A function's JSON schema whose arguments are wanted instead of text. Its title is its name.
    """

    def input_tokens(self, role: ModelRole) -> int:
        """The most input tokens that a model can be billed, counted as its call counts them."""
        body: dict[str, Any] = {"input": self.text}
        if self.messages:
            from langchain_core.messages import convert_to_openai_messages

            body = {"messages": convert_to_openai_messages([*self.messages])}
        if self.tool is not None and role.shape_field == "response_format":
            body["response_format"] = _response_format(self.tool)
        elif self.tool is not None:
            from langchain_core.utils.function_calling import convert_to_openai_tool

            body["tools"] = [convert_to_openai_tool(self.tool)]
        return role.input_tokens(body)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that was paid."""

    text: str
    arguments: Any = field(default=None, hash=False)
    """The arguments of the tool, when one was asked for: untrusted, of any shape. None where the
    answer has neither a call nor JSON."""
    is_cut: bool = False
    """Whether the answer ends at the output cap, or where its stream broke off."""
    output_tokens: int | None = None
    """How many tokens were written; None where nobody counted them."""


class Models:
    """The models of a deployment, at its prices.

    Raises:
        InvalidInput: the package of a vendor is missing.
    """

    def __init__(self, settings: Settings) -> None:
        self.roles = ModelRoles(settings)
        self.roles.require_packages()
        self.prices = PriceList(settings.prices)
        """Of models that executors ask by themselves."""
        self._clients = ChatClients(self.roles)

    def warm_up(self) -> None:
        """Loads prices, client and encoding now: their seconds are not the first run's latency."""
        public_list()
        if not self.roles.is_offline:
            self._clients.load()
            tokens_bound("", O200K_MODELS[0])

    def client(self, role: str) -> Vendor:
        """Who is asked for a role.

        Raises:
            InvalidInput: there is no such role.
            ModelUnavailable: its client cannot be made.
        """
        return self._clients.get(role)

    def for_step(self, role: str) -> Any:
        """The chat model of a role, whose calls are booked on the step that makes them.

        Raises:
            InvalidInput: there is no such role.
        """
        from thrifty.models.calls.metered import metered_in_step  # LangChain: only when asked

        asked = self.roles[role]
        client = self.client(role)
        bounds = asked.call_bounds(client.output_tokens_max or OUTPUT_CAP_UNKNOWN)
        return metered_in_step(client, asked.prices, bounds)

    def ask(self, prompt: ModelPrompt, allowance: Allowance, config: Any = None) -> Reply:
        """Asks once, and once more where that may help; each attempt is reserved by itself.

        What was asked before under the same key is answered from the journal.

        Raises:
            BudgetExceeded: the worst case does not fit; nothing was sent.
            InvalidInput: there is no such role.
            ModelUnavailable: no usable answer; what the attempts cost is in the ledger.
        """
        from thrifty.models.calls.metered_model import (
            MeteredChatModel,  # LangChain: only when asked
        )

        role, client = self.roles[prompt.role], self.client(prompt.role)
        # Where nobody knows how long its answers can be, the reservation alone bounds them.
        limit = allowance.limit.tokens if allowance.limit else OUTPUT_CAP_UNKNOWN
        bounds = role.call_bounds(client.output_tokens_max or limit)
        model: Any = MeteredChatModel(client, lambda _: allowance, bounds, role.prices)
        if prompt.tool is not None and role.shape_field == "response_format":
            # Not as an option of its own: the client would parse it, and lose the bill of bad JSON.
            wanted = {"response_format": _response_format(prompt.tool)}
            model = model.bind(extra_body=wanted)
        elif prompt.tool is not None:
            model = model.bind_tools(
                [prompt.tool], tool_choice=prompt.tool["title"], **as_shape(prompt.tool)
            )
        reply = read_reply(model.invoke([*prompt.messages] or prompt.text, config))
        if prompt.tool is not None and reply.arguments is None:
            reply = replace(reply, arguments=_read_json(reply.text))
        if not reply.text.strip() and reply.arguments is None:
            raise ModelUnavailable(f"{role.model}: an answer without any text")
        return reply


def as_shape(schema: dict[str, Any]) -> dict[str, Any]:
    """Says, in LangChain's words, that a tool is the shape of an answer: some cannot be forced."""
    return {
        "ls_structured_output_format": {
            "kwargs": {"method": "function_calling"},
            "schema": schema,
        }
    }


def _response_format(schema: dict[str, Any]) -> dict[str, Any]:
    wanted = {"name": schema["title"], "schema": schema}
    return {"type": "json_schema", "json_schema": wanted}


def _read_json(text: str) -> Any:
    """What a text holds as JSON; None where it holds none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def read_reply(message: Any) -> Reply:
    """Text, tool-call arguments and whether they were cut, from a message of LangChain's."""
    calls = message.tool_calls or message.invalid_tool_calls  # broken JSON is the reader's affair
    usage = message.usage_metadata
    arguments = calls[0]["args"] if calls else None
    written = usage["output_tokens"] if usage else None
    return Reply(str(message.text), arguments, has_ended_early(message), written)
