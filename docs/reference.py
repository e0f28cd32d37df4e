"""Writes docs/reference.md from the docstrings of the public names: `python docs/reference.py`.

Sources are read, not objects, so that a signature stands there as it was written.
"""

import ast
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import thrifty
from thrifty.ledger import protocol, records

PAGE = Path(__file__).with_name("reference.md")
HEAD = """# Reference

The public names of `thrifty`, from their docstrings (`Ledger` is in \
`thrifty.ledger.protocol`, what it hands out in `thrifty.ledger.records`). Made by \
`python docs/reference.py`; a test compares.
"""
GROUPS = {
    "Agents": (
        *("create_budget_agent", "as_node", "authenticated_user"),
        *("Context", "Settings", "Model", "TokenPrice"),
    ),
    "Budgets and what was spent": ("Budget", "Spend", "Receipt", "receipt_text", "Outcome"),
    "Recipes and executors": (
        *("Recipe", "load_recipe", "proposal_recipe", "Step", "StepOption"),
        *("Executor", "Work", "Result", "Check", "CheckResult"),
    ),
    "Plans": ("make_plan", "Problem", "Plan"),
    "Ledgers and metered models": (
        *("MemoryLedger", "SqliteLedger", "PostgresLedger"),
        *("Ledger", "Balance", "PeriodBalance", "AccountInfo", "Entry", "Lease"),
        *("log_threshold", "post_threshold", "metered", "UseFee", "BudgetMiddleware", "rate"),
    ),
    "Errors": (
        *("ThriftyError", "InvalidInput", "BudgetExceeded", "PriceUnknown"),
        *("ModelUnavailable", "StepEnded", "ReservationClosed", "KeyReused"),
        *("AccountClosed", "LeaseLost", "LedgerUnavailable"),
    ),
}
RECORDS = ("Balance", "PeriodBalance", "AccountInfo", "Entry", "Lease")
UNDERNEATH = {
    "Ledger": protocol.Ledger,
    **{each: getattr(records, each) for each in RECORDS},
}
"""What public names are made of, of the ledger."""

SECTION = re.compile(r"(?m)^(Args|Returns|Raises|Example):\n((?:(?: {4}.*)?\n?)*)")
ENTRY = re.compile(r"(?m)^([\w., ]+): ")

Documented = ast.FunctionDef | ast.ClassDef


def page() -> str:
    """The whole page."""
    listed = {name for names in GROUPS.values() for name in names}
    if odd := listed ^ {*dir(thrifty), *UNDERNEATH}:
        sys.exit(f"GROUPS and dir(thrifty) differ: {', '.join(sorted(odd))}")
    parts = [HEAD]
    for group, names in GROUPS.items():
        parts.append(f"## {group}\n")
        for name in names:
            parts += described(name)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(parts))


def described(name: str) -> Iterator[str]:
    """A public name: signature, docstring, fields, and what can be called on it."""
    thing = inspect.unwrap(UNDERNEATH.get(name) or getattr(thrifty, name))
    source = Path(inspect.getsourcefile(thing) or "")
    text = source.read_text("utf-8")
    named = [n for n in ast.parse(text).body if isinstance(n, Documented) and n.name == name]
    node = named[-1]  # after its overloads
    place = source.resolve().relative_to(PAGE.parent.parent)
    yield f"### `{name}`\n"
    yield f"[{place}](../{place})\n"
    if isinstance(node, ast.FunctionDef):
        yield code(signature(node, text))
    yield prose(node)
    if isinstance(node, ast.ClassDef):
        if fields := "".join(of_fields(node, text)):
            yield fields
        for method in node.body:
            if isinstance(method, ast.FunctionDef) and is_public(method):
                yield f"**`{node.name}.{method.name}`**\n"
                yield code(signature(method, text))
                yield prose(method)


def is_public(method: ast.FunctionDef) -> bool:
    documented = ast.get_docstring(method) is not None
    return documented and (method.name == "__init__" or not method.name.startswith("_"))


def signature(node: ast.FunctionDef, text: str) -> str:
    """From `def` to the colon, as written; of a decorator, what a caller has to know."""
    called = [f"@{ast.unparse(decorator)}" for decorator in node.decorator_list]
    told = [decorator for decorator in called if decorator in ("@property", "@classmethod")]
    lines = text.splitlines()[node.lineno - 1 : node.body[0].lineno - 1]
    return "\n".join([*told, dedent("\n".join(lines)).removesuffix(":")])


def of_fields(node: ast.ClassDef, text: str) -> Iterator[str]:
    """The fields, each with its default and the sentence below it."""
    following = [*node.body[1:], None]
    for field, then in zip(node.body, following, strict=True):
        if not isinstance(field, ast.AnnAssign) or not isinstance(field.target, ast.Name):
            continue
        if (name := field.target.id).startswith("_"):
            continue
        kind = ast.get_source_segment(text, field.annotation)
        told = below(then)
        yield f"- `{name}: {kind}`{f': {told}' if told else ''}\n"


def below(node: ast.stmt | None) -> str:
    is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return one_line(inspect.cleandoc(str(node.value.value))) if is_text else ""  # type: ignore


def prose(node: Documented) -> str:
    """A docstring in Google's form as Markdown."""
    text = ast.get_docstring(node) or ""
    return SECTION.sub(lambda found: section(found[1], dedent(found[2])), f"{text}\n")


def section(title: str, body: str) -> str:
    if title == "Returns":
        return f"Returns: {one_line(body)}\n\n"
    if title == "Example":
        return f"Example: {one_line(body)}\n\n"
    entries = re.split(r"\n(?! )", body.strip())
    lines = [ENTRY.sub(r"`\1`: ", one_line(entry), count=1) for entry in entries]
    return f"{title}:\n\n" + "".join(f"- {line}\n" for line in lines) + "\n"


def one_line(text: str) -> str:
    return " ".join(text.split())


def code(text: str) -> str:
    return f"```text\n{text}\n```\n"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
