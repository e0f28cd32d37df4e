"""A turn of an agent: its model is asked within what is left, or answers with what it has.

While the money lasts, the model may call tools, and what an answer after that takes is kept back.
Where that does not fit any more, it is asked for its last answer, without tools. Where that does
not fit either, the agent ends.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage

from thrifty.budget import AccountClosed, BudgetExceeded, ModelUnavailable, ThriftyError
from thrifty.models.calls.allowance import OUTPUT_CAP_MIN
from thrifty.models.calls.last_answer import LastAnswer, with_note
from thrifty.models.calls.metered import MeteringOptions, metered
from thrifty.models.calls.metered_model import MeteredChatModel
from thrifty.models.calls.step_account import StepAccount
from thrifty.models.guard.agent_messages import without_end_messages
from thrifty.models.guard.budget_question import BudgetQuestions
from thrifty.models.guard.unmetered_agent import warn_of_unmetered
from thrifty.models.providers.vendors import has_ended_early, is_metered_kind, no_tool_choice

if TYPE_CHECKING:
    from langchain.agents.middleware.types import ModelRequest, ModelResponse


CUT = "the answer was cut before any of it was of use; allow a longer one, or raise the budget"


class ModelTurn:
    """One turn.

    Args:
        request: LangChain's.
        options: how the model is metered.
        name_run: names the run whose calls these are; None where nothing is replayed.
        questions: for a person, where one is asked about a budget that is at its end.
    """

    def __init__(
        self,
        request: ModelRequest[Any],
        options: MeteringOptions,
        name_run: Callable[[], str | None],
        questions: BudgetQuestions | None = None,
    ) -> None:
        self._request = request.override(messages=without_end_messages(request.messages))
        self._options, self._name_run, self._questions = options, name_run, questions
        useful = options.get("useful_tokens", OUTPUT_CAP_MIN)
        self._last_answer = LastAnswer(useful) if request.tools else None
        self._withheld: ThriftyError | None = None
        """Why it has no tools any more."""
        self._is_cut = False
        """Whether nothing of an answer was of use, as its cap has cut it."""

    def hear_person(self) -> ThriftyError | None:
        """Why it is to end, where a person has said so in this turn.

        Raises:
            GraphInterrupt: there is no answer yet.
        """
        if (questions := self._questions) is not None:
            for answer, why in questions.hear():
                if answer == "end":
                    self._questions = None  # and nobody is asked again
                    return why
        return None

    def ask(self, account: StepAccount) -> ModelRequest[Any]:
        """What is to be asked now: of a model of a vendor that is known, a metered one.

        Args:
            account: where it is booked.
        """
        model = self._request.model
        if isinstance(model, MeteredChatModel):
            return self._request.override(model=self._keeping_back(model))
        if not is_metered_kind(model):
            warn_of_unmetered(type(model).__name__)
            return self._request
        held = metered(
            model,
            account.ledger,
            account.account,
            run=self._name_run(),
            left_ms=account.left_ms,
            **self._options,
        )
        return self._request.override(model=self._keeping_back(held))

    def _keeping_back(self, model: MeteredChatModel) -> MeteredChatModel:
        last = self._last_answer
        return model if last is None else model.keeping_back(last)

    def read(self, response: ModelResponse[Any]) -> ModelResponse[Any]:
        """The response, with a note of what an answer takes that comes after it.

        Raises:
            ThriftyError: nothing of it is of use: it was cut before there was a text, or a whole
                call of a tool, on which LangChain would end. Or it calls a tool that it has not.
        """
        message = response.result[-1]
        if not isinstance(message, AIMessage):
            return response
        if message.tool_calls and self._withheld is not None:
            raise self._withheld
        if not message.tool_calls:
            self._is_cut = not message.text.strip() and has_ended_early(message)
            if self._is_cut:
                raise ModelUnavailable(CUT)
            return response
        if self._last_answer is None or self._last_answer.needed is None:
            return response
        noted = with_note(message, self._last_answer.needed)
        return replace(response, result=[*response.result[:-1], noted])

    def goes_on(self, why: ThriftyError) -> bool:
        """Whether to ask again, after a person has let it go on, or for the last answer.

        Args:
            why: what became of the call.

        Raises:
            GraphInterrupt: a person is asked first.
        """
        if isinstance(why, AccountClosed):  # no more is to be had there, whoever is asked
            return False
        if self._questions is not None and isinstance(why, BudgetExceeded):
            if self._questions.put(why) == "go":
                return True
            self._questions = None
        return self._withhold_tools(why)

    def _withhold_tools(self, why: ThriftyError) -> bool:
        if self._withheld or not self._request.tools:
            return False
        if not (self._is_cut or isinstance(why, BudgetExceeded)):
            return False
        self._withheld, self._last_answer = why, None
        choice = no_tool_choice(self._request.model)
        if choice is None or self._request.response_format is not None:
            self._request = self._request.override(tools=[], tool_choice=None)
        else:
            self._request = self._request.override(tool_choice=choice)
        return True
