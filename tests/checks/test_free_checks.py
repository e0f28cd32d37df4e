"""What every text of a model has to pass: junk is seen, and good texts are let through."""

from pathlib import Path

import pytest

from thrifty.checks.builtin import WantedText, check_text

POEM = WantedText(
    "Write a poem about the sea for my grandmother, who is eighty and likes the wind."
)
ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("docs/*.md"), *ROOT.glob("*.md"), *ROOT.glob("benchmarks/*.md")])
DELIVERED = sorted((ROOT / "benchmarks/tasks/delivered").rglob("*.md"))
GERMAN = (
    "Das Meer ist heute nicht so ruhig wie gestern, und die Wellen sind mit dem Wind auf dem Weg "
    "zu den Häusern, in denen die Leute noch schlafen, weil es früh ist."
)
CHINESE = "今天的海很平静风从港口吹向城里的房子人们还在睡觉因为天还早海是蓝色的船都回来了孩子们在等"


@pytest.mark.parametrize(
    ("text", "check"),
    [
        ("<|im_end|>\n" * 60, "repeated text"),
        ("The sea is blue.\n" * 9, "repeated text"),
        ("The sea. " + "and the sea, " * 20, "repeated text"),
        ("It is deep and blue,\nAbe a sea of dreams,\nAbe a sea of dreams,\n" * 8, "repeated text"),
        ("1 2 " * 100, "repeated text"),
        ("a one b two c three d four e five f six " * 20, "repeated text"),
        ("The sea is " + "o" * 200, "repeated text"),
        ("A poem. <|im_end|> <|im_start|>user", "model markers"),
        (POEM.task, "echo"),
        (POEM.task + " Yes.", "echo"),
        (GERMAN, "language"),
        (CHINESE, "language"),
    ],
)  # fmt: skip
def test_junk_is_seen(text, check):
    said = check_text(text, POEM)
    assert said is not None
    assert (said.check, said.passed) == (check, False)
    assert said.reason


@pytest.mark.parametrize("page", [*PAGES, *DELIVERED], ids=lambda page: page.name)
def test_a_good_text_passes(page):
    assert check_text(page.read_text("utf-8"), POEM) is None


@pytest.mark.parametrize(
    ("task", "text"),
    [
        ("Translate this into German: the sea is not as calm as it was, in the wind.", GERMAN),
        ("Auf Deutsch: ein Satz über das Meer und den Wind und die Leute, die da sind.", GERMAN),
        ("Say ha ten times.", "ha " * 8),
        ("List the prices", "| a | b |\n|---|---|\n| 1 | 1 |\n| 1 | 1 |"),
        ("Is it 5?", "5"),
        ("A song", "\n".join(f"Verse {n} is new here\\nAnd so we sing again" for n in range(20))),
        ("What is <|im_end|>?", "<|im_end|> ends a turn, and <|im_end|> is a token."),
    ],
)  # fmt: skip
def test_what_was_asked_for_passes(task, text):
    assert check_text(text, WantedText(task)) is None


@pytest.mark.parametrize(
    ("words", "count", "passes"),
    [(300, 100, True), (300, 900, True), (300, 99, False), (300, 901, False), (0, 5, True)],
)
def test_a_length_is_held_to_a_third_and_three_times(words, count, passes):
    text = " ".join(str(number) for number in range(count))
    assert (check_text(text, WantedText("Count.", words)) is None) == passes
