"""Plan and receipt on a screen: wide, narrow, and with text that nobody should trust."""

import io
import re
from dataclasses import replace

import pytest
from rich.console import Console, RenderableType

from tests.cli.samples import BUDGET, HOSTILE, PLAN, RECEIPT, receipt_with
from thrifty.budget import LeftOut, Spend
from thrifty.receipt.terminal import plan_view, receipt_text, receipt_view
from thrifty.receipt.wording import describe_plan, describe_worth, format_share

WIDTHS = [60, 80, 200]


def shown(view: RenderableType, width: int, **extra: object) -> list[str]:
    console = Console(file=io.StringIO(), width=width, **extra)  # type: ignore[arg-type]
    console.print(view)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]  # type: ignore[attr-defined]


def test_a_receipt_reads_like_this():
    assert shown(receipt_view(RECEIPT, 80), 80) == RECEIPT_AT_80.splitlines()


def test_a_narrow_receipt_has_the_planned_above_the_used():
    assert shown(receipt_view(RECEIPT, 60), 60) == RECEIPT_AT_60.splitlines()


def test_a_program_has_the_same_as_plain_text(monkeypatch):
    for forced in ("FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.setenv(forced, "1")
    assert receipt_text(RECEIPT) == RECEIPT_AT_80.rstrip("\n")
    assert receipt_text(RECEIPT, 60) == RECEIPT_AT_60.rstrip("\n")


def test_a_plan_reads_like_this():
    assert shown(plan_view(PLAN, BUDGET), 80) == PLAN_AT_80.splitlines()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"best": 22.5}, "3 steps worth 22.5, the most that fits, and as much as without limits."),
        (
            {"best": 30.0},
            "3 steps worth 22.5, the most that fits, and 75% of the best without limits (30.0).",
        ),
        ({}, "3 steps worth 22.5, the most that fits."),
        (
            {"best": 30.0, "status": "feasible", "bound": 27.0},
            "3 steps worth 22.5, 75% of the best without limits (30.0); not proven best, but none "
            "that fits is worth more than 27.0.",
        ),
    ],
)
def test_a_plan_says_what_part_of_the_best_it_is_worth(change, told):
    assert describe_plan(replace(PLAN, **{"status": "optimal", **change})) == told


@pytest.mark.parametrize(
    ("share", "told"),
    [
        (1.0, "100%"),
        (0.9999, "over 99%"),
        (0.986, "99%"),
        (0.004, "under 1%"),
        (0.0, "0%"),
    ],
)
def test_all_and_nothing_are_exact(share, told):
    assert format_share(share) == told


@pytest.mark.parametrize(
    ("status", "best", "told"),
    [
        ("done", 20.0, "Worth 15.0, 75% of the best without limits (20.0)."),
        ("cut", 20.0, "Worth at most 15.0, 75% of the best without limits (20.0)."),
        # What is told of limits says that it is all of it.
        ("done", 15.0, "Worth 15.0."),
        ("done", None, "Worth 15.0."),
    ],
)
def test_a_receipt_says_what_part_of_the_best_was_done(status, best, told):
    lines = tuple(replace(x, status=status) if x.value else x for x in RECEIPT.lines)
    assert describe_worth(replace(RECEIPT, lines=lines, best=best)) == told
    nothing = tuple(replace(x, status="failed", value=0.0) for x in lines)
    assert describe_worth(replace(RECEIPT, lines=nothing, best=best)) == ""


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_wider_than_the_screen_or_cut(width):
    every = shown(receipt_view(RECEIPT, width), width) + shown(plan_view(PLAN, BUDGET), width)
    assert max(map(len, every)) <= width
    assert "…" not in "".join(every)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("color", [None, "truecolor"])
def test_hostile_text_is_shown_and_not_obeyed(width, color):
    hostile_plan = replace(
        PLAN,
        chosen=(replace(PLAN.chosen[0], name=HOSTILE, executor=HOSTILE),),
        left_out=(LeftOut(HOSTILE, HOSTILE, HOSTILE),),
    )
    terminal = {"force_terminal": bool(color), "color_system": color}
    views = [receipt_view(receipt_with(HOSTILE), width), plan_view(hostile_plan, BUDGET)]
    for view in views:
        written = "\n".join(shown(view, width, **terminal))
        left = re.sub(r"\x1b\[[\d;]*m", "", written)  # rich's own colours
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e\ud800]", left)
        assert "[/]" in left
        assert "[link=" in left.replace("\n", "")
        assert ":bomb:" in left


def test_an_overrun_is_said_in_plain_words():
    over = replace(RECEIPT, status="halted", spent=Spend(2300, 0, 10, 1))
    last = shown(receipt_view(over, 200), 200)[-1]
    assert last.startswith("Halted, OVER BUDGET: 100 tokens over the limit.")


