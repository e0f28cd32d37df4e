"""A provider of models that bills what it does, and fails and lies in every way that one seed asks.

It stands behind the client's own connections, so that building a request, reading an answer,
metering, caps, retries and settlement are the real ones. What it bills is written down the moment
a request arrives: an answer that is cut, lost or never read is paid all the same.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from math import ceil
from random import Random
from typing import TYPE_CHECKING, Any

import httpx

from tests.harness.llm_server.chat import ChatCompletions
from tests.harness.llm_server.journal import Request
from tests.harness.llm_server.reply import Part, Reply
from tests.harness.llm_server.responses import Responses
from tests.harness.llm_server.usage import Bill
from tests.harness.simulation.asked import Asked
from thrifty.models.costs.token_price import TokenPrice

if TYPE_CHECKING:
    from tests.harness.simulation.world import World

DIALECTS = {"/v1/chat/completions": ChatCompletions(), "/v1/responses": Responses()}
NANO_PER_TOKEN = {"gpt-5": (1_250, 10_000), "gpt-5-mini": (250, 2_000), "house": (400, 400)}
"""What a token costs, in and out; `house` is a model whose encoding nobody knows."""
PRICES = {
    model: TokenPrice(*(Decimal(nano) / 1_000 for nano in nanos))
    for model, nanos in NANO_PER_TOKEN.items()
}
"""The same in dollars for a million, as a deployment says it."""
FREE = ("busy", "refused", "no such key", "unreachable", "failed before")
"""Fates of requests that are not billed."""
FATES = (
    *FREE,
    "failed after",
    "lost",
    "hangs",
    "no usage",
    "zero usage",
    "absurd usage",
    "no JSON",
    "no text",
    "over its cap",
    "at its cap",
    "forgetful",
)
HANGS_S = 900.0
HEADING = re.compile(r"(?m)^## .+$")


@dataclass(frozen=True)
class Manner:
    """How a provider behaves in one simulation."""

    fates: Mapping[str, float]
    """How likely each mishap is."""
    sigma: float
    """The deviation of the length of an answer, on a logarithmic scale."""
    drift: float
    """How long answers are, compared with what was foreseen of them."""
    latency_ms: int
    """How long an answer takes, in the middle."""

    @classmethod
    def drawn(cls, dice: Random, is_calm: bool) -> Manner:
        """A provider of which some things go wrong now and then, others never."""
        odds = {fate: dice.choice((0.02, 0.05, 0.15)) for fate in FATES if dice.random() < 0.3}
        return cls(
            {} if is_calm else odds,
            sigma=dice.choice((0.1, 0.4, 0.8)),
            drift=dice.choice((0.5, 1.0, 1.0, 1.6, 2.5)),
            latency_ms=dice.choice((50, 400, 2_000)),
        )


class Provider:
    """Answers the requests of one simulation."""

    def __init__(self, world: World, dice: Random, manner: Manner) -> None:
        self._world, self._dice, self.manner = world, dice, manner

    async def answer(self, request: httpx.Request) -> httpx.Response:
        """Bills a request and answers it, or does not.

        Raises:
            httpx.TransportError: what the connection does instead.
        """
        body = json.loads(request.content)
        dialect = DIALECTS[request.url.path]
        question = dialect.read(body)
        asked = self._world.audit.sent(body, question)
        fate = self._fate()
        self._world.trace(f"request {asked.number}: {asked.model}, cap {asked.cap}, {fate}")
        if fate not in FREE:
            self._bill(asked, fate)
        self._world.reach(f"request {asked.number} is out")
        latency_s = self._dice.lognormvariate(0, 0.6) * self.manner.latency_ms / 1_000
        await asyncio.sleep(HANGS_S if fate == "hangs" else latency_s)
        self._world.reach(f"request {asked.number} comes back")
        return self._response(request, dialect, _request(asked.number, body, question), asked, fate)

    def _fate(self) -> str:
        if not self._world.is_rough:
            return "fine"
        drawn = self._dice.random()
        for fate, odds in self.manner.fates.items():
            drawn -= odds
            if drawn < 0:
                return fate
        return "fine"

    def _bill(self, asked: Asked, fate: str) -> None:
        wanted = self._dice.lognormvariate(0, self.manner.sigma) * self.manner.drift
        tokens = max(1, round(wanted * self._dice.choice((60, 150, 300))))
        cap = asked.cap
        if cap is not None and fate == "over its cap":
            tokens = cap + ceil(tokens * self._dice.random())
            asked.broke_its_cap = True
        elif cap is not None:
            tokens = cap if fate == "at its cap" else min(tokens, cap)
        asked.output_tokens = tokens
        asked.is_cut = tokens == cap
        asked.is_billed = True

    def _response(
        self, request: httpx.Request, dialect: Any, question: Request, asked: Asked, fate: str
    ) -> httpx.Response:
        match fate:
            case "busy":
                retry = {"retry-after-ms": str(self._dice.choice((1, 200, 30_000)))}
                return _refusal(request, 429, retry)
            case "refused":
                return _refusal(request, 400)
            case "no such key":
                return _refusal(request, 401)
            case "failed before" | "failed after":
                return _refusal(request, self._dice.choice((500, 503)))
            case "unreachable":
                raise httpx.ConnectError("simulated: nobody there", request=request)
            case "lost":
                raise httpx.ReadError("simulated: the connection broke", request=request)
            case "hangs":
                raise httpx.ReadTimeout("simulated: nothing came", request=request)
            case "no JSON":
                content = b"<html>busy</html>"
                kind = {"content-type": "application/json"}
                return httpx.Response(200, content=content, headers=kind, request=request)
        text = "" if fate == "no text" else self._text(question, fate)
        reply = _reply(asked, question, text, self._usage(asked, fate))
        asked.is_told = fate not in ("no usage", "zero usage", "absurd usage")
        whole = dialect.whole(reply)
        if fate == "absurd usage":
            whole["usage"] = {name: _absurd(count) for name, count in whole["usage"].items()}
        return httpx.Response(200, json=whole, request=request)

    def _usage(self, asked: Asked, fate: str) -> Bill | None:
        if fate == "no usage":
            return None
        if fate == "zero usage":
            return Bill()
        return Bill(asked.input_tokens, asked.output_tokens)

    def _text(self, question: Request, fate: str) -> str:
        """Something to the point: steps where they are asked for, all headings of a draft."""
        if question.must_call:
            return json.dumps({"steps": [self._step(i) for i in range(self._dice.randrange(4))]})
        headings = HEADING.findall(question.prompt)
        if fate == "forgetful":
            headings = headings[1:]
        words = "said in better words " * 12
        return "\n\n".join(f"{heading}\n\n{words}" for heading in headings) or words

    def _step(self, number: int) -> dict[str, Any]:
        """A proposal; every fourth is nonsense."""
        cost = self._dice.choice((0, 120, 300, 10**30)), self._dice.choice((0, 500, -1))
        return {
            "name": f"Extra {number}",
            "description": f"Something more, the {number}. of its kind.",
            "executor": self._dice.choice(("llm", "llm", "local", "rm -rf")),
            "tokens": cost[0],
            "latency_ms": cost[1],
            "tool_calls": 1,
            "value": self._dice.choice((1.0, 4.0, float("nan"))),
        }


def _request(number: int, body: dict[str, Any], question: Any) -> Request:
    fields = {name: getattr(question, name) for name in question.__dataclass_fields__}
    return Request(number=number, method="POST", path="", received_at_s=0, body=body, **fields)


def _reply(asked: Asked, question: Request, text: str, usage: Bill | None) -> Reply:
    function = question.must_call
    part = Part((text,), not asked.is_cut, function, "call_1" if function else "")
    finish: Any = "length" if asked.is_cut else "tool_calls" if function else "stop"
    parts = (part,) if text else ()
    bill = Bill(asked.input_tokens, asked.output_tokens)
    reply = Reply(asked.number, question, parts, finish, bill, bill, question.model)
    return replace(reply, usage=usage)


def _absurd(count: Any) -> Any:
    return -count if isinstance(count, int) else count


def _refusal(
    request: httpx.Request, status: int, headers: dict[str, str] | None = None
) -> httpx.Response:
    content = {"error": {"message": "simulated", "type": "simulated"}}
    return httpx.Response(status, json=content, headers=headers, request=request)
