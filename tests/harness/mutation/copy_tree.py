"""A copy of the library in which everything can be mutated, with the tool's settings for a part."""

import ast
import json
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

from tests.harness.mutation.parts import Part

ROOT = Path(__file__).parents[3]
PYTEST = [
    "--hypothesis-profile=mutation",
    *("-p", "pytest_timeout", "-p", "_hypothesis_pytestplugin"),  # and no others
    *("-p", "no:cacheprovider", "-p", "no:unraisableexception"),
    "--tb=native",  # any other parses the file with all its mutants, which takes half a second
]
UNDERSTOOD = ("classmethod", "staticmethod", "overload")
"""Decorators whose functions mutmut mutates by itself."""


def copied(part: Part, folder: Path) -> None:
    """Puts library, tests and settings into a folder, or brings what has changed since.

    The folders at the top are copied to where their links in `thrifty/` stand, so that files
    and modules have the same names.
    """
    for path in (path for name in ("thrifty", "tests") for path in files_below(ROOT / name)):
        name = path.relative_to(ROOT)
        source = path.read_text()
        if any(fnmatch(str(name), pattern) for pattern in part.mutated):
            source = undecorated(source)
        write(folder / name, source)
    write(folder / "pyproject.toml", (ROOT / "pyproject.toml").read_text() + settings(part))


def files_below(folder: Path) -> Iterator[Path]:
    """All files, those in linked folders too."""
    for path in sorted(folder.iterdir()):
        if path.is_dir() and path.name != "__pycache__":
            yield from files_below(path)
        elif path.is_file():
            yield path


def write(path: Path, text: str) -> None:
    """Writes a file where it is not yet so: mutmut tells by the time what has changed."""
    if not path.exists() or path.read_text() != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def settings(part: Part) -> str:
    """The tool's section of `pyproject.toml`: what it runs itself imports everything anew."""
    values = {
        "source_paths": ["thrifty"],
        "only_mutate": list(part.mutated),
        "pytest_add_cli_args_test_selection": list(part.tests),
        "pytest_add_cli_args": PYTEST,
        "process_isolation": "forkserver",
        "forkserver_warmup": "none",
        "track_dependencies": False,
        "timeout_multiplier": 5.0,
        "timeout_constant": 6.0,
    }
    return "\n[tool.mutmut]\n" + "".join(f"{k} = {json.dumps(v)}\n" for k, v in values.items())


def undecorated(source: str) -> str:
    """The same program, with decorators applied in lines of their own.

    mutmut passes decorated functions over, and `@property` and `@contextmanager` stand above
    some that matter.
    """
    lines = source.splitlines()
    module = ast.parse(source)
    bodies = [module.body, *(node.body for node in module.body if isinstance(node, ast.ClassDef))]
    functions = [
        node
        for body in bodies
        for node in body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.decorator_list
    ]
    for function in sorted(functions, key=lambda node: node.lineno, reverse=True):
        decorators = [ast.unparse(decorator) for decorator in function.decorator_list]
        if any(name in UNDERSTOOD for name in decorators):
            continue
        indent, name = " " * function.col_offset, function.name
        assert function.end_lineno is not None
        lines[function.end_lineno : function.end_lineno] = [
            f"{indent}{name} = {decorator}({name})" for decorator in reversed(decorators)
        ]
        del lines[function.decorator_list[0].lineno - 1 : function.lineno - 1]
    return "\n".join(lines) + "\n"
