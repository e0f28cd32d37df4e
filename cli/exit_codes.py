"""What commands share: what the process returns to the shell."""

from thrifty.budget import ModelUnavailable, PriceUnknown
from thrifty.receipt.receipt_data import HaltCause, Receipt

DONE = 0
PARTIAL = 3
NOTHING_DONE = 4
OVERRUN = 5
WAITING = 11
WARNED = 13
INTERRUPTED = 130
CAUSES: dict[HaltCause, int] = {
    "model": ModelUnavailable.exit_code,
    "price": PriceUnknown.exit_code,
}
"""What a run returns that was halted for want of somebody who can."""

EXIT_CODES_HELP = """\b
Exit codes:
  0    done, and nothing to warn of
  1    an unexpected error; --debug shows its traceback
  2    bad input; nothing was spent
  3    halted with a partial result
  4    halted with nothing done; the last line says why
  5    over budget: a provider used more than it was allowed
  6    the price of a model is unknown and cost is limited: none was asked
  7    no model could be asked, or none answered
  9    somebody else drives the run
  11   waiting for an answer; `thrifty resume` gives it
  12   its account, or one above it, is closed
  13   done with warnings: something failed, was cut short or is in doubt
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
    # Even where the clock passed a limit of a few milliseconds.
    is_nothing = is_empty and is_free and receipt.status == "halted"
    if not receipt.within_budget and not is_nothing:
        return OVERRUN
    if receipt.status == "done":
        return WARNED if receipt.warnings else DONE
    if receipt.cause:
        return CAUSES[receipt.cause]
    return NOTHING_DONE if is_empty else PARTIAL
