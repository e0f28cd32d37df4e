"""The wheel in somebody's project that has modules `graph`, `nodes` and `prompts` of its own."""

import json
import shutil
from pathlib import Path

import pytest

from tests.packaging.conftest import run_checked

PROJECT = Path(__file__).parent / "project"
HEAVY = (
    "langgraph",
    "langchain",
    "langchain_core",
    "langchain_openai",
    "openai",
    "pydantic",
    "yaml",
    "rich",
)
LOADED = f"import sys, thrifty; print(sorted(set({HEAVY!r}) & set(sys.modules)))"
PUBLIC = """
import sys
import thrifty
from thrifty import *
assert thrifty.__all__ == sorted(thrifty.__all__)
assert dir(thrifty) == sorted([*thrifty.__all__, "BudgetMiddleware"])
assert all(name in globals() for name in thrifty.__all__)
assert "BudgetMiddleware" not in globals() and "langchain" not in sys.modules
assert thrifty.BudgetMiddleware.__name__ == "BudgetMiddleware"
assert "graph" not in thrifty.__all__
try:
    thrifty.nonsense
except AttributeError as error:
    print(error)
"""

pytestmark = pytest.mark.long  # builds a wheel and installs it


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project far from this repository."""
    ignored = shutil.ignore_patterns("__pycache__")
    return shutil.copytree(PROJECT, tmp_path_factory.mktemp("user") / "project", ignore=ignored)


@pytest.fixture(scope="module")
def output(consumer, project):
    """What the project's program found, run in its own folder."""
    return json.loads(run_checked(consumer / "python", "app.py", cwd=project))


def test_thrifty_comes_from_the_wheel(output, consumer):
    venv = consumer.parent.resolve()
    assert len(output["thrifty"]) > 50
    for module, file in output["thrifty"].items():
        assert venv in Path(file).resolve().parents, module


def test_the_projects_own_modules_still_import(output, project):
    assert output["own"] == {
        "graph": str(project / "graph.py"),
        "nodes": str(project / "nodes" / "__init__.py"),
        "prompts": str(project / "prompts" / "__init__.py"),
    }


def test_the_parent_hands_its_budget_down_and_gets_a_draft(output):
    assert output["status"] == "done"
    assert output["budget"]["max_tokens"] == 1500
    assert output["answer"].startswith("WRITTEN FOR US\n\n## Clarify deliverables")
    assert output["keys"] == ["answer", "limits", "question", "receipt"]


def test_a_bare_import_loads_nothing_heavy(consumer, tmp_path):
    assert run_checked(consumer / "python", "-c", LOADED, cwd=tmp_path).strip() == "[]"


def test_the_public_names_are_sorted_and_importable(consumer, tmp_path):
    said = run_checked(consumer / "python", "-W", "error", "-c", PUBLIC, cwd=tmp_path)
    assert said.strip() == "module 'thrifty' has no attribute 'nonsense'"


def test_the_command_runs_the_main_job(consumer, tmp_path):
    command = [
        consumer / "thrifty",
        "run",
        "Draft a project plan for a party",
        "--max-tokens",
        "2200",
    ]
    said = run_checked(*command, cwd=tmp_path)
    assert "Clarify deliverables" in said
    assert "within budget" in said


def test_the_command_writes_the_built_in_catalog(consumer, tmp_path):
    assert "steps:" in run_checked(consumer / "thrifty", "options", "--yaml", cwd=tmp_path)


def test_the_graph_for_studio_is_found_by_its_module(consumer, tmp_path):
    code = "from thrifty.graph.studio import graph; print(graph.name)"
    assert run_checked(consumer / "python", "-c", code, cwd=tmp_path).strip() == "thrifty"
