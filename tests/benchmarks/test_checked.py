"""The benchmark of checked answers, on a small log of the same form."""

import json

import pytest

from benchmarks.checked import __main__ as checked
from benchmarks.checked.questions import in_runs, read_questions, split_questions
from benchmarks.checked.replies import replies
from benchmarks.checked.report import bought_table, right_table, single_models_line
from benchmarks.checked.text_check import check_arithmetic
from tests.harness.llm_server import LLMServer

SHARES = (0.3,)


@pytest.fixture(scope="module")
def questions(tmp_path_factory):
    """The strong model is right; the cheap one breaks off at every fourth question."""
    folder = tmp_path_factory.mktemp("log")
    lines = []
    for number in range(40):
        text = f"{number} + 2 = {number + 2}, so there are {number + 2} boats."
        is_whole = number % 4 > 0
        cheap = text if is_whole else text[:14]
        lines.append(
            {
                "id": number,
                "question": f"There are {number} boats, and two more come. How many are there?",
                "cheap": {"right": is_whole, "text": cheap},
                "strong": {"right": True, "text": f"{text} That is all."},
            }
        )
    (folder / "answers.jsonl").write_text("\n".join(map(json.dumps, lines)), "utf-8")
    return read_questions(folder)


def test_history_and_test_share_no_question(questions):
    history, test = split_questions(questions, 1)
    assert not {each.id for each in history} & {each.id for each in test}
    assert [len(run) for run in in_runs(test, 10)] == [10, 10]


def test_checks_bring_right_answers_and_no_run_is_over(questions, monkeypatch):
    monkeypatch.setattr(checked, "SHARES", SHARES)
    monkeypatch.setattr(checked, "VARIANTS", checked.VARIANTS[:3])
    with LLMServer() as server:
        server.script(*replies(questions))
        tallies, whole = checked.run_all(questions, [1], server)
    direct, no_ratings, rated = tallies.values()
    assert whole["strong"].share_right == 1.0
    assert whole["cheap"].share_right < 1.0
    assert direct.over == no_ratings.over == rated.over == 0
    assert direct.bought["strong after cheap"] == 0
    assert no_ratings.bought["strong after cheap"] > 0
    assert no_ratings.share_right > direct.share_right
    table = right_table(tallies, whole, SHARES)
    assert "0 of 6 runs over their cap." in table
    assert "bought strong after cheap" in bought_table(tallies, SHARES)
    assert "cheap: " in single_models_line(whole)


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ("20 x 4 = 80 boats.", True),
        ("20 x 4 = 60 boats.", False),
        ("So it is 5 + <<5+", False),
        ("<<3*2=6>>6 boats\n#### 6", True),
        ("<<3*2=7>>7 boats\n#### 7", False),
        ("10 + 2 * 10 = 10 + 20 = 30.", True),
        ("$3,000 - $1,000 = $2,000.", True),
        ("8 / 0 = 1 is no sum.", True),
    ],
)
def test_the_check_computes_what_is_written(text, passes):
    assert (check_arithmetic(text) is True) == passes
