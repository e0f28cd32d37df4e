"""What is mutated together, and the quick tests that have to notice."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """Some files of the library, and the tests that are run against every mutant of them."""

    mutated: tuple[str, ...]
    """Patterns of files, as they are called below `thrifty/`."""
    tests: tuple[str, ...]
    """What pytest is given."""
    by_mutmut: tuple[str, ...]
    """Mutants that mutmut runs itself, each in a process that imports the library anew: those of
    functions that do their work while modules are imported, else a few to check the forks by."""
    needs_postgres: bool = False


LEDGER = (
    *("accounts", "at_work", "book", "booking", "calls", "forks", "memory", "owner", "protocol"),
    *("rules", "schema", "share", "sql", "sqlite", "store", "together"),
)
METERING = ("allowance", "call", "door", "envelope", "gate", "metered", "prices", "size", "tab")

PARTS = {
    "ledger": Part(
        tuple(f"thrifty/ledger/{name}.py" for name in LEDGER),
        (
            "tests/ledger",
            "--ignore=tests/ledger/test_kill.py",
            "--ignore=tests/ledger/test_soak.py",
            "-k=not postgres",
        ),
        by_mutmut=("thrifty.ledger.sql.x__marks__*", "thrifty.ledger.sql.x__assigned__*"),
    ),
    "postgres": Part(
        ("thrifty/ledger/postgres.py",),
        (
            "tests/ledger/test_postgres.py",
            "tests/ledger/test_database.py",
            "tests/ledger/test_calls.py",
            "-k=postgres",
        ),
        by_mutmut=("thrifty.ledger.postgres.x__first_line__*",),
        needs_postgres=True,
    ),
    "budget": Part(
        ("thrifty/budget/*",),
        ("tests/budget",),
        by_mutmut=("thrifty.budget.resources.x__counted__*",),
    ),
    "check": Part(
        (
            "thrifty/nodes/check_spend.py",
            "thrifty/planning/course.py",
            "thrifty/planning/forecast.py",
        ),
        (
            "tests/nodes/test_check_spend.py",
            "tests/planning/test_course.py",
            "tests/planning/test_forecast.py",
        ),
        by_mutmut=("thrifty.planning.course.x__because__*",),
    ),
    "metering": Part(
        (*(f"thrifty/models/{name}.py" for name in METERING), "thrifty/models/usage.py"),
        ("tests/models",),
        by_mutmut=("thrifty.models.envelope.*__mutmut_1",),
    ),
}
"""By the name that the command line knows. PostgreSQL's own file is a part of its own, since
every test against a server costs a round trip."""
