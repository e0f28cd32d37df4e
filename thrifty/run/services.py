"""What the nodes work with: bound to them when the graph is built, never part of its state."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from langchain_core.runnables import RunnableConfig

from thrifty.budget import Budget, Spend, Step, validate
from thrifty.checks.checks import FREE_CHECKS, Checks
from thrifty.executors.answer_shape import AnswerShape
from thrifty.executors.registry import ExecutorRegistry
from thrifty.ledger import authority
from thrifty.ledger.active_runs import ActiveRuns
from thrifty.ledger.protocol import Ledger
from thrifty.ledger.records import AccountOrLease, Balance
from thrifty.models.roles.agent_models import Models
from thrifty.models.roles.asked import Asked
from thrifty.options.read_decomposition import read_decomposition
from thrifty.options.recipe import ANSWER
from thrifty.options.recipes import Recipes
from thrifty.options.ways import Ways
from thrifty.run.facts import Run
from thrifty.run.identity import run_account
from thrifty.run.run_cache import RunCache

CLOSING_SHARE = 10
CLOSING_MS_MIN, CLOSING_MS_MAX = 100, 250
"""Kept back of the latency, a tenth of it within these bounds. After a call is cut, the run still
has to settle it, report it, and do what can stand in for it."""


@dataclass(frozen=True, slots=True)
class Services:
    """The parts that an agent stands on."""

    recipes: Recipes
    """Which steps a run has, by its task."""
    executors: ExecutorRegistry
    """Who can do the work, by name."""
    models: Models
    """Who asks language models."""
    ledger: Ledger
    """The truth of what was reserved and spent."""
    runs: ActiveRuns
    """Which runs are at work in this process, by which lease, for how long."""
    budget: Budget | None
    """The limits of a run that was given none. None: its recipe's."""
    shape: AnswerShape | None = None
    """What answers have to be. None: texts."""
    checks: Checks = FREE_CHECKS
    """What results have to pass."""
    payer: authority.AccountChoice | None = None
    """The account that pays for runs, as the deployment has it. None: each run has its own."""

    def common(self, config: RunnableConfig) -> str:
        """The account that pays for a run. Empty where runs pay for themselves.

        Raises:
            InvalidInput: the deployment's function names none.
        """
        return "" if self.payer is None else authority.choose_account(self.payer, config)

    def run_id(self, run: Run, config: RunnableConfig, places: Sequence[str] | None = None) -> str:
        """The name of a run's own account, by what no client can write.

        Args:
            run: how the state calls it.
            config: as one of its nodes is told.
            places: where it is in its parents' graphs, where no node of it asks.
        """
        return run_account(run, config, self.common(config), places)

    def steps(self, run: Run, run_id: str) -> tuple[Step, ...]:
        """The steps that a run has, as they are declared: its recipe's, or those that its task was
        taken apart into.

        Raises:
            InvalidInput: the deployment knows no such recipe.
        """
        # The same objects as long as an invocation lasts: forecasts know a step by its identity.
        of_task = run["asked"], run["words"], run["documents"]
        return self.cache(run_id).compute_once(
            "steps of a run",
            (run["recipe"], run["decomposition"], of_task),
            lambda: self._steps(run),
        )

    def own_steps(self, run: Run) -> tuple[Step, ...]:
        """Those that the deployment has for a run, whatever a model or a client has written.

        Raises:
            InvalidInput: the deployment knows no such recipe.
        """
        asked, words = Asked.from_state(run["asked"]), validate.amount("run.words", run["words"])
        return self.recipes.steps(run["recipe"], asked, words)

    def _steps(self, run: Run) -> tuple[Step, ...]:
        if run["recipe"] != ANSWER or run["decomposition"] is None:
            return self.own_steps(run)
        asked = Asked.from_state(run["asked"])
        # A client of a server can write the state, so it is read as what a model wrote.
        documents = run["documents"]
        taken_apart = read_decomposition(run["decomposition"], self.executors, documents)
        if run["words"]:  # a person's word goes before a model's
            taken_apart = replace(taken_apart, words=run["words"])
        return Ways(self.recipes.answer, self.executors).steps(taken_apart, asked, documents)

    def account(self, run_id: str) -> AccountOrLease:
        """What is shown to the ledger to spend as a run."""
        return self.runs.account_or_lease(run_id)

    def limits(self, run_id: str) -> Budget:
        """The limits of a run as they are now: they may be changed while it works or waits."""
        return self.ledger.balance(run_id).budget

    def limits_in_force(self, run_id: str) -> Budget:
        """What limits a run at all: its own limits, and those of the accounts above it."""
        return self.ledger.balance(run_id).limits

    def cache(self, run_id: str) -> RunCache:
        """What the nodes of a run have read and written so far."""
        return self.runs.get_or_make(run_id, RunCache)

    def spend(self, run_id: str, known_ms: int) -> Spend:
        """What a run has spent until now. Latency is its active time."""
        spent = self.ledger.balance(run_id).spent
        # The ledger adds up the time of all calls, also of those side by side.
        return replace(spent, latency_ms=self.runs.active_ms(run_id, known_ms))

    def remaining_ms(self, run_id: str, known_ms: int, limits: Budget) -> int | None:
        """How long a call may take from now, under a run's limits. None without a limit."""
        limit_ms = limits.max_latency_ms
        if limit_ms is None:
            return None
        closing_ms = min(max(limit_ms // CLOSING_SHARE, CLOSING_MS_MIN), CLOSING_MS_MAX)
        return max(0, limit_ms - closing_ms - self.runs.active_ms(run_id, known_ms))

    def remaining_budget(self, run_id: str, known_ms: int) -> Budget:
        """What a run may still reserve, and the latency it has left."""
        return left_of_run(self.ledger.balance(run_id), self.runs.active_ms(run_id, known_ms))


def left_of_run(balance: Balance, active_ms: int) -> Budget:
    """What a run may still reserve by its balance, and the latency it has left."""
    own = balance.budget.left_after(Spend(latency_ms=active_ms))
    # In the accounts above it, others spend as well: the least that one of them has left.
    return balance.left.tightest_with(own)
