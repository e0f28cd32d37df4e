"""The examples that are clients of a server, against the running one."""

import os
import subprocess
import sys

import pytest

from tests.llm_server import Answer
from tests.studio.dev_server import ROOT

pytestmark = pytest.mark.studio


@pytest.mark.parametrize("drifts", [False, True])
def test_the_client_streams_a_run_and_answers_its_question(client, dev_server, models, drifts):
    if drifts:
        models.script(Answer(tokens=1500, times=None))
    done = subprocess.run(
        [sys.executable, "-W", "error", str(ROOT / "examples" / "studio_client.py")],
        env={**os.environ, "LANGGRAPH_URL": dev_server.url, "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "   generate_options" in done.stdout
    assert "## Outline plan" in done.stdout
    assert ("Raise it, or finish?" in done.stdout) == drifts
    limit = 9000 if drifts else 2200
    assert f"done: {models.bill.total_tokens} of {limit} tokens" in done.stdout


def test_the_agent_on_a_server_is_a_node_of_another_graph(client, dev_server, models):
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / "remote_graph.py")],
        env={**os.environ, "LANGGRAPH_URL": dev_server.url, "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "## Clarify deliverables" in done.stdout
    assert models.bill.total_tokens > 0
