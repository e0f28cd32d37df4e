"""The live status below the progress lines: the steps of the run, and a gauge for each resource.

Like the lines above it, it is a reader of the run's events and of nothing else.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from thrifty.budget import Budget, Spend
from thrifty.budget.plain_text import single_line
from thrifty.budget.resources import LATENCY, RESOURCES, Resource
from thrifty.cli.view.live_text import LiveText
from thrifty.receipt.wording import RESOURCE_LABELS, format_figure

GAUGE_CELLS = 12
"""Short, so that a row fits in 70 columns."""
MS_PER_S = 1_000


class LiveStatus:
    """Steps that are planned or running, and what is spent, reserved and left.

    Args:
        now_s: a clock that only moves forward, in seconds.
    """

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._planned_executors: dict[str, str] = {}
        """Executors by their options, in the order of the plan, until these have ended."""
        self._started_s: dict[str, float] = {}
        """When each option that is running was started."""
        self._balance: Mapping[str, Any] | None = None
        self._balance_at_s = 0.0
        self._idle_text = "getting ready"
        self._spinner = Spinner("dots", style="cyan")
        self.text = LiveText()
        """What a model is writing, where it answers."""

    def update(self, event: Mapping[str, Any]) -> None:
        """Takes in an event of the run."""
        self._idle_text = "deciding"
        match event["event"]:
            case "plan_made" | "replanned":
                chosen = event["plan"]["chosen"]
                self._planned_executors = {option["name"]: option["executor"] for option in chosen}
            case "step_started":
                self._planned_executors.setdefault(event["option"], event["executor"])
                self._started_s[event["option"]] = self._now_s()
            case "step_finished":
                self._planned_executors.pop(event["option"], None)
                self._started_s.pop(event["option"], None)
                self.text.clear()
            case "spend_changed":
                self._balance, self._balance_at_s = event, self._now_s()

    def render(self) -> RenderableType:
        """The status of now, for the screen."""
        rows = [self._render_step(option) for option in self._planned_executors]
        if not self._started_s:
            rows.insert(0, self._render_spinner(self._idle_text))
        gauges = [] if self._balance is None else [Text(""), self._render_gauges(self._balance)]
        written = self.text.render()
        return Group(*([written, Text("")] if written else []), *rows, *gauges)

    def _render_step(self, option: str) -> RenderableType:
        label = f"{single_line(option)}  {single_line(self._planned_executors[option])}"
        if (since_s := self._started_s.get(option)) is None:
            return Text(f"· {label}", style="dim", no_wrap=True, overflow="ellipsis")
        return self._render_spinner(f"{label}  {self._now_s() - since_s:.0f} s")

    def _render_spinner(self, text: str) -> RenderableType:
        frame = self._spinner.render(self._now_s())
        line = Text(no_wrap=True, overflow="ellipsis")
        return line.append_text(frame if isinstance(frame, Text) else Text("·")).append(f" {text}")

    def _render_gauges(self, balance: Mapping[str, Any]) -> RenderableType:
        spent, reserved = (Spend.from_state(balance[part]) for part in ("spent", "reserved"))
        left = Budget.from_state(balance["left"])
        table = Table.grid(padding=(0, 2))
        for justify in ("left", "left", "right", "right", "right"):
            table.add_column(justify=justify, no_wrap=True)
        rows = zip(RESOURCES, spent.amounts, reserved.amounts, left.limits, strict=True)
        for resource, used, open_amount, unused in rows:
            if unused is None:
                continue
            if resource is LATENCY:  # time goes on between two events
                passed_ms = min(unused, int((self._now_s() - self._balance_at_s) * MS_PER_S))
                used, unused = used + passed_ms, unused - passed_ms
            table.add_row(*gauge_row(resource, used, open_amount, unused))
        return table


def gauge_row(resource: Resource, spent: int, reserved: int, left: int) -> Iterator[RenderableType]:
    """A row: the resource, a bar of its three parts, and their amounts."""
    whole = max(1, spent + reserved + left)
    # Rounded up, so that whatever is used at all is seen.
    spent_cells = -(-GAUGE_CELLS * spent // whole)
    reserved_cells = min(GAUGE_CELLS - spent_cells, -(-GAUGE_CELLS * reserved // whole))
    left_cells = GAUGE_CELLS - spent_cells - reserved_cells
    parts = (
        ("█" * spent_cells, "green"),
        ("▒" * reserved_cells, "yellow"),
        ("░" * left_cells, "dim"),
    )
    yield Text(RESOURCE_LABELS[resource.name], style="dim")
    yield Text.assemble(*parts)
    for amount, word in ((spent, "spent"), (reserved, "reserved"), (left, "left")):
        is_shown = amount or word != "reserved"
        yield Text(f"{format_figure(amount, resource)} {word}" if is_shown else "")
