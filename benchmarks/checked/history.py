"""What the agent has learned before: runs on other questions, with ratings of what they left."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from langgraph.store.memory import InMemoryStore

from benchmarks.checked.questions import Question, in_runs
from benchmarks.checked.replayed_run import QUESTIONS_A_RUN, Expected, run_agent
from tests.harness.llm_server import LLMServer
from thrifty import rate
from thrifty.estimates.history import NAMESPACE


class LearnedStore(InMemoryStore):
    """A store that takes no more, once it is frozen: no run that is reported on learns from another
    one."""

    _is_frozen = False

    def frozen(self) -> "LearnedStore | None":
        """The same, which takes no more. None where there is nothing in it."""
        self._is_frozen = True
        return self if self.search(NAMESPACE) else None

    def put(self, *given: Any, **options: Any) -> None:
        if not self._is_frozen:
            super().put(*given, **options)


def learned_store(
    questions: Sequence[Question],
    ratings: int,
    expected: Mapping[str, Expected],
    cap_nano_usd: int,
    server: LLMServer,
) -> LearnedStore:
    """A store after so many ratings: the agent's own runs on these questions, each of their
    results rated by the log.

    Args:
        questions: none of those that are reported on.
        ratings: how many results are rated. Nought: the runs are not even made.
        expected: what answers came to on other questions.
        cap_nano_usd: of each run.
        server: that has the answers.
    """
    store, rated = LearnedStore(), 0
    for asked in in_runs(list(questions), QUESTIONS_A_RUN):
        if rated >= ratings:
            break
        ended = run_agent(asked, expected, cap_nano_usd, server, store=store)
        given = dict(_first(_ratings(ended.outcomes, asked), ratings - rated))
        rated += rate(store, ended.result["receipt"]["run_id"], given)
    return store


def _ratings(
    outcomes: Iterable[Mapping[str, Any]], asked: Sequence[Question]
) -> Iterable[tuple[str, bool]]:
    """By option, whether what it has left is right."""
    for outcome in outcomes:
        if outcome["status"] in ("done", "cut"):
            option = outcome["option"]
            question = asked[int(option["step"].split()[1]) - 1]
            answer = question.answers[option["payload"]["model"]]
            yield option["name"], answer.is_right and answer.text == outcome["text"]


def _first(pairs: Iterable[tuple[str, bool]], count: int) -> list[tuple[str, bool]]:
    return list(pairs)[:count]
