"""The local quality pass: tidies, notes only what is missing, and does nothing twice."""

import re
import time

from hypothesis import given, settings
from hypothesis import strategies as st

from thrifty.executors.offline.tidy import tidy


def test_an_empty_draft_stays_empty():
    assert tidy("") == tidy(" \n\t") == tidy("", ("scope",)) == ""


def test_headings_lists_and_blanks():
    draft = "# A  \n### B\n### B\n\n\n\ntext\n* one.\n+ two.\n- three\n#### C\n## D\n"
    assert tidy(draft) == "# A\n\n### B\n\ntext\n- one.\n- two.\n- three\n\n#### C\n\n## D\n"


def test_lines_that_are_broken_on_purpose_stay_so():
    assert tidy("a poem,  \nin lines") == "a poem,  \nin lines\n"


def test_a_hostile_draft_takes_no_time():
    start = time.process_time()
    for piece in (" #", "- ", "```\n", "## A\n", "\x1b]", " \n", "## To complete\n\n", "\\", "* "):
        tidy(f"# {piece * (100_000 // len(piece))}x")
    assert time.process_time() - start < 3


def test_a_heading_that_comes_back_later_stays():
    assert tidy("## A\n\nx\n\n## A\n\ny").count("## A") == 2


def test_code_is_left_alone():
    code = "```python\n# comment\n\n\n\n* x  \n```"
    assert code in tidy(f"## A\n\n{code}\n")
    assert tidy("~~~\n# open  ") == "~~~\n# open  \n"
    assert "\n\tcc x" in tidy("```make\nx:\n\tcc x\n```")


def test_rules_and_tables_are_no_lists():
    text = "* * *\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"
    assert tidy(text) == text


def test_of_a_line_that_may_stand_once_the_first_is_kept():
    draft = "## A\n\n> task\n\nx\n\n## B\n\n> task\n\n> other\n\n> other"
    assert tidy(draft, once=("> task",)) == "## A\n\n> task\n\nx\n\n## B\n\n> other\n\n> other\n"


def test_missing_parts_are_listed_once():
    once = tidy("## Risk register\n\ntext", ("risks", "timeline"))
    assert once.endswith("## To complete\n\n- Timeline: asked for and not in the draft.\n")
    assert "Risks:" not in once
    assert tidy(once, ("risks", "timeline")) == once


def test_that_the_quoted_task_names_a_part_does_not_make_it_there():
    assert "- Risks: asked for" in tidy("> with risks\n\ntext", ("risks",), once=("> with risks",))


pieces = [
    "# A",
    "## A",
    "### B",
    "###### C",
    "* x.",
    "- y",
    "  + z.",
    "",
    "  ",
    "text",
    "```",
    "| a |",
]
drafts = st.lists(st.sampled_from(pieces)).map("\n".join) | st.text()


@settings(max_examples=300, deadline=None)
@given(drafts, st.lists(st.sampled_from(["scope", "x", "a b"]), unique=True).map(tuple))
def test_tidying_twice_changes_nothing(draft, parts):
    once = tidy(draft, parts)
    assert tidy(once, parts) == once


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(pieces)).map("\n".join))
def test_tidying_keeps_every_section_and_adds_no_words(draft):
    headings = {line.strip() for line in re.findall("(?m)^#.*", draft)}
    tidied = tidy(draft)
    assert {*re.findall("(?m)^#.*", tidied)} == headings
    assert len(re.findall(r"\w+", tidied)) <= len(re.findall(r"\w+", draft))