def test_warnings_are_in_the_last_line_where_a_reader_looks_first():
    one = replace(RECEIPT, warnings=("Timeline was cut short",))
    assert shown(receipt_view(one, 200), 200)[-1].startswith(
        "Done with 1 warning, within budget: Timeline was cut short."
    )
    more = ("Timeline was cut short", "1 call is in doubt and charged in full")
    halted = replace(RECEIPT, status="halted", halt_reason="interrupted", warnings=more)
    assert shown(receipt_view(halted, 200), 200)[-1].startswith(
        "Halted, within budget: interrupted; Timeline was cut short; "
        "1 call is in doubt and charged in full."
    )
    over = replace(RECEIPT, spent=Spend(2300, 0, 10, 1), warnings=more[:1])
    assert shown(receipt_view(over, 200), 200)[-1].startswith(
        "Done with 1 warning, OVER BUDGET: 100 tokens over the limit; Timeline was cut short."
    )


def test_who_pays_is_named_above_the_verdict():
    *_, payer, _ = shown(receipt_view(replace(RECEIPT, account="team"), 200), 200)
    assert payer == "Charged to the account team."


def test_an_empty_receipt_still_has_a_verdict():
    empty = replace(
        RECEIPT, status="halted", halt_reason="nothing fits", spent=Spend(), lines=(), decisions=()
    )
    assert shown(receipt_view(empty, 200), 200)[-1].startswith(
        "Halted, within budget: nothing fits."
    )


RECEIPT_AT_80 = """\
   Planned → used         tokens               cost             ms  calls  value
────────────────────────────────────────────────────────────────────────────────
+  Option proposals,     - → 390        - →  $0.002      - →   400  - → 1      -
   overhead
✓  Outline plan (LLM)  600 → 640  $0.0039 → $0.0042  1,200 →   980  1 → 1   10.0
✗  Risk register       700 → 900  $0.0046 →  $0.003  1,400 → 1,200  1 → 1      -
   (LLM), failed
✓  Risk register         - →   0        - →   $0.00      - →     3  - → 0    5.0
   (local)
·  Quality pass        120 →   0    $0.00 →   $0.00     50 →     0  0 → 0      -
   (local), replaced

✗ Risk register (LLM): the server failed (500)

Decisions
  402 ms  plan    Outline plan (LLM), Risk register (LLM): worth 22.5
2,590 ms  replan  'Risk register (LLM)' did not work out

Resource     limit   planned          used          left
───────────────────────────────────────────────────────────────────────────
tokens       2,200     1,420         1,930           270  ███████████░  88%
cost         $0.02   $0.0085  $0.009123456  $0.010876544  ██████░░░░░░  46%
latency   3,500 ms  2,650 ms      2,610 ms        890 ms  █████████░░░  75%
calls         none         2             3

Done, within budget. Worth 15.0, 75% of the best without limits (20.0). More
tokens would have bought something better.
"""
RECEIPT_AT_60 = """\
   Planned, below it
   used                 tokens     cost     ms  calls  value
────────────────────────────────────────────────────────────
+  Option proposals,         -        -      -      -      -
   overhead                390   $0.002    400      1
✓  Outline plan (LLM)      600  $0.0039  1,200      1   10.0
                           640  $0.0042    980      1
✗  Risk register           700  $0.0046  1,400      1      -
   (LLM), failed           900   $0.003  1,200      1
✓  Risk register             -        -      -      -    5.0
   (local)                   0    $0.00      3      0
·  Quality pass            120    $0.00     50      0      -
   (local), replaced         0    $0.00      0      0

✗ Risk register (LLM): the server failed (500)

Decisions
  402 ms  plan    Outline plan (LLM), Risk register (LLM):
                  worth 22.5
2,590 ms  replan  'Risk register (LLM)' did not work out

Resource     limit   planned      used     left
─────────────────────────────────────────────────────
tokens       2,200     1,420     1,930      270   88%
cost         $0.02   $0.0085   $0.0092  $0.0108   46%
latency   3,500 ms  2,650 ms  2,610 ms   890 ms   75%
calls         none         2         3

Done, within budget. Worth 15.0, 75% of the best without
limits (20.0). More tokens would have bought something
better.
"""
PLAN_AT_80 = """\

Plan  3 steps worth 22.5; not proven best, but none that fits is worth more than
27.0.
Step                  by     tokens     cost     ms  calls  value
─────────────────────────────────────────────────────────────────
Outline plan (LLM)    llm       600  $0.0039  1,200      1   10.0
Risk register (LLM)   llm       700  $0.0046  1,400      1    9.0
Quality pass (local)  local     120    $0.00     50      0    3.5

Expected                      1,420  $0.0085  2,650      2   22.5
Limit                         2,200    $0.02  3,500   none

Left out
· Timeline (LLM), Summary (LLM): does not fit beside the rest: 1 call short

"""


def test_a_plan_without_a_margin_says_how_likely_it_is_to_fit():
    told = describe_plan(replace(PLAN, chance=0.62))
    assert told.endswith(
        "There is no room for a margin, so it fits in about 62% of cases. "
        "The budget holds in any case."
    )
