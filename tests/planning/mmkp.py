"""The public MMKP sets of Hiremath and Hill, as models."""

import json
from pathlib import Path
from typing import NamedTuple

from thrifty.planning.solver.knapsack import KnapsackModel
from thrifty.planning.solver.knapsack_item import KnapsackItem

HERE = Path(__file__).parent / "data"
BESIDE = Path(__file__).parents[3] / "shared" / "data" / "mmkp"
SETS = ("1", "2", "4", "5")


class Instance(NamedTuple):
    name: str
    optimum: int
    model: KnapsackModel


def read(number: str) -> list[Instance]:
    """One set: from beside the repository when the data is there, else from the copy here."""
    beside = BESIDE / f"testset{number}.jsonl"
    path = beside if beside.exists() else HERE / f"mmkp_set{number}.jsonl"
    return [_instance(json.loads(line)) for line in path.read_text().splitlines() if line]


def _instance(given: dict) -> Instance:
    items = tuple(
        tuple(
            KnapsackItem(step, int(value), tuple(map(int, weights)), (), (), f"{step}.{i}")
            for i, (value, *weights) in enumerate(group)
        )
        for step, group in enumerate(given["groups"])
    )
    steps = len(items)
    model = KnapsackModel(
        items=items,
        requires=((),) * steps,
        is_required=(True,) * steps,
        topics=(-1,) * steps,
        is_revision=(False,) * steps,
        row_names=tuple(f"resource {i}" for i in range(len(given["capacities"]))),
        capacities=tuple(map(int, given["capacities"])),
        max_steps=steps,
    )
    return Instance(given["instance"], int(given["optimum"]), model)
