"""The pairs of texts that were delivered, a file a task, in `delivered/`."""

from dataclasses import asdict, dataclass
from pathlib import Path

import yaml

FOLDER = Path(__file__).parent / "delivered"


@dataclass(frozen=True, slots=True)
class DeliveredText:
    """What one run ended with."""

    text: str
    plan: tuple[str, ...]
    """The options of its first plan."""
    tokens: int
    """What it took, by the server's bill, the request for steps included."""
    requests: int


@dataclass(frozen=True, slots=True)
class Delivered:
    """The two answers to a task at one budget."""

    task_id: str
    steps_by: str
    """Who took the task apart."""
    steps: DeliveredText
    """By the plan with steps."""
    direct: DeliveredText
    """In one go."""


def write_delivered(pair: Delivered, folder: Path = FOLDER) -> None:
    """Keeps a pair."""
    folder.mkdir(parents=True, exist_ok=True)
    told = asdict(pair)
    del told["task_id"]
    for each in ("steps", "direct"):
        told[each]["plan"] = list(told[each]["plan"])
    written = yaml.dump(told, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=10**6)
    (folder / f"{pair.task_id}.yaml").write_text(written, "utf-8")


def read_delivered(folder: Path = FOLDER) -> dict[str, Delivered]:
    """All pairs by the ids of their tasks."""
    return {file.stem: _read(file) for file in sorted(folder.glob("*.yaml"))}


def _read(file: Path) -> Delivered:
    told = yaml.safe_load(file.read_text("utf-8"))
    texts = {
        each: DeliveredText(**told[each] | {"plan": tuple(told[each]["plan"])})
        for each in ("steps", "direct")
    }
    return Delivered(file.stem, told["steps_by"], **texts)


class _Dumper(yaml.SafeDumper):
    """Writes a text of many lines as it reads."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)
