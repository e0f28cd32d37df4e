"""What docs/deployment.md says of a server: its files, with PostgreSQL and users of its own."""

import os
import re
import subprocess
import sys

import pytest
from langgraph_sdk import get_sync_client

from tests.harness.dev_server import ROOT, DevServer
from tests.harness.llm_server import LLMServer
from tests.studio.conftest import BUDGET, GRAPH, TASK
from thrifty import Budget, PostgresLedger

pytestmark = pytest.mark.studio

PAGE = (ROOT / "docs" / "deployment.md").read_text("utf-8")
VERIFIED = '\n\ndef verified(token):\n    return token.decode().removeprefix("Bearer ")\n'


@pytest.fixture
def deployed(tmp_path, database):
    (config,) = re.findall(r"```json\n(.*?)```", PAGE, re.S)
    (tmp_path / "langgraph.json").write_text(config, "utf-8")
    for name, code in re.findall(r"```py\n# (\w+\.py)\n(.*?)```", PAGE, re.S):
        (tmp_path / name).write_text(code + VERIFIED, "utf-8")
    with LLMServer() as models:
        found = {"LEDGER_URI": database, "OPENAI_BASE_URL": models.base_url}
        with DevServer(tmp_path, found, tmp_path / "langgraph.json") as running:
            yield running, models


def test_each_user_spends_from_an_account_in_postgres(deployed, database):
    server, models = deployed
    ledger = PostgresLedger(database)
    for user in ("ann", "bob"):
        ledger.open(f"user:{user}", Budget(max_tokens=3_000, max_tool_calls=3))

    headers = {"Authorization": "Bearer ann"}
    with get_sync_client(url=server.url, headers=headers) as client:
        first, second = (
            client.runs.wait(None, GRAPH, input={"task": TASK, "budget": BUDGET}) for _ in range(2)
        )
    assert first["spend"]["tool_calls"] == 2
    assert second["spend"]["tool_calls"] == 1
    spent = ledger.balance("user:ann").spent
    assert spent.tokens == models.bill.total_tokens <= 3_000
    assert spent.tool_calls == len(models.requests) <= 3
    (told,) = second["receipt"]["bound_by_accounts"]
    assert told == f"user:ann has {3_000 - spent.tokens:,} tokens, 0 calls left"
    assert ledger.balance("user:bob").spent.tokens == 0
    ledger.disconnect()
    assert "BlockingError" not in server.log


@pytest.mark.long
def test_who_claims_the_run_of_another_pays_for_it(deployed, database, tmp_path):
    server, models = deployed
    ledger = PostgresLedger(database)
    for user in ("ann", "bob"):
        ledger.open(f"user:{user}", Budget(max_tokens=3_000, max_tool_calls=3))

    told = subprocess.run(
        [sys.executable, str(tmp_path / "two_users.py")],
        env={**os.environ, "LANGGRAPH_URL": server.url},
        capture_output=True,
        text=True,
        check=True,
    )
    anns, bobs = (ledger.balance(f"user:{user}").spent for user in ("ann", "bob"))
    assert told.stdout.startswith("run:user=ann/account=user%3Aann/thread=")
    assert told.stdout.endswith(f"/run=1 paid {anns.tokens} tokens\n")
    assert anns.tokens > 0
    assert anns.tokens + bobs.tokens == models.bill.total_tokens
    assert anns.tool_calls == bobs.tool_calls == 2
    ledger.disconnect()
