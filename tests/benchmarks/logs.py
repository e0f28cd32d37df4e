"""Logs of executed plans: a seeded one of the real one's form, and the real one where it lies."""

import json
from pathlib import Path
from random import Random

BESIDE = Path(__file__).parents[3] / "shared" / "data" / "opencatp"
"""Where the real log is, when somebody put it beside the repository."""
NANO_USD = 1e-9
TOOLS = ("deblur", "denoise", "upscale", "caption", "translate")
CHAINS = (
    ("deblur", "caption"),
    ("denoise", "caption"),
    ("deblur", "upscale", "caption"),
    ("deblur", "denoise", "upscale", "caption"),
    ("denoise", "caption", "translate"),
)


def line(task, sample, tools, bills_nano_usd, score, pool="seq", deps=None):
    """One executed plan as a line of a log; without `deps`, each tool feeds the next."""
    return {
        "pool": pool,
        "task": task,
        "sample": sample,
        "tools": list(tools),
        "deps": deps or [["input_of_query"], *([tool] for tool in tools[:-1])],
        "price": [nano * NANO_USD for nano in bills_nano_usd],
        "score": score,
    }


def write(folder, lines):
    """A log in a folder."""
    (folder / "plans.jsonl").write_text("\n".join(map(json.dumps, lines)))
    return folder


def drawn(seed, tasks=4, samples=8):
    """A log: inputs differ in size, bills are log-normal, longer plans are a little better."""
    random = Random(seed)
    for task in range(tasks):
        for sample in range(samples):
            size = random.lognormvariate(0, 0.3)
            for tools in CHAINS:
                bills = [
                    round(size * 1e6 * (1 + TOOLS.index(tool)) * random.lognormvariate(0, 0.2))
                    for tool in tools
                ]
                score = min(1.0, 0.6 + 0.05 * len(tools) + random.gauss(0, 0.05))
                yield line(task, sample, tools, bills, score, "seq" if task % 2 else "nonseq")
