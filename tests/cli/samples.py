"""A fixed plan and receipts to show, and text that nobody should trust."""

from dataclasses import replace
from decimal import Decimal

from thrifty.budget import Budget, LeftOut, Plan, Spend, StepOption
from thrifty.budget.decision import Decision
from thrifty.receipt.receipt_data import Receipt, ReceiptLine

HOSTILE = (
    "\x1b]8;;http://evil\x07[/] [link=http://evil]x[/link] \x1b[2J\u202e\x00\x9b31m\ud800 :bomb:"
)
"""Escape sequences, markup, a turned direction, NUL, C1 controls, a lone surrogate, an emoji."""


def option(step: str, by: str, estimate: Spend, value: float) -> StepOption:
    return StepOption(f"{step} ({by})", step, by.lower(), f"Do {step}.", estimate, value)


OUTLINE = option("Outline plan", "LLM", Spend(600, 3_900_000, 1200, 1), 10.0)
RISKS = option("Risk register", "LLM", Spend(700, 4_550_000, 1400, 1), 9.0)
TIDY = option("Quality pass", "local", Spend(120, 0, 50, 0), 3.5)

PLAN = Plan(
    status="feasible",
    engine="beam",
    chosen=(OUTLINE, RISKS, TIDY),
    value=22.5,
    bound=27.0,
    left_out=(
        LeftOut("Timeline (LLM)", "Timeline", "does not fit beside the rest: 1 call short"),
        LeftOut("Summary (LLM)", "Summary", "does not fit beside the rest: 1 call short"),
    ),
)
BUDGET = Budget(max_tokens=2200, max_cost_usd=Decimal("0.02"), max_latency_ms=3500)

RECEIPT = Receipt(
    run_id="run-1",
    task="Draft a proposal",
    status="done",
    halt_reason="",
    budget=BUDGET,
    spent=Spend(1930, 9_123_456, 2610, 3),
    planned=Spend(1420, 8_450_000, 2650, 2),
    bound_by=("tokens",),
    bound_by_accounts=(),
    lines=(
        ReceiptLine("Option proposals", "", "overhead", None, Spend(390, 2_000_000, 400, 1), 0.0),
        ReceiptLine(
            OUTLINE.name, "llm", "done", OUTLINE.estimate, Spend(640, 4_123_456, 980, 1), 10.0
        ),
        ReceiptLine(
            RISKS.name,
            "llm",
            "failed",
            RISKS.estimate,
            Spend(900, 3_000_000, 1200, 1),
            0.0,
            "the server failed (500)",
        ),
        ReceiptLine("Risk register (local)", "local", "done", None, Spend(0, 0, 3, 0), 5.0),
        ReceiptLine(TIDY.name, "local", "replaced", TIDY.estimate, Spend(), 0.0),
    ),
    decisions=(
        Decision("plan", "Outline plan (LLM), Risk register (LLM): worth 22.5", 402),
        Decision("replan", "'Risk register (LLM)' did not work out", 2590),
    ),
    best=20.0,
)


def receipt_with(text: str) -> Receipt:
    """The receipt with a text in every place that comes from outside."""
    return replace(
        RECEIPT,
        status="halted",
        halt_reason=text,
        bound_by=(text,),
        bound_by_accounts=(text,),
        lines=tuple(replace(line, label=text, reason=text) for line in RECEIPT.lines),
        decisions=tuple(replace(decision, reason=text) for decision in RECEIPT.decisions),
    )
