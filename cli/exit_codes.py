"""What commands share: what the process returns to the shell."""

from thrifty.receipt.receipt_data import Receipt

DONE = 0
PARTIAL = 3
NOTHING_DONE = 4
OVERRUN = 5
WAITING = 11
INTERRUPTED = 130

EXIT_CODES_HELP = """\b
Exit codes:
  0    done
  1    an unexpected error; --debug shows its traceback
  2    bad input; nothing was spent
  3    halted with a partial result
  4    halted with nothing done; the last line says why
  5    over budget: a provider used more than it was allowed
  6    the price of a model is unknown and cost is limited
  7    no model could be reached
  9    somebody else drives the run
  11   waiting for an answer; `thrifty resume` gives it
  12   its account, or one above it, is closed
  130  interrupted"""
"""For the help text of a command that runs."""

PLAN_EXIT_CODES_HELP = """\b
Exit codes:
  0  there is a plan
  2  bad input
  4  nothing fits the budget"""
"""For the help text of a command that plans."""


def exit_code(receipt: Receipt) -> int:
    """The code that tells how a run ended."""
    spent = receipt.spent
    is_empty = not any(line.status in ("done", "cut") for line in receipt.lines)
    is_free = not (spent.tokens or spent.cost_nano_usd or spent.tool_calls)
    if is_empty and is_free and receipt.status == "halted":
        return NOTHING_DONE  # even where the clock passed a limit of a few milliseconds
    if not receipt.within_budget:
        return OVERRUN
    if receipt.status == "done":
        return DONE
    return NOTHING_DONE if is_empty else PARTIAL
