"""The executor `llm`: writes a section, or revises the draft, with a model."""

from dataclasses import replace
from typing import Any

from thrifty.budget import BudgetExceeded, ModelUnavailable, Outcome, Spend, total
from thrifty.budget.plain_text import plain
from thrifty.executors.protocol import Work
from thrifty.executors.registry import LLM
from thrifty.models.metered import Allowance, Models, Request
from thrifty.models.reply import Reply

WORDS_PER_TOKEN = 0.5
"""How many words to ask for by the estimate, which holds the prompt and the reasoning too."""
WORDS_MIN = 60
REVISION_SHARE_MIN = 0.5
"""A revision with fewer words than this share of its draft has lost something."""


def words_wanted(work: Work) -> int:
    """The length to ask for: what the estimate foresaw, or that of the draft and a little more."""
    foreseen = max(WORDS_MIN, round(work.option.estimate.tokens * WORDS_PER_TOKEN))
    return max(foreseen, round(len(work.draft.split()) * 1.1)) if work.revises else foreseen


def write(
    work: Work, request: Request, models: Models, allowance: Allowance, config: Any = None
) -> Outcome:
    """Does the work with a model; whatever happens is told in the outcome, not raised.

    What it cost is in the ledger under the allowance's key, failed or not.
    """
    try:
        outcome = _read(work, models.ask(request, allowance, config), allowance.envelope)
    except BudgetExceeded as error:
        outcome = Outcome(work.option, "failed", reason=str(error))
    except ModelUnavailable as error:
        disables = LLM if error.for_good else ""
        outcome = Outcome(work.option, "failed", reason=str(error), disables=disables)
    return replace(outcome, actual=_spent_on(allowance))


def _read(work: Work, reply: Reply, envelope: Spend) -> Outcome:
    """A whole text is done; half a section is better than none, half a revision is worse."""
    text = plain(reply.text).strip()
    kept_share = len(text.split()) / max(1, len(work.draft.split()))
    if work.revises and (reply.cut or kept_share < REVISION_SHARE_MIN):
        reason = "the revision left out too much, so the draft stays as it was"
        return Outcome(work.option, "failed", reason=reason)
    if not reply.cut:
        return Outcome(work.option, "done", text)
    reason = f"cut short: its reservation held {envelope.tokens:,} tokens"
    return Outcome(work.option, "cut", text, reason=reason)


def _spent_on(allowance: Allowance) -> Spend:
    """What all attempts under an allowance have cost."""
    entries = allowance.ledger.entries(allowance.account)
    return total(e.charged for e in entries if e.key.startswith(f"{allowance.key}."))
