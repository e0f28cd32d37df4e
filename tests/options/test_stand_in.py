"""The direct answer that stands in where a section is lost, and the share that is kept for it."""

import pytest

from thrifty import Budget, Problem, Spend, Step, StepOption
from thrifty.options.priors import LOSS_RISK
from thrifty.options.stand_in import find_stand_in, with_and_without_share


def option(name: str, step: str, value: float, *amounts: int) -> StepOption:
    return StepOption(name, step, "llm", "does it", Spend(*amounts), value)


ANSWER = Step(
    "Answer",
    (
        option("dear", "Answer", 64.0, 900, 9_000, 9, 1),
        option("low", "Answer", 50.0, 900, 90, 9, 1),
    ),
    role="answer",
)
MAIN = Step("Main", (option("Main", "Main", 30.0, 500, 5, 5, 1),), required=True)
OTHER = Step("Other", (option("Other", "Other", 20.0, 500, 5, 5, 1),))


@pytest.mark.parametrize(
    ("steps", "found"),
    [
        ((MAIN, OTHER, ANSWER), "low"),
        ((OTHER, ANSWER), None),
        ((MAIN, OTHER), None),
        ((Step("Facts", (option("Facts", "Facts", 1.0),), role="material", required=True), ANSWER),
         None),
    ],
    ids=["the cheapest", "nothing has to be there", "nobody answers", "no section has to be there"],
)  # fmt: skip
def test_it_is_the_cheapest_answer_while_a_section_is_open_that_has_to_be_there(steps, found):
    stand_in = find_stand_in(steps)
    assert (stand_in and stand_in.name) == found


def test_a_problem_is_there_without_the_share_at_a_malus_and_with_it():
    problem = Problem((MAIN, OTHER, ANSWER), Budget(max_tokens=2_000), kept_back=Spend(10))
    without, kept = with_and_without_share(problem)
    assert without.steps[0].options[0].value == pytest.approx(30.0 - LOSS_RISK * 50.0)
    assert (without.steps[1:], without.kept_back) == ((OTHER, ANSWER), Spend(10))
    assert (kept.steps, kept.kept_back) == (problem.steps, Spend(910, 90, 9, 1))


@pytest.mark.parametrize(
    "problem",
    [
        Problem((MAIN, OTHER, ANSWER), Budget(max_tokens=899)),
        Problem((MAIN, OTHER, ANSWER), Budget(max_tokens=2_000), done=(MAIN,)),
        Problem((MAIN, OTHER), Budget(max_tokens=2_000)),
    ],
    ids=["no room for it", "the section is done", "nobody answers"],
)
def test_it_is_there_once_where_no_share_can_be_kept(problem):
    assert [*with_and_without_share(problem)] == [problem]
