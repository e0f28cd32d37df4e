"""A draft on a screen."""

import re

from tests.cli.samples import HOSTILE
from tests.cli.test_receipt_text import shown
from thrifty.cli.view.draft_view import DraftView

TABLE = "| Risk | Mitigation |\n|---|---|\n| optimization of the undercarriage | involve them |\n"


def test_a_narrow_table_breaks_long_words_and_loses_no_letter():
    lines = shown(DraftView(TABLE), 20)
    assert "…" not in "".join(lines)
    first_column = "".join(line[:9].strip() for line in lines)
    assert "optimization" in first_column.replace(" ", "")


def test_the_lines_of_a_poem_stay_lines():
    assert shown(DraftView("The sea is blue,\nand deep, too.\n"), 60)[:2] == [
        "The sea is blue,",
        "and deep, too.",
    ]


def test_hostile_text_and_links_are_shown_as_they_are():
    draft = f"# {HOSTILE}\n\n[safe](http://evil/x) ![i](http://evil/i.png) `{HOSTILE}`\n"
    written = "\n".join(shown(DraftView(draft), 200, force_terminal=True, color_system="truecolor"))
    left = re.sub(r"\x1b\[[\d;]*m", "", written)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e\ud800]", left)
    assert "safe (http://evil/x)" in left
    assert "[/]" in left
