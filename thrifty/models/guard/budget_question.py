"""What a person is asked whose agent has no money left, and what the answer may say.

| answer | what happens |
|---|---|
| `"go"` | the agent goes on if the limit was raised meanwhile, and else asks again |
| `"end"` | the agent answers with what it knows, as far as that fits |

An answer raises no limit, since a client of a server can write it. Who may, does that in the ledger
(`ledger.set_limits`), and then lets the agent go on.
"""

import json
from collections.abc import Iterator
from typing import Any, Literal

from typing_extensions import TypedDict

from thrifty.budget import BudgetExceeded, InvalidInput
from thrifty.budget.resources import RESOURCES
from thrifty.ledger.idempotent_calls import fingerprint
from thrifty.ledger.notes import Notes
from thrifty.models.calls.node_attempts import current_attempt
from thrifty.models.guard.ask_person import ask_person

FORMS = 'raise the limit and answer "go", or answer "end"'


class BudgetQuestion(TypedDict):
    """What the interrupt carries that asks about a budget."""

    about: Literal["budget"]
    question: str
    reason: str
    """Why the next call does not fit."""
    account: str
    """Whose limit is short."""
    short: dict[str, int]
    """How much is missing, by resource, each in its unit: `cost` in nano-USD."""
    left: dict[str, int]
    """How much is left, of what is limited."""
    answers: str


class BudgetQuestions:
    """The questions about a budget that are put in one attempt at a node.

    LangGraph runs the node again once there is an answer, when the limit may be another. So each
    question is noted in the ledger as it was put, and its answer is read before anything is tried.

    Args:
        notes: where that is noted.
    """

    def __init__(self, notes: Notes) -> None:
        self._notes, self._number = notes, 0

    def hear(self) -> Iterator[tuple[str, BudgetExceeded]]:
        """The answers to what was asked before in this turn of the node, and why it was asked.

        Raises:
            GraphInterrupt: one is not answered yet.
        """
        while (put := self._notes.read(self._key)) is not None:
            question = json.loads(put)
            yield self._ask(question), BudgetExceeded(question["short"], "the next call")

    def put(self, why: BudgetExceeded) -> str:
        """Asks what to do.

        Raises:
            GraphInterrupt: there is no answer yet.
        """
        question = self._question(why)
        self._notes.write(self._key, json.dumps(question))
        return self._ask(question)

    @property
    def _key(self) -> str:
        attempt = current_attempt()
        assert attempt is not None, "only a node of a graph can ask"
        return f"budget/{fingerprint(attempt.place, self._number)}"

    def _ask(self, question: Any) -> str:
        answer, _ = ask_person(question, _read, self._notes)
        self._number += 1
        return answer

    def _question(self, why: BudgetExceeded) -> BudgetQuestion:
        account = str(self._notes.account)
        left = self._notes.ledger.balance(account).left.limits
        return BudgetQuestion(
            about="budget",
            question="Is the agent to go on?",
            reason=str(why),
            account=why.account or account,
            short=dict(why.missing),
            left={
                resource.name: amount
                for resource, amount in zip(RESOURCES, left, strict=True)
                if amount is not None
            },
            answers=FORMS,
        )


def _read(given: object) -> str:
    if given in ("go", "end"):
        return str(given)
    raise InvalidInput("answer", given, FORMS)
