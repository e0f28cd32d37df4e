"""What the server on loopback answers: what the log holds for the model that is asked."""

from collections.abc import Iterator, Sequence

from benchmarks.checked.questions import ROLES, Question
from tests.harness.llm_server import Answer, Request

MODELS = {"strong": "gpt-4o", "cheap": "gpt-4o-mini"}
"""How the models of the log are called here, by their roles: names whose tokens are counted."""


def replies(questions: Sequence[Question]) -> Iterator[Answer]:
    """An entry of the server's script for each question and model."""
    for question in questions:
        for role in ROLES:
            yield _reply(question, role)


def _reply(question: Question, role: str) -> Answer:
    def is_asked(request: Request) -> bool:
        return request.model == MODELS[role] and question.text in request.prompt

    return Answer(question.answers[role].text, when=is_asked, times=None)
