"""What judges said about pairs, a file a judge, in `verdicts/`."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import yaml

from benchmarks.tasks.pairs import Sheet, Side

FOLDER = Path(__file__).parent / "verdicts"

Winner = Literal["steps", "direct", "tie"]
Margin = Literal["slight", "clear"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Which answer a judge would rather have, in one order."""

    task: str
    first: Side
    """The answer that was shown as A."""
    winner: Winner
    margin: Margin
    why: str


def read_verdict(sheet: Sheet, written: object) -> Verdict:
    """What a judge wrote on a sheet, in terms of steps and direct.

    Raises:
        ValueError: it names no winner, or another margin.
    """
    told: Mapping[str, Any] = written if isinstance(written, Mapping) else {}
    winners: Mapping[str, Winner] = {"a": sheet.first, "b": sheet.second, "tie": "tie"}
    winner = winners.get(str(told.get("winner")).strip().casefold())
    margin = str(told.get("margin") or "slight").strip().casefold()
    if winner is None or margin not in get_args(Margin):
        raise ValueError(f"{told!r}: winner is A, B or tie, and margin slight or clear")
    known: Margin = "clear" if margin == "clear" else "slight"
    return Verdict(sheet.task_id, sheet.first, winner, known, str(told.get("why", "")).strip())


def collect_verdicts(sheets: Iterable[Sheet], desk: Path) -> dict[str, list[Verdict]]:
    """What each judge wrote on the sheets of a desk.

    Raises:
        ValueError: a file cannot be read.
    """
    found: dict[str, list[Verdict]] = {}
    for sheet in sheets:
        for file in sorted(desk.glob(f"verdicts/*/{sheet.name}.yaml")):
            try:
                verdict = read_verdict(sheet, yaml.safe_load(file.read_text("utf-8")))
            except (ValueError, yaml.YAMLError) as error:
                raise ValueError(f"{file}: {error}") from error
            found.setdefault(file.parent.name, []).append(verdict)
    return found


def write_verdicts(judge: str, verdicts: Iterable[Verdict], folder: Path = FOLDER) -> None:
    """Keeps what a judge said."""
    folder.mkdir(parents=True, exist_ok=True)
    told = [asdict(verdict) for verdict in verdicts]
    written = yaml.safe_dump(told, allow_unicode=True, sort_keys=False, width=10**6)
    (folder / f"{judge}.yaml").write_text(written, "utf-8")


def read_verdicts(folder: Path = FOLDER) -> dict[str, list[Verdict]]:
    """What was kept, by judge."""
    return {
        file.stem: [Verdict(**told) for told in yaml.safe_load(file.read_text("utf-8"))]
        for file in sorted(folder.glob("*.yaml"))
    }
