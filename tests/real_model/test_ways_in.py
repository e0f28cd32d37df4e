"""The other ways in at a real server: command line, `metered`, `BudgetMiddleware`, and no wheel."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from langchain_openai import ChatOpenAI

from tests.real_model.conftest import PARIS
from tests.real_model.model_server import ModelServer
from tests.real_model.serve import NAME
from thrifty import Budget, BudgetExceeded, BudgetMiddleware, metered

STORY = "Write a long story about a ship."


@pytest.fixture
def thrifty(model_server, tmp_path):
    """The command line in a process of its own."""

    def run(*arguments):
        code = "from thrifty.cli.main import main; main()"
        command = [sys.executable, "-c", code, *arguments]
        environment = {"THRIFTY_HOME": str(tmp_path), "OPENAI_BASE_URL": model_server.base_url}
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    return run


def test_the_command_line_answers_and_looks(thrifty, used):
    told = thrifty("run", PARIS, "--models", NAME, "--budget", "900 tokens, 1 call", "--json")
    assert told.returncode == 0, told.stderr
    result = json.loads(told.stdout)
    assert "Paris" in result["answer"]
    assert result["receipt"]["spent"]["tokens"] == used().tokens
    looked = thrifty("doctor", "--models", NAME, "--json")
    found = {each["about"]: each for each in json.loads(looked.stdout)["findings"]}
    assert found["server"]["state"] == "ok"


@pytest.fixture
def client(model_server):
    return ChatOpenAI(model=NAME, base_url=model_server.base_url, api_key="none")


@pytest.mark.parametrize("way", ["invoke", "stream"])
def test_a_metered_model_writes_as_much_as_its_account_holds(client, ledger, used, way):
    ledger.open("team", Budget(max_tokens=160))
    model = metered(client, ledger, "team")
    if way == "invoke":
        message = model.invoke(STORY)
    else:
        pieces = list(model.stream(STORY))
        message = sum(pieces[1:], pieces[0])
    assert message.response_metadata["finish_reason"] == "length"
    (entry,) = ledger.entries("team")
    assert entry.status == "settled"
    assert entry.charged.tokens == used().tokens == message.usage_metadata["total_tokens"]
    assert entry.reserved.tokens == 160 >= entry.charged.tokens
    with pytest.raises(BudgetExceeded):
        model.invoke(STORY * 10)
    assert entry.charged.tokens == used().tokens


def test_an_agent_of_langchain_is_held_by_an_account(client, ledger, used):
    from langchain.agents import create_agent

    ledger.open("team", Budget(max_tokens=600))
    agent = create_agent(client, middleware=[BudgetMiddleware(ledger, "team")])
    result = agent.invoke({"messages": [{"role": "user", "content": PARIS}]})
    assert "Paris" in result["messages"][-1].text
    assert ledger.balance("team").spent.tokens == used().tokens > 0


def test_without_the_wheels_there_is_an_error_and_no_skip(tmp_path):
    server = ModelServer(Path(sys.executable), tmp_path)
    with pytest.raises(RuntimeError, match="not ready") as missing, server:
        pass
    assert "requirements.txt" in str(missing.value)
