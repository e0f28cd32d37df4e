"""What docs/deployment.md says of a server: its files, with PostgreSQL and users of its own."""

import re

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
        ledger.open(user, Budget(max_tokens=3_000, max_tool_calls=3))

    headers = {"Authorization": "Bearer ann"}
    with get_sync_client(url=server.url, headers=headers) as client:
        first, second = (
            client.runs.wait(None, GRAPH, input={"task": TASK, "budget": BUDGET}) for _ in range(2)
        )
    assert first["spend"]["tool_calls"] == 2
    assert second["receipt"]["budget"]["max_tool_calls"] == 1
    spent = ledger.balance("ann").spent
    assert spent.tokens == models.bill.total_tokens <= 3_000
    assert spent.tool_calls == len(models.requests) <= 3
    assert ledger.balance("bob").spent.tokens == 0
    ledger.disconnect()
    assert "BlockingError" not in server.log
