"""A draft as HTML: Markdown from a model, of which nothing is fetched and nothing is run.

HTML in it is shown as text, a picture becomes its description, and a link keeps its address
only where that is a web page or a mail, and says on the page where it leads.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from thrifty.budget.plain_text import strip_unprintable

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

ADDRESS = re.compile(r"https?://|mailto:", re.IGNORECASE)
HEADING_MAX = 6
HEADING_SHIFT = 1
"""The page has headings of its own."""


def render_draft(draft: str) -> str:
    """The draft as HTML that can stand in a page."""
    parser = _parser()
    tokens = list(_make_safe(parser.parse(strip_unprintable(draft))))
    return str(parser.renderer.render(tokens, parser.options, {}))


@cache
def _parser() -> "MarkdownIt":
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(
        ["table", "strikethrough"]
    )
    parser.validateLink = lambda url: True  # type: ignore[method-assign]  # `_link_target` decides
    return parser


def _make_safe(tokens: Sequence["Token"]) -> Iterator["Token"]:
    is_link = False
    for token in tokens:
        if token.children and token.type == "inline":
            token.children = list(_make_safe(token.children))
        if token.type == "image":
            token.type, token.tag, token.content = "text", "", _description(token)
        elif token.type == "link_open":
            is_link = _keep_address(token)
        elif token.type == "link_close" and not is_link:
            token.tag = "span"
        elif token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(HEADING_MAX, int(token.tag[1:]) + HEADING_SHIFT)}"
        elif token.type in ("th_open", "td_open") and (style := token.attrs.pop("style", "")):
            token.attrSet("class", str(style).removeprefix("text-align:"))
        yield token


def _description(image: "Token") -> str:
    renderer: Any = _parser().renderer
    return str(renderer.renderInlineAsText(image.children, _parser().options, {}))


def _keep_address(link: "Token") -> bool:
    """Makes an opening link safe; False where nothing of it is left but its text."""
    address = str(link.attrs.get("href", ""))
    link.attrs = {}  # such as a title, which may say anything
    if not (target := _link_target(address)):
        link.tag = "span"
        return False
    link.attrs = {"href": address, "rel": "noopener noreferrer nofollow", "target": "_blank"}
    link.attrs["data-to"] = target  # the page's style sheet prints it behind the text
    return True


def _link_target(address: str) -> str:
    """The host or the mailbox behind an address; empty for every other kind of address."""
    if not ADDRESS.match(address):
        return ""
    try:
        parts = urlsplit(address)
        return parts.hostname or (parts.path if parts.scheme == "mailto" else "")
    except ValueError:
        return ""
