"""What `thrifty doctor --try` does: it asks each model once, on the books of the user's home."""

from collections.abc import Iterator
from uuid import uuid4

from thrifty.budget import LedgerUnavailable, Spend, ThriftyError
from thrifty.budget.dollars import format_usd
from thrifty.cli.finding import Finding
from thrifty.cli.saved_runs import RunsFolder
from thrifty.models.roles.model_role import ModelRole
from thrifty.models.roles.model_roles import ModelRoles
from thrifty.models.roles.trial import Trial, try_model

TRIAL_KIND = "trial:"
"""What the names of accounts begin with in which trials are booked."""


def try_models(roles: ModelRoles) -> Iterator[Finding]:
    """Asks each model that can be asked, and says what it cost."""
    asked = [role for role in roles if not role.is_offline]
    if not asked:
        yield Finding("trial", "no model can be asked", "see what is said of key and model")
        return
    try:
        with RunsFolder.of_user().open_ledger() as ledger:
            for role in asked:
                account = f"{TRIAL_KIND}{role.name}/{uuid4().hex[:12]}"
                yield _describe(role, try_model(role, ledger, account))
    except ThriftyError as error:
        remedy = "set THRIFTY_HOME to a folder that can be written to"
        yield Finding("trial", f"nothing was asked: {error}", remedy, LedgerUnavailable.exit_code)


def _describe(role: ModelRole, trial: Trial) -> Finding:
    spent = Spend() if trial.entry is None else trial.entry.charged
    cost = _cost(role, spent)
    if trial.error is None:
        says = f"answered in {spent.latency_ms:,} ms, for {cost}"
        return Finding("trial", says, role=role.name)
    says = str(trial.error)
    if spent.tokens:
        says += f"; it is charged {cost}, as nobody knows what it cost"
    remedy = "correct what the server names, or ask another model"
    return Finding("trial", says, remedy, trial.error.exit_code, role.name)


def _cost(role: ModelRole, spent: Spend) -> str:
    dollars = format_usd(spent.cost_nano_usd)
    if not (spent.cost_nano_usd or role.prices.knows(role.model)):
        dollars = "a price that nobody here knows"
    return f"{spent.tokens:,} tokens and {dollars}"
