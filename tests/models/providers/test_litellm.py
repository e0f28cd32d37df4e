"""LiteLLM asks once, one model, whatever a program has set for all of its calls."""

import pytest

from tests.harness.llm_server import ErrorStatus, LLMServer
from tests.models.conftest import ACCOUNT, entries
from tests.models.vendors.litellm import client
from tests.models.ways import TWO_WAYS, WAYS
from thrifty import Budget, InvalidInput, ModelUnavailable, metered

pytestmark = pytest.mark.long  # it takes seconds to import


@pytest.fixture
def server():
    with LLMServer() as running:
        yield running


@pytest.mark.parametrize("way", TWO_WAYS)
def test_retries_of_the_whole_library_are_off(server, ledger, monkeypatch, way):
    import litellm

    monkeypatch.setattr(litellm, "num_retries", 3)
    ledger.open(ACCOUNT, Budget(max_tokens=2_000))
    server.script(ErrorStatus(status=500, headers={"retry-after-ms": "1"}, times=None))
    model = metered(client(server, streaming=True), ledger, ACCOUNT, attempts_max=1)
    with pytest.raises(ModelUnavailable):
        WAYS[way](model, "Hi")
    assert len(server.requests) == 1
    assert [entry.status for entry in entries(ledger)] == ["in_doubt"]


def test_fallbacks_of_the_whole_library_are_refused(server, ledger, monkeypatch):
    import litellm

    monkeypatch.setattr(litellm, "model_fallbacks", ["openai/gpt-5"])
    ledger.open(ACCOUNT, Budget(max_tokens=2_000))
    with pytest.raises(InvalidInput, match="model_fallbacks: each may be billed"):
        metered(client(server), ledger, ACCOUNT).invoke("Hi")
    assert not server.requests


def test_its_class_is_not_said_to_be_unmeasured(server, ledger, caplog):
    ledger.open(ACCOUNT, Budget(max_tokens=2_000))
    metered(client(server), ledger, ACCOUNT).invoke("Hi")
    assert "has not measured" not in caplog.text
