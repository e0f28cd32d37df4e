"""The executor `llm`: writes a section, or revises the draft, with a model."""

import re
from typing import Any

from thrifty.budget import BudgetExceeded, ModelUnavailable, Outcome, Spend, total_spend
from thrifty.budget.outcome import OutcomeStatus
from thrifty.budget.plain_text import strip_unprintable
from thrifty.executors.model_access import model_worker
from thrifty.executors.protocol import Work
from thrifty.ledger.idempotent_calls import call_entries
from thrifty.models.agent_models import ModelPrompt, Models, Reply
from thrifty.models.allowance import OUTPUT_CAP_MIN, Allowance
from thrifty.models.background_loop import CallAbandoned
from thrifty.models.roles import ModelRole

WORDS_PER_TOKEN = 0.5
"""How many words to ask for by the estimate, which holds the prompt and the reasoning too."""
WORDS_MIN = 60
USEFUL_DIVISOR = 4
REVISION_SHARE_MIN = 0.5
"""A revision with fewer words than this share of its draft has lost something."""
HEADING = re.compile(r"(?m)^## +(.+?) *$")


def target_words(work: Work) -> int:
    """The length to ask for: what the estimate expects, or that of the draft and a little more."""
    expected = max(WORDS_MIN, round(work.option.estimate.tokens * WORDS_PER_TOKEN))
    return max(expected, round(len(work.draft.split()) * 1.1)) if work.revises else expected


def useful_tokens(work: Work, role: ModelRole) -> int:
    """The shortest answer worth its input: a quarter of the estimate, or as long as the draft."""
    if work.revises:
        return max(OUTPUT_CAP_MIN, role.tokens_bound(work.draft))
    return max(OUTPUT_CAP_MIN, work.option.estimate.tokens // USEFUL_DIVISOR)


def write_with_model(
    work: Work, prompt: ModelPrompt, models: Models, allowance: Allowance, config: Any = None
) -> Outcome:
    """Does the work with a model. The outcome says what happened; nothing is raised.

    What it cost is in the ledger under the allowance's key, failed or not.
    """
    status: OutcomeStatus = "failed"
    text = disables = ""
    short_of: tuple[str, ...] = ()
    is_unanswered = False
    try:
        reply = models.ask(prompt, allowance, config)
    except BudgetExceeded as error:
        reason, short_of = str(error), tuple(error.missing)
    except CallAbandoned as error:
        reason = str(error)
    except ModelUnavailable as error:
        reason, is_unanswered = str(error), True
        disables = model_worker(prompt.role) if error.for_good else ""  # else it may answer yet
    else:
        status, text, reason = _judge(work, reply, allowance)
    charged = _sum_charges(allowance)
    return Outcome(work.option, status, text, charged, reason, disables, short_of, is_unanswered)


def _judge(work: Work, reply: Reply, allowance: Allowance) -> tuple[OutcomeStatus, str, str]:
    """Status, text and reason: half a section is better than none, half a revision is worse."""
    text = strip_unprintable(reply.text).strip()
    if work.revises and (missing := "its end" if reply.is_cut else _missing(work.draft, text)):
        return "failed", "", f"the revision lost {missing}, so the draft stays as it was"
    if not reply.is_cut:
        return "done", text, ""
    limit = allowance.limit or Spend()
    return "cut", text, f"cut short: its reservation held {limit.tokens:,} tokens"


def _missing(draft: str, revision: str) -> str:
    """What a revision no longer has of its draft; empty when it is all there."""
    headings = {heading.casefold() for heading in HEADING.findall(revision)}
    for heading in HEADING.findall(draft):
        if heading.casefold() not in headings:
            return f"the section {heading!r}"
    is_short = len(revision.split()) < REVISION_SHARE_MIN * len(draft.split())
    return "more than half of the words" if is_short else ""


def _sum_charges(allowance: Allowance) -> Spend:
    """What all attempts under an allowance have cost. A call that is still pending could not be
    settled, and may cost all that it holds."""
    amounts = []
    for entry in call_entries(allowance.ledger, allowance.account, allowance.key):
        amounts.append(entry.reserved if entry.status == "pending" else entry.charged)
    return total_spend(amounts)
