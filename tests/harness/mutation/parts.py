"""What is mutated together, and the quick tests that have to notice."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """Some files of the library, and the tests that are run against every mutant of them."""

    mutated: tuple[str, ...]
    """Patterns of files, as they are called below `thrifty/`."""
    tests: tuple[str, ...]
    """What pytest is given."""
    sample: str
    """A mutant that mutmut runs itself, while it makes and measures all."""
    imported: tuple[str, ...] = ()
    """Functions that do their work while modules are imported: of these, each mutant is run in a
    process that imports everything anew."""
    needs_postgres: bool = False


LEDGER = (
    *("accounts", "act_input", "active_runs", "authority", "base_ledger", "calls", "changed_rows"),
    *("commit_queue", "grants", "idempotent_calls", "ledger_thread", "memory", "outbox", "owner"),
    *("posting", "process_exit", "process_fork", "protocol", "records", "rules", "run_leases"),
    *("schema", "sql", "sql_rows", "sqlite", "sqlite_file", "sqlite_tables", "storage", "sweep"),
    *("thread_waker", "thresholds", "windows"),
)
GUARD = (
    *("calls/current_account", "calls/step_account", "guard/agent_account"),
    *("guard/callback_guard", "guard/unmetered_request"),
)
METERING = (
    *("calls/allowance", "calls/call_cost", "calls/last_answer", "calls/metered_call"),
    *("calls/reservation", "roles/agent_models"),
)
CODECS = ("codec", "optional", "mapping", "sequence", "fixed_fields")

PARTS = {
    "ledger": Part(
        tuple(f"thrifty/ledger/{name}.py" for name in LEDGER),
        (
            "tests/ledger",
            "--ignore=tests/ledger/test_kill.py",
            "-k=not postgres",
        ),
        sample="thrifty.ledger.schema.x_split_statements__mutmut_1",
        imported=tuple(f"thrifty.ledger.sql.x__{name}" for name in ("select", "insert", "update")),
    ),
    "postgres": Part(
        ("thrifty/ledger/postgres.py",),
        (
            "tests/ledger/test_postgres.py",
            "tests/ledger/test_database.py",
            "tests/ledger/test_calls.py",
            "-k=postgres",
        ),
        sample="thrifty.ledger.postgres.x__is_transient__mutmut_1",
        needs_postgres=True,
    ),
    "budget": Part(
        ("thrifty/budget/*",),
        ("tests/budget",),
        sample="thrifty.budget.money.x_quote_nano_usd__mutmut_1",
        imported=(
            "thrifty.budget.resources.x__count_formatter",
            # How a class is converted is found out once, when a test module writes its first one.
            *(f"thrifty.budget.plain_data.x__{name}" for name in CODECS),
        ),
    ),
    "check": Part(
        (
            "thrifty/nodes/check_spend.py",
            "thrifty/steering/decide.py",
            "thrifty/steering/forecast.py",
            "thrifty/steering/remaining.py",
        ),
        (
            "tests/nodes/test_check_spend.py",
            "tests/steering/test_decide.py",
            "tests/steering/test_forecast.py",
            "tests/steering/test_remaining.py",
        ),
        sample="thrifty.steering.decide.x__with_drift__mutmut_1",
    ),
    "pricing": Part(
        (
            "thrifty/executors/step_limit.py",
            "thrifty/models/costs/*",
            "thrifty/models/providers/*",
        ),
        (
            "tests/executors/test_step_limit.py",
            "tests/models/costs",
            "tests/models/providers",
            "tests/models/calls/test_reservation.py",
            "tests/models/vendors",
        ),
        sample="thrifty.models.costs.usage.x_read_usage__mutmut_1",
    ),
    "guard": Part(
        tuple(f"thrifty/models/{name}.py" for name in GUARD),
        (
            "tests/models/calls/test_step_account.py",
            "tests/models/guard/test_unmetered_request.py",
        ),
        sample="thrifty.models.calls.current_account.x_enclosing_account__mutmut_1",
    ),
    "metering": Part(
        tuple(f"thrifty/models/{name}.py" for name in METERING),
        (
            "tests/models",
            "tests/graph/test_traced.py",
            "--ignore=tests/models/calls/test_deadlines.py",
            "-k=not whatever_the_server_does and not any_budget_under_any_faults",
        ),
        sample="thrifty.models.calls.allowance.x_countdown__mutmut_1",
    ),
}
"""By the name that the command line knows. PostgreSQL's own file is a part of its own, since
every test against a server costs a round trip; what a call may cost and the guard are parts of
their own, since their tests ask no server."""
