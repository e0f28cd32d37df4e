"""The local quality pass: tidies, adds only what is missing, and does nothing twice."""

import time

from hypothesis import given, settings
from hypothesis import strategies as st

from thrifty.executors.tidy import tidy


def test_an_empty_draft_stays_empty():
    assert tidy("") == tidy(" \n\t") == tidy("", ("scope",)) == ""


def test_headings_lists_and_blanks():
    draft = "# A  \n### B ##\n### B\n\n\n\ntext   \n* one.\n+ two.\n- three\n#### C\n## D\n"
    assert tidy(draft) == "# A\n\n## B\n\ntext\n- one.\n- two.\n- three.\n\n### C\n\n## D\n"


def test_sections_without_a_title_begin_at_level_two():
    assert tidy("### A\n\nx\n\n##### B\n\ny") == "## A\n\nx\n\n### B\n\ny\n"


def test_number_signs_that_close_a_heading_go():
    assert tidy("## A ## #\n\nx\n\n## C# ##\n\ny") == "## A\n\nx\n\n## C#\n\ny\n"


def test_a_hostile_draft_takes_no_time():
    start = time.process_time()
    for piece in (" #", "- ", "```\n", "## A\n", "\x1b]", " \n", "## To complete\n\n", "\\"):
        tidy(f"# {piece * (100_000 // len(piece))}x")
    assert time.process_time() - start < 3


def test_a_heading_that_comes_back_later_stays():
    assert tidy("## A\n\nx\n\n## A\n\ny").count("## A") == 2


def test_code_is_left_alone():
    code = "```python\n# comment\n\n\n\n* x  \n```"
    assert code in tidy(f"## A\n\n{code}\n")
    assert tidy("~~~\n# open  ") == "~~~\n# open  \n"


def test_rules_and_tables_are_no_lists():
    text = "* * *\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"
    assert tidy(text) == text


def test_missing_parts_are_listed_once():
    once = tidy("## Risk register\n\ntext", ("risks", "timeline"))
    assert once.endswith("## To complete\n\n- Timeline: asked for and not in the draft.\n")
    assert "Risks:" not in once
    assert tidy(once, ("risks", "timeline")) == once
    assert "To complete" not in tidy(f"{once}\n\n## Timeline\n\nnow", ("timeline",))


def test_a_section_of_that_name_is_the_writers():
    text = "## To complete\n\n- The budget.\n\n## Next\n\ntext\n"
    assert tidy(text) == text


def test_tabs_in_code_stay():
    assert "\n\tcc x" in tidy("```make\nx:\n\tcc x\n```")


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
