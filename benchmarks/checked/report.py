"""The tables of the benchmark, as Markdown."""

from collections.abc import Iterator, Mapping, Sequence
from math import sqrt

from benchmarks.checked.tally import Tally

Tallies = Mapping[tuple[str, float], Tally]
"""By the name of the variant and the cap, as a share of the strong model's bill."""
DIRECT = "direct"


def single_models_line(whole: Mapping[str, Tally]) -> str:
    """What each model alone comes to, where it may cost what it costs."""
    strong = whole["strong"].spent_nano_usd
    told = (
        f"{role}: {tally.share_right:.3f} right for {tally.spent_nano_usd / strong:.3f} of the bill"
        for role, tally in whole.items()
    )
    return f"Alone: {'; '.join(told)}\n"


def right_table(tallies: Tallies, whole: Mapping[str, Tally], shares: Sequence[float]) -> str:
    """The share that is right, and in brackets what was spent of the cap."""
    names = list(dict.fromkeys(name for name, _ in tallies))
    lines = [_row("cap", *(f"{share:.0%}" for share in shares)), _rule(len(shares))]
    lines.append(_row("best single model that fits", *_best_single(whole, shares)))
    lines.append(_row("best mix of the two, by their means", *_best_mix(whole, shares)))
    for name in names:
        cells = (
            f"{tally.share_right:.3f} ({tally.share_spent:.0%})"
            for tally in (tallies[name, share] for share in shares)
        )
        lines.append(_row(name, *cells))
    for name in names:
        if name != DIRECT:
            pairs = ((tallies[name, share], tallies[DIRECT, share]) for share in shares)
            lines.append(_row(f"{name}, ahead of {DIRECT}", *(_ahead(*pair) for pair in pairs)))
    over = sum(tally.over for tally in tallies.values())
    runs = sum(tally.runs for tally in tallies.values())
    return "\n".join([*lines, "", f"{over} of {runs:,} runs over their cap.", ""])


def bought_table(tallies: Tallies, shares: Sequence[float]) -> str:
    """Of 100 questions, how often each way was planned first, and what was bought."""
    lines = [_row("", *(f"{share:.0%}" for share in shares)), _rule(len(shares))]
    for name in dict.fromkeys(name for name, _ in tallies):
        of_name = [tallies[name, share] for share in shares]
        for kind, counted in (("planned", "planned"), ("bought", "bought")):
            ways = sorted({way for tally in of_name for way in getattr(tally, counted)})
            for way in ways:
                cells = (f"{100 * getattr(t, counted)[way] / t.questions:.1f}" for t in of_name)
                lines.append(_row(f"{name}: {kind} {way}", *cells))
    return "\n".join([*lines, ""])


def _best_single(whole: Mapping[str, Tally], shares: Sequence[float]) -> Iterator[str]:
    strong = whole["strong"].spent_nano_usd
    for share in shares:
        fitting = [t for t in whole.values() if t.spent_nano_usd <= share * strong]
        yield f"{max((t.share_right for t in fitting), default=0.0):.3f}"


def _best_mix(whole: Mapping[str, Tally], shares: Sequence[float]) -> Iterator[str]:
    """As many questions to the strong model as its mean bill allows, and the rest to the cheap."""
    strong, cheap = whole["strong"], whole["cheap"]
    for share in shares:
        least = cheap.spent_nano_usd
        room = share * strong.spent_nano_usd - least
        part = min(1.0, max(0.0, room / (strong.spent_nano_usd - least)))
        right = part * strong.share_right + (1 - part) * cheap.share_right
        yield f"{right:.3f}"


def _ahead(tally: Tally, other: Tally) -> str:
    """By how many points it is ahead, with two standard errors over runs of the same questions."""
    gains = [a - b for a, b in zip(tally.right_by_run, other.right_by_run, strict=True)]
    size = tally.questions / tally.runs
    mean = sum(gains) / len(gains)
    variance = sum((gain - mean) ** 2 for gain in gains) / (len(gains) - 1)
    error = 2 * sqrt(variance / len(gains)) / size
    return f"{100 * mean / size:+.1f} ± {100 * error:.1f}"


def _row(*cells: object) -> str:
    return "| " + " | ".join(map(str, cells)) + " |"


def _rule(count: int) -> str:
    return "|---|" + "---:|" * count
