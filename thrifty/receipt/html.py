"""The receipt as one HTML page that stands alone.

A page fetches nothing and runs nothing: its policy allows its own style sheet, known by its
digest, and nothing else. Texts come from recipes and models: each is made plain and escaped
where it is printed, so that no line of the template can forget it.
"""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING

from thrifty.budget.plain_text import single_line, strip_unprintable
from thrifty.budget.resources import LATENCY
from thrifty.receipt import charts, wording
from thrifty.receipt.draft_html import render_draft
from thrifty.receipt.receipt_data import Receipt

if TYPE_CHECKING:
    from jinja2 import Environment

TITLE_MAX = 160
"""A longer task is cut in the heading and shown whole below it."""


def receipt_page(receipt: Receipt, draft: str = "") -> str:
    """The page, whole.

    Args:
        receipt: what to show.
        draft: the text that the run wrote, as Markdown.
    """
    from markupsafe import Markup

    style = files("thrifty.receipt").joinpath("receipt.css").read_text("utf-8")
    template = _environment().get_template("receipt.html.j2")
    return template.render(
        receipt=receipt,
        draft=Markup(render_draft(draft)),
        style=Markup(style),
        style_digest=b64encode(sha256(style.encode()).digest()).decode(),
        title=_shorten(single_line(receipt.task)),
        charts=charts,
        words=wording,
        LATENCY=LATENCY,
    )


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("thrifty.receipt", ""),
        undefined=StrictUndefined,  # a misspelt name must not print as nothing
        autoescape=True,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        percent=_percent,
        amount=wording.format_amount,
        figure=wording.format_figure,
        line=single_line,
    )
    return environment


def _finalize(value: object) -> object:
    """Cleans every value of a `{{ }}` before it is escaped."""
    return strip_unprintable(value) if type(value) is str else value  # not of Markup


def _shorten(text: str) -> str:
    return text if len(text) <= TITLE_MAX else f"{text[: TITLE_MAX - 1].rstrip()}…"


def _percent(share: float) -> str:
    """As an attribute of SVG: no picture is finer than a hundredth of a percent."""
    return f"{round(share, 2):g}%"
