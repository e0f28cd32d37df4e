"""The tools of a task, as LangChain tools. They give the same for the same, and stay in here."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import yaml
from langchain_core.tools import BaseTool, StructuredTool

from benchmarks.tasks.arithmetic import work_out
from benchmarks.tasks.load import BenchmarkTask
from benchmarks.tasks.python_process import code_of, run_python
from benchmarks.tasks.search_index import SearchIndex

CORPORA = Path(__file__).parent / "corpora"
"""A file for each search tool, called as the tool is: what it says of itself, and what it finds."""
FOUND_MAX = 3
DIGITS = 12
"""A calculator shows so many."""
TEST_FILE = re.compile(r"test_(\w+)\.py")
TEST_MAIN = "unittest_main.py"
_TEST_TIME = re.compile(r"(Ran \d+ tests?) in [\d.]+s")


def make_tools(task: BenchmarkTask) -> list[BaseTool]:
    """The tools of a task, in its order."""
    return [make_tool(name, task.documents) for name in task.tools]


def has_search(task: BenchmarkTask) -> bool:
    """Whether something can be found for a task that nobody has handed over."""
    return any((CORPORA / f"{name}.yaml").exists() for name in task.tools)


def make_tool(name: str, documents: Mapping[str, str]) -> BaseTool:
    """A tool by its name: `calculator`, `run_tests`, or a search tool by that of its corpus.

    Args:
        name: what a task calls it.
        documents: what the task hands over: tests are among it.
    """
    if name == "calculator":
        return StructuredTool.from_function(calculator, name=name)
    if name == "run_tests":
        return _test_runner(documents)
    return _search_tool(name)


def calculator(
    expression: Annotated[str, "such as (1200 - 35.5) * 1.19 or round(sqrt(2), 3)"],
) -> str:
    """Works out arithmetic: + - * / // % **, abs, ceil, exp, floor, log, max, min, round, sqrt."""
    try:
        return f"{work_out(expression):.{DIGITS}g}"
    except ValueError as error:
        return f"That cannot be worked out: {error}."


def _search_tool(name: str) -> BaseTool:
    corpus = read_corpus(name)
    index = SearchIndex(corpus["documents"])

    def search(query: Annotated[str, "a few words that should be in what is found"]) -> str:
        found = index.ranked(query)[:FOUND_MAX]
        texts = [f"## {title}\n\n{corpus['documents'][title].strip()}" for title in found]
        return "\n\n".join(texts) or f"Nothing was found for {query!r}."

    return StructuredTool.from_function(search, name=name, description=corpus["description"])


@cache
def read_corpus(name: str) -> dict[str, Any]:
    """What a search tool says of itself and can find: `description` and `documents`."""
    corpus: dict[str, Any] = yaml.safe_load((CORPORA / f"{name}.yaml").read_text("utf-8"))
    return corpus


def _test_runner(documents: Mapping[str, str]) -> BaseTool:
    files = {name: text for name, text in documents.items() if name.endswith(".py")}
    (test_file,) = filter(TEST_FILE.fullmatch, files)
    tested, module = test_file.removeprefix("test_"), test_file.removesuffix(".py")
    main = f"import unittest\n\nunittest.main({module!r}, argv=[''])\n"

    def run_tests(code: str) -> str:
        run = run_python(files | {tested: code_of(code), TEST_MAIN: main}, TEST_MAIN)
        said = _TEST_TIME.sub(r"\1", run.output).strip()
        return f"{'All tests passed' if run.passed else 'The tests failed'}.\n\n{said}"

    description = (
        f"Runs {test_file} against your {tested} and says which tests fail. "
        f"`code` is the whole text of {tested}."
    )
    return StructuredTool.from_function(run_tests, name="run_tests", description=description)
