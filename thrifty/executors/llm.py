"""The executor `llm`: writes a section, or revises the draft, with a model."""

import re
from typing import Any

from thrifty.budget import (
    BudgetExceeded,
    InvalidInput,
    ModelUnavailable,
    Outcome,
    Spend,
    total_spend,
)
from thrifty.budget.outcome import OutcomeStatus
from thrifty.budget.plain_text import trim_text
from thrifty.executors.model_access import model_worker
from thrifty.executors.payload import is_conversation
from thrifty.executors.protocol import Result, Work
from thrifty.ledger.idempotent_calls import call_entries
from thrifty.models.calls.allowance import Allowance
from thrifty.models.roles.agent_models import ModelPrompt, Models, Reply
from thrifty.models.roles.model_role import ModelRole
from thrifty.models.wire.background_loop import CallAbandoned

USEFUL_DIVISOR = 2
USEFUL_ANSWER_TOKENS = 200
"""From so many tokens on, before any reasoning, an answer to a conversation is of use, however long
it is expected to be: half of a usual one."""
REVISION_GROWTH = 1.3
"""A revision writes its draft again, perhaps a little longer."""
REVISION_SHARE_MIN = 0.5
"""A revision with fewer words than this share of its draft has lost something."""
HEADING = re.compile(r"(?m)^## +(.+?) *$")


def useful_tokens(work: Work, role: ModelRole) -> int:
    """The shortest answer worth its input: half of the expected, or a revision's whole draft."""
    useful = work.option.expected_output_tokens // USEFUL_DIVISOR
    if is_conversation(work.option):
        useful = min(useful, round(USEFUL_ANSWER_TOKENS * role.reasoning_factor))
    least = max(role.output_tokens_least, useful)
    if not work.revises:
        return least
    return max(least, round(REVISION_GROWTH * role.tokens_bound(work.draft)))


def write_with_model(
    work: Work, prompt: ModelPrompt, models: Models, allowance: Allowance, config: Any = None
) -> Outcome:
    """Does the work with a model. The outcome says what happened; nothing is raised.

    What it cost is in the ledger under the allowance's key, failed or not.
    """
    status: OutcomeStatus = "failed"
    text, disables, data = "", "", None
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
        try:
            result = _read_result(work, reply)
        except InvalidInput as error:  # what is kept is kept whole, and in the shape wanted
            reason = f"{error}; it was cut short" if reply.is_cut else str(error)
            reason += _shape_remedy(reply, models.roles[prompt.role])
        else:
            status, text, reason = _judge(work, result.text, reply, allowance)
            data = result.data
    charged = _sum_charges(allowance)
    return Outcome(
        work.option, status, text, charged, reason, disables, short_of, is_unanswered, data=data
    )


def _read_result(work: Work, reply: Reply) -> Result:
    """What a reply is, as text or in the shape that is wanted.

    Raises:
        InvalidInput: it has another shape, or is too large for a state.
    """
    text = trim_text(reply.text)
    if work.shape is None:
        return Result(text)
    given = text if reply.arguments is None else reply.arguments
    return Result(data=work.shape.read(given))


def _shape_remedy(reply: Reply, role: ModelRole) -> str:
    """What else may help where a shape was asked for and text came: some servers ask for none."""
    is_ignored = reply.arguments is None and role.api == "chat" and role.shape_field == "tools"
    remedy = "; if its server leaves out functions, set shape_field to response_format"
    return remedy if is_ignored else ""


def _judge(
    work: Work, text: str, reply: Reply, allowance: Allowance
) -> tuple[OutcomeStatus, str, str]:
    """Status, text and reason: half a section is better than none, half a revision is worse."""
    if work.revises and (missing := "its end" if reply.is_cut else _missing(work.draft, text)):
        return "failed", "", f"the revision lost {missing}, so the draft stays as it was"
    if not reply.is_cut:
        return "done", text, ""
    limit = allowance.limit or Spend()
    # The reservation is not all that cuts: a model's own cap does, and the end of its context.
    after = "" if reply.output_tokens is None else f" after {reply.output_tokens:,} tokens"
    return "cut", text, f"cut short{after}; its reservation held {limit.tokens:,} tokens"


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
