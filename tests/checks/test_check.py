"""What a check can be made of, and what it says."""

import re
import sys

import pytest
from pydantic import BaseModel

from thrifty import Check, InvalidInput, Spend, Step, StepOption
from thrifty.checks.checks import Checks


class Count(BaseModel):
    boats: int


def passes_long(text: str) -> bool:
    return len(text) > 5


def fits(text: str, data: object) -> bool:
    return bool(data)


PYTHON = [sys.executable, "-c"]
READS = "import sys; sys.exit(sys.stdin.read() != 'good')"


@pytest.mark.parametrize(
    ("test", "good", "bad", "reason"),
    [
        (passes_long, "a long text", "short", "it did not pass"),
        (lambda text: text == "yes" or "say yes", "yes", "no", "say yes"),
        (re.compile("[0-9]+"), "41 boats", "many", "'[0-9]+' is not in it"),
        (Count, '{"boats": 41}', '{"boats": "many"}', "boats"),
        (Count, '{"boats": 41}', "no JSON", "JSON"),
        (
            {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
            '{"a": 1}',
            "{}",
            "a",
        ),
        ([*PYTHON, READS], "good", "bad", "exit code 1"),
        ([*PYTHON, "import sys; print('two failed'); sys.exit(3)"], None, "x", "two failed"),
    ],
    ids=["function", "words", "pattern", "class", "no json", "schema", "command", "its last line"],
)
def test_it_passes_what_is_right_and_says_what_is_wrong(test, good, bad, reason):
    check = Check(test)
    assert good is None or check.judge(good).passed is True
    failed = check.judge(bad)
    assert failed.passed is False
    assert reason in failed.reason


def test_a_function_may_take_the_data_as_well():
    assert Check(fits).judge("", {"a": 1}).passed is True
    assert Check(fits).judge("", None).passed is False


def broken(text: str) -> bool:
    raise OSError(text)


@pytest.mark.parametrize("test", [broken, ["no-such-program-anywhere"]], ids=["raises", "missing"])
def test_what_does_not_work_passes_and_fails_nothing(test):
    said = Check(test).judge("a text")
    assert said.passed is None
    assert said.reason


def test_a_command_is_told_no_secret(monkeypatch):
    monkeypatch.setenv("VENDOR_API_KEY", "sk-secret")
    monkeypatch.setenv("HARBOUR", "Rostock")
    shown = "'VENDOR_API_KEY' in os.environ, os.environ['HARBOUR']"
    told = f"import os; print({shown}); raise SystemExit(1)"
    assert Check([*PYTHON, told]).judge("").reason == "False Rostock"


@pytest.mark.parametrize("test", [None, 5, [], ["a", 1], ""], ids=repr)
def test_what_is_no_check_is_refused(test):
    with pytest.raises(InvalidInput, match="check"):
        Check(test)


@pytest.mark.parametrize(("sensitivity", "specificity"), [(0.5, 0.4), (1.2, 0.5), (0.9, 0.1)])
def test_one_that_would_tell_nothing_is_refused(sensitivity, specificity):
    with pytest.raises(InvalidInput, match=r"check\."):
        Check(passes_long, sensitivity=sensitivity, specificity=specificity)


def test_a_name_comes_from_what_it_is_made_of():
    made = (passes_long, Count, re.compile("x"), {"type": "object"}, ["pytest", "-q"])
    names = [Check(test).name for test in made]
    assert names == ["passes_long", "Count", "pattern", "schema", "pytest"]


def test_a_direct_answer_has_its_own_beside_those_of_steps():
    checks = Checks.of({"passes_long": passes_long}, passes_long)
    way = StepOption("A", "S", "llm", "do it", Spend(), 1.0)
    answer = Step("S", (way,), role="answer")
    section = Step("S", (way,))
    named = Step("S", (way,), check="passes_long")
    assert [checks.named_by(step) for step in (answer, section, named)] == [
        "answer",
        "",
        "passes_long",
    ]
