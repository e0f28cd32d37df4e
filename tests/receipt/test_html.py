"""The receipt as a page: whole, and harmless whatever text is in it."""

import re
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser

from hypothesis import example, given
from hypothesis import strategies as st

from tests.receipt.samples import HOSTILE, HOSTILE_DRAFT, RECEIPT, hostile
from tests.receipt.strategies import receipts
from thrifty.budget import Budget
from thrifty.budget.plain_text import single_line, strip_unprintable
from thrifty.receipt.draft_html import render_draft
from thrifty.receipt.html import receipt_page

TAGS = re.findall(
    r"\w+",
    "html head meta title style body header main section article p h1 h2 h3 h4 h5 h6 b small span "
    "details summary div svg rect line text figure figcaption table thead tbody tfoot tr th td em "
    "ol ul li a strong s code pre blockquote hr br",
)
ATTRIBUTES = re.findall(
    r"[\w-]+",
    "lang charset http-equiv content name class role aria-label aria-hidden width height x y x1 x2 "
    "y1 y2 scope data-of data-to href rel target start",
)
PIECES = st.sampled_from(
    [
        *"\\`*_{}[]()#+-.!|<>&\"'~ \n\t0a",
        *(
            "<script>",
            "</style>",
            "<img src=http://e/>",
            "](javascript:alert(1))",
            "![",
            "](http://e)",
        ),
        *(
            "<!--",
            "]]>",
            "{{ 1 }}",
            "{% if %}",
            "&#x6a;",
            "data:",
            "https://e.example",
            "\n\n",
            "\n> ",
        ),
        *("|-|\n", "```", "<https://e>", "<vbscript:x>", "\0", "\u202e", "\x1b", "\ud800"),
    ]
)
texts = st.lists(PIECES, max_size=30).map("".join)


class Page(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def check_harmless(page: Page) -> None:
    """Known elements, known attributes, and no address but of a web page or a mail."""
    for tag, attributes in page.elements:
        assert tag in TAGS
        assert set(attributes) <= set(ATTRIBUTES)
        if "href" in attributes:
            assert tag == "a"
            assert re.match(r"(?i)https?://|mailto:", attributes["href"] or "")
            assert "noopener" in (attributes["rel"] or "")
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e\ud800]", page.text)


@given(receipts(texts), texts)
def test_no_text_becomes_markup(receipt, draft):
    page = Page(receipt_page(receipt, draft))
    check_harmless(page)
    shown = " ".join(page.text.split())
    for line in receipt.lines:
        assert single_line(line.label) in shown
        assert single_line(line.reason) in shown
    for decision in receipt.decisions:
        assert single_line(decision.reason) in shown


@given(texts)
@example(HOSTILE_DRAFT)
@example("[" * 5_000 + "![" * 5_000 + ">" * 5_000)
def test_a_draft_is_text_and_nothing_else(draft):
    check_harmless(Page(render_draft(draft)))


def test_hostile_text_is_shown_as_it_is():
    page = Page(receipt_page(hostile(), HOSTILE_DRAFT))
    check_harmless(page)
    assert page.text.count(single_line(HOSTILE)) > 10
    assert "{{ 7 * 7 }}" in page.text


def test_a_draft_reads_as_it_was_meant():
    made = render_draft(
        "## Risks\n\n| a | b |\n|--:|---|\n| **1** | ~~2~~ |\n\n"
        "[x](https://user@host.example/p?q=1) <mailto:a@b.example> ![a *chart*](http://e/c.png)"
    )
    assert "<h3>Risks</h3>" in made
    assert '<td class="right"><strong>1</strong></td>' in made
    assert 'data-to="host.example">x</a>' in made
    assert 'data-to="a@b.example">' in made
    assert "a chart</p>" in made


def test_an_address_of_another_kind_leaves_its_text():
    for address in ("javascript:x", "data:text/html,x", "//evil.example", "/etc", "file:///", "x"):
        assert render_draft(f"[words]({address})") == "<p><span>words</span></p>\n"


def test_the_policy_lets_in_this_style_sheet_and_nothing_else():
    page = receipt_page(RECEIPT)
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    (policy,) = (
        attributes["content"]
        for attributes in Page(page).all("meta")
        if attributes.get("http-equiv") == "Content-Security-Policy"
    )
    digest = b64encode(sha256(style.encode()).digest()).decode()
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}';")
    assert "unsafe" not in policy
    assert "url(" not in style
    assert "@import" not in style


def test_a_page_says_what_the_receipt_says():
    text = " ".join(Page(receipt_page(RECEIPT, "The draft.")).text.split())
    for said in (
        "Done, within budget. Worth at most 18.0, 90% of the best without limits (20.0). "
        "More money would have bought something better.",
        "4,630 of 6,000",
        "4,720 planned, 1,370 left",
        "↻ replan ↓ downgrade - skip",
        "skipped: never begun",
        "1,440",
        "the server failed (500)",
        "5,302 ms replan 'Risk register (LLM)' did not work out",
        "The draft.",
    ):
        assert said in text


def test_what_was_neither_limited_nor_planned_is_not_said_to_be_planned():
    unlimited = replace(RECEIPT, budget=Budget(max_tokens=6_000))
    assert "no limit, $0.0145 planned" in Page(receipt_page(unlimited)).text
    unforeseen = replace(unlimited, planned=replace(RECEIPT.planned, cost_nano_usd=0))
    assert "no limit" in (page := Page(receipt_page(unforeseen)).text)
    assert "$0.00 planned" not in page


def test_a_long_task_is_cut_in_the_heading_and_whole_below():
    task = "word " * 100
    page = Page(receipt_page(replace(RECEIPT, task=task)))
    assert "…" in page.text
    assert strip_unprintable(task).strip() in page.text
    assert page.all("details")
