"""The curve of value against budget: for a terminal by plotille, for a file by matplotlib.

matplotlib is optional (`pip install "thrifty[plots]"`) and loaded when called.
"""

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from thrifty.budget import InvalidInput

FORMATS = (".png", ".svg")
PLOT_ROWS = 10
WIDTHS = (80, 50, 40, 30, 20)
"""In columns: plotille labels every tenth, and most of these make the labels round."""
FRAME_COLUMNS = 26
"""What plotille puts around the picture itself: labels and an axis."""
COLUMNS_MIN = WIDTHS[-1] + FRAME_COLUMNS
ROUND = (1, 2, 3, 4, 5, 6, 8, 10)
INCHES = (8.0, 4.5)
BLUE, RED, GREY = "#2f6fde", "#b3261e", "#59616b"
SETTINGS: dict[Any, Any] = {
    "text.parse_math": False,  # two amounts of dollars in one text are no formula
    "svg.hashsalt": "thrifty",  # the same curve makes the same file
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "axes.spines.top": False,
    "axes.spines.right": False,
}


@dataclass(frozen=True, slots=True)
class ValueCurve:
    """What budgets would buy."""

    budgets: tuple[float, ...]
    """Growing; each buys what stands beside it up to the next one."""
    values: tuple[float, ...]
    current: tuple[float, float]
    """The budget that is given, and what it buys."""
    label: str
    """What the budgets are counted in."""
    show: Callable[[float], str]
    """A budget, for a person."""
    remark: str = ""
    """A line on what more would buy."""

    def corner_points(self) -> tuple[list[float], list[float]]:
        """The corners of the line: it runs level to the next budget and rises there."""
        across = [budget for budget in self.budgets for _ in range(2)]
        up = [value for value in self.values for _ in range(2)]
        return across[1:], up[:-1]


def terminal_plot(curve: ValueCurve, columns: int) -> str:
    """The curve in dots, for a terminal so wide."""
    import plotille

    figure = plotille.Figure()
    figure.width = next((w for w in WIDTHS if w <= columns - FRAME_COLUMNS), WIDTHS[-1])
    figure.height = PLOT_ROWS
    figure.with_colors = False
    figure.origin = False
    figure.set_x_limits(0, curve.budgets[-1])
    figure.set_y_limits(0, _axis_top(curve))
    figure.x_label, figure.y_label = curve.label, "value"
    figure.x_ticks_fkt = lambda at, _: curve.show(at)
    figure.y_ticks_fkt = lambda at, _: f"{at:.1f}"
    figure.plot(*curve.corner_points())
    figure.scatter([curve.current[0]], [curve.current[1]], marker="●")
    return "\n".join(line.rstrip(" \u2800") for line in figure.show().splitlines())


def check_plot_file(field: str, name: str) -> None:
    """Whether a picture could be written under that name.

    Raises:
        InvalidInput: another format than PNG or SVG, or matplotlib is not installed.
    """
    if Path(name).suffix.lower() not in FORMATS:
        raise InvalidInput(field, name, "end it with .png or .svg")
    try:
        import matplotlib.figure  # noqa: F401 - looked for here, used later
    except ImportError as error:
        remedy = "install matplotlib with: pip install 'thrifty[plots]'"
        raise InvalidInput(field, name, remedy) from error


def save_plot(curve: ValueCurve, file: Path) -> None:
    """Writes the curve as PNG or SVG, by the file's ending."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(SETTINGS), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a letter that the font has not got
        figure = Figure(figsize=INCHES, layout="constrained")
        axes = figure.add_subplot()
        across, up = curve.corner_points()
        axes.fill_between(across, up, color=BLUE, alpha=0.12, linewidth=0)
        axes.plot(across, up, color=BLUE, linewidth=2)
        axes.axvline(curve.current[0], color=GREY, linewidth=1, linestyle=(0, (4, 4)))
        axes.plot(*curve.current, marker="o", markersize=8, color=RED)
        axes.annotate(
            f"your budget: {curve.show(curve.current[0])}, value {curve.current[1]:.1f}",
            curve.current,
            xytext=(8, -18),
            textcoords="offset points",
        )
        axes.set_xlim(0, curve.budgets[-1])
        axes.set_ylim(0, _axis_top(curve))
        axes.xaxis.set_major_formatter(lambda at, _: curve.show(at))
        axes.set_xlabel(curve.label)
        axes.set_ylabel("value of the best plan")
        axes.set_title(curve.remark, loc="left", fontsize=10, color=GREY, wrap=True)
        suffix = file.suffix.lower().removeprefix(".")
        dated = {"Date": None} if suffix == "svg" else {"Software": None}
        figure.savefig(file, format=suffix, dpi=150, metadata=dated)


def _axis_top(curve: ValueCurve) -> float:
    """A round number above the highest stair, so that each row of a terminal stands for one."""
    row = max(*curve.values, curve.current[1], 1.0) / PLOT_ROWS
    power = 10.0 ** math.floor(math.log10(row))
    return PLOT_ROWS * power * next(factor for factor in ROUND if factor * power > row)
