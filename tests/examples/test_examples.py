"""Every example runs as a user runs it: a process of its own, offline, with what it prints."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.llm_server import LLMServer

EXAMPLES = Path(__file__).parents[2] / "examples"
TIMEOUT_S = 60
PRINTED = {
    "python_use": [
        "## Clarify deliverables … and so on",
        "not chosen: Outline plan (LLM) (offline: no key and no server)",
        "within budget: True",
        "run_local: Risk register (local) is done",
        "Plan a book launch: done",
    ],
    "own_catalog": [
        "Known risks: llm (worth 8), local (worth 4)",
        "left out: Known risks (LLM), offline",
        "done: worth 12, 0 tokens",
        "## Known risks",
    ],
    "own_executors": [
        "| North | 14 |",
        "Nothing was published on “optimizing our fleet”",
        "In short: optimizing our fleet.",
        "Fleet: 1 calls, 1500000 nano-USD",
    ],
    "subgraph": [
        "  agent: generate_options",
        "parent: write_mail",
        "Dear customer,\n\n## Clarify deliverables",
        "tokens left: 4000",
    ],
}
NEED_A_SERVER = {"openai_compatible_server", "studio_client"}  # the latter: tests/studio
LINES_MAX = 60


def run(name: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs an example from some other folder, with warnings as errors."""
    return subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLES / f"{name}.py")],
        cwd=folder,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", **environment},
        capture_output=True,
        encoding="utf-8",
        timeout=TIMEOUT_S,
        check=False,
    )


def test_every_example_is_run_listed_and_short():
    programs = {path.stem: path.read_text("utf-8") for path in EXAMPLES.glob("*.py")}
    assert set(programs) == set(PRINTED) | NEED_A_SERVER
    listed = (EXAMPLES / "README.md").read_text("utf-8")
    for name, text in programs.items():
        assert f"[{name}.py]({name}.py)" in listed
        assert len(text.splitlines()) <= LINES_MAX, name


@pytest.mark.parametrize("name", PRINTED)
def test_an_example_runs_offline(name, tmp_path):
    done = run(name, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    for text in PRINTED[name]:
        assert text in done.stdout
    assert not list(tmp_path.iterdir())


def test_the_example_for_ones_own_server_asks_it_and_prices_it(tmp_path):
    with LLMServer(models=["our-model"]) as server:
        environment = {"OPENAI_BASE_URL": server.base_url, "MODEL": "our-model"}
        done = run("openai_compatible_server", tmp_path, **environment)
        bill, requests = server.bill, server.requests
    assert (done.returncode, done.stderr) == (0, "")
    assert 1 <= len(requests) <= 3
    # 0.20 and 0.80 dollars a million tokens are 200 and 800 nano-USD a token.
    nano_usd = bill.input_tokens * 200 + bill.output_tokens * 800
    assert f"done: {len(requests)} calls for ${nano_usd / 10**9:.9f}".rstrip("0") in done.stdout
    assert "## Outline plan" in done.stdout


def test_the_example_for_ones_own_server_says_what_it_needs(tmp_path):
    done = run("openai_compatible_server", tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("Set OPENAI_BASE_URL to your server's address")
