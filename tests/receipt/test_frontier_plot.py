"""The curve of value against budget, in dots and as a file."""

import struct
import xml.etree.ElementTree as ET

import pytest

from tests.receipt.samples import HOSTILE
from thrifty.budget import InvalidInput
from thrifty.receipt.frontier_plot import (
    COLUMNS_MIN,
    ValueCurve,
    check_plot_file,
    save_plot,
    terminal_plot,
)


def curve(remark: str = "") -> ValueCurve:
    return ValueCurve(
        budgets=(100.0, 200.0, 300.0, 400.0),
        values=(2.0, 2.0, 5.0, 9.0),
        current=(200.0, 2.0),
        label="tokens",
        show=lambda at: f"${at:,.0f}",
        remark=remark,
    )


def test_a_value_holds_up_to_the_next_budget():
    across, up = curve().corner_points()
    assert list(zip(across, up, strict=True)) == [
        (100, 2), (200, 2), (200, 2), (300, 2), (300, 5), (400, 5), (400, 9)
    ]  # fmt: skip


@pytest.mark.parametrize("columns", [COLUMNS_MIN, 60, 80, 120])
def test_a_terminal_shows_stairs_labels_and_the_chosen_point(columns):
    shown = terminal_plot(curve(), columns)
    assert max(map(len, shown.splitlines())) <= columns
    assert shown.count("●") == 1
    for label in ("10.0", "(value)", "(tokens)", "$0", "$400"):
        assert label in shown


def test_a_png_is_a_picture(tmp_path):
    file = tmp_path / "value.png"
    save_plot(curve("costs $1 or $2"), file)
    content = file.read_bytes()
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", content[16:24])
    assert width > height > 500


def test_an_svg_says_what_it_shows_and_obeys_no_text(tmp_path):
    file = tmp_path / "value.SVG"
    save_plot(curve(f"$1 and $2 {HOSTILE.partition(chr(0x202E))[0]}"), file)
    tree = ET.parse(file)  # well-formed: the text was escaped
    tags = {element.tag.rpartition("}")[2] for element in tree.iter()}
    assert not tags & {"script", "image", "iframe", "img"}
    said = " ".join("".join(tree.getroot().itertext()).split())
    assert "your budget: $200, value 2.0" in said
    assert "$1 and $2 <script>" in said


def test_the_same_curve_is_the_same_file(tmp_path):
    for name in ("a.svg", "b.svg"):
        save_plot(curve(), tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


@pytest.mark.parametrize("name", ["value.jpg", "value", ".png/x", ""])
def test_another_format_is_refused(name):
    with pytest.raises(InvalidInput, match="end it with"):
        check_plot_file("--plot", name)


def test_without_matplotlib_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    with pytest.raises(InvalidInput, match="pip install 'thrifty\\[plots\\]'"):
        check_plot_file("--plot", "value.png")
