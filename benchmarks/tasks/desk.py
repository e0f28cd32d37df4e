"""A folder over which texts are asked of writers: what a run asks, and what was written.

A run that lacks a reply is given a mark in its place, and goes on. What is asked with such a mark
in it has to wait, and so has a tool that is called with one. So everything that can be written
today is asked in one round, and nothing that hangs on what is not written yet.
"""

import functools
import hashlib
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from langchain_core.tools import BaseTool

from benchmarks.tasks.scripted_replies import REASONING
from tests.harness.llm_server import Answer, Behaviour, Request
from tests.harness.llm_server import tokens as vocabulary
from tests.harness.llm_server.reply import Reply, compose

PILES = ("1", "2")
"""What a writer sees. The two answers of a task are in different ones, so that who writes one has
not read the other, nor what was found out for it."""
DIGEST_LENGTH = 16
_MARK = re.compile(r"\[\[not written yet: [0-9a-f]{16}\]\]")


@dataclass
class Desk:
    """The requests and replies of one run."""

    folder: Path
    pile: str
    """Where its requests are written."""
    waiting: dict[str, str] = field(default_factory=dict)
    """The requests that have no reply yet, as a writer sees them."""

    def answer(self, request: Request) -> Answer:
        """What a server says to a request: what was written, or a mark."""
        name = digest(request)
        if _MARK.search(request.prompt):
            return Answer(mark(name))
        written = self.folder / "replies" / f"{name}.md"
        if written.exists():
            text = written.read_text("utf-8").strip()
            return Answer(text, reasoning_tokens=round(vocabulary.count(text) * REASONING))
        self.waiting[name] = as_text(request)
        return Answer(mark(name))

    def ask(self) -> None:
        """Writes what waits where writers look."""
        pile = self.folder / "asked" / self.pile
        pile.mkdir(parents=True, exist_ok=True)
        for name, text in self.waiting.items():
            (pile / f"{name}.md").write_text(text, "utf-8")

    def tool(self, tool: BaseTool) -> BaseTool:
        """The same tool, which waits for what it is called with."""
        call: Any = tool.func  # type: ignore[attr-defined]

        @functools.wraps(call)
        def waiting(**given: Any) -> Any:
            found = _MARK.search(json.dumps(given, ensure_ascii=False))
            return found[0] if found else call(**given)

        return tool.model_copy(update={"func": waiting})


@dataclass(frozen=True, kw_only=True)
class FromDesk(Behaviour):
    """A model whose texts come from a desk."""

    desk: Desk

    def reply(self, request: Request) -> Reply:
        """What was written, cut at the cap."""
        return compose(request, self.desk.answer(request))


def mark(name: str) -> str:
    """What stands for a text that nobody has written."""
    return f"[[not written yet: {name}]]"


def digest(request: Request) -> str:
    """A name for what is asked: the same in each run that asks the same of the same model."""
    asked = [request.model, *((said.role, said.text) for said in request.messages)]
    whole = json.dumps(asked, ensure_ascii=False)
    return hashlib.sha256(whole.encode()).hexdigest()[:DIGEST_LENGTH]


def as_text(request: Request) -> str:
    """A request for somebody who writes the reply.

    Raises:
        ValueError: the model may call tools, which nobody can write.
    """
    if request.tools:
        raise ValueError(f"{request.model} may call tools: {[t.name for t in request.tools]}")
    told = [f"model: {request.model}"]
    if request.output_cap is not None:
        # The cap holds the reasoning, too, which comes first.
        told.append(f"at most {int(request.output_cap / (1 + REASONING)):,} tokens of text")
    messages = (f"=== {said.role} ===\n\n{said.text}" for said in request.messages)
    return "\n\n".join(["\n".join(told), *messages]) + "\n"
