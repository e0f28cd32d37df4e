"""What readers say of delivered texts, as Markdown."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.tasks.delivered import Delivered
from benchmarks.tasks.load import BenchmarkTask
from benchmarks.tasks.markdown import table
from benchmarks.tasks.tally import by_task, counts, order_bias, outcome, sign_test
from benchmarks.tasks.verdicts import Verdict, Winner


@dataclass(frozen=True, slots=True)
class ReadPair:
    """The pair of a task, with all that is known of it."""

    task_id: str
    facts: int
    """What a good answer says."""
    facts_steps: int
    """How much of it the answer with steps says."""
    facts_direct: int
    tokens_steps: int
    tokens_direct: int
    verdicts: tuple[Verdict, ...]

    @property
    def winner(self) -> Winner | None:
        """Whom readers prefer. None where nobody has judged yet."""
        return outcome(self.verdicts) if self.verdicts else None


def read_pairs(
    tasks: Iterable[BenchmarkTask],
    delivered: Mapping[str, Delivered],
    judges: Mapping[str, Sequence[Verdict]],
) -> list[ReadPair]:
    """The pairs of those tasks that have one."""
    said = by_task(judges)
    return [_read(t, delivered[t.id], said.get(t.id, ())) for t in tasks if t.id in delivered]


def _read(task: BenchmarkTask, pair: Delivered, verdicts: Sequence[Verdict]) -> ReadPair:
    return ReadPair(
        task_id=task.id,
        facts=len(task.facts),
        facts_steps=sum(fact.is_in(pair.steps.text) for fact in task.facts),
        facts_direct=sum(fact.is_in(pair.direct.text) for fact in task.facts),
        tokens_steps=pair.steps.tokens,
        tokens_direct=pair.direct.tokens,
        verdicts=tuple(verdicts),
    )


def pairs_table(pairs: Iterable[ReadPair]) -> str:
    """A row for each task."""
    heads = ["task", "facts: steps", "direct", "tokens: steps", "direct", "verdicts: steps"]
    return table(
        [*heads, "tie", "direct", "preferred"],
        (
            [
                pair.task_id,
                f"{pair.facts_steps} of {pair.facts}",
                f"{pair.facts_direct}",
                f"{pair.tokens_steps:,}",
                f"{pair.tokens_direct:,}",
                *map(str, counts(verdict.winner for verdict in pair.verdicts)),
                pair.winner or "not judged",
            ]
            for pair in pairs
        ),
    )


def groups_table(groups: Mapping[str, Sequence[ReadPair]]) -> str:
    """A row for each group of pairs."""
    heads = ["tasks", "pairs", "judged", "steps", "tie", "direct", "sign test"]
    return table(
        [*heads, "facts: steps", "direct", "tokens, as many times"],
        ([name, *_group_cells(pairs)] for name, pairs in groups.items() if pairs),
    )


def _group_cells(pairs: Sequence[ReadPair]) -> list[str]:
    winners = [pair.winner for pair in pairs if pair.winner]
    won, tied, lost = counts(winners)
    facts = sum(pair.facts for pair in pairs)
    tokens = sum(pair.tokens_steps for pair in pairs) / sum(pair.tokens_direct for pair in pairs)
    return [
        *map(str, (len(pairs), len(winners), won, tied, lost)),
        f"p = {sign_test(won, lost):.3f}" if winners else "-",
        f"{sum(pair.facts_steps for pair in pairs) / facts:.0%} of {facts}",
        f"{sum(pair.facts_direct for pair in pairs) / facts:.0%}",
        f"{tokens:.1f}",
    ]


def judges_table(judges: Mapping[str, Sequence[Verdict]]) -> str:
    """A row for each judge: whom they prefer, and how far that hangs on the order."""
    heads = ["judge", "verdicts", "steps", "tie", "direct", "clear"]
    rows = []
    for judge, verdicts in judges.items():
        bias = order_bias(verdicts)
        clear = sum(v.margin == "clear" and v.winner != "tie" for v in verdicts)
        cells = [len(verdicts), *counts(verdict.winner for verdict in verdicts), clear]
        rows.append(
            [
                judge,
                *map(str, cells),
                f"{bias.changed} of {bias.pairs}",
                f"{bias.firsts} of {bias.decided}",
            ]
        )
    return table([*heads, "changed with the order", "for what was shown first"], rows)
