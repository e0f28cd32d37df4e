"""What is under way when a program ends is settled or charged, quietly and at once."""

import subprocess
import sys

import pytest

from tests.graph.conftest import TASK
from tests.harness.llm_server import Answer, EndlessStream, LLMServer
from tests.long_cases import long_but
from thrifty import SqliteLedger

END_S_MAX = 60
"""A server that never answers would hold the program up for ever."""

PRELUDE = """
import sys, threading
from langchain_openai import ChatOpenAI
from thrifty import Budget, Settings, SqliteLedger, create_budget_agent, metered

url, path, task = sys.argv[1:]
ledger = SqliteLedger(path)
ledger.open("team", Budget(max_tokens=20_000))
client = ChatOpenAI(model="gpt-4o", base_url=url, api_key="none")

def model():
    return metered(client, ledger, "team")

def agent():
    settings = Settings(api_key="sk-test", base_url=url)
    return create_budget_agent(settings=settings, ledger=ledger)

ASKED = {"task": task, "run_id": "mine", "budget": {"max_tokens": 2200}}
"""

LEFT_OPEN = {
    "a model's stream": """
pieces = model().stream("Hi")
next(pieces)
""",
    "an agent's stream": """
parts = agent().stream(ASKED, stream_mode="messages")
next(parts)
""",
    "an asynchronous stream": """
import asyncio

async def main():
    pieces = model().astream("Hi")
    await anext(pieces)
    return pieces

pieces = asyncio.run(main())
""",
    "an agent's asynchronous stream": """
import asyncio

async def main():
    parts = agent().astream(ASKED, stream_mode="messages")
    await anext(parts)
    return parts

pieces = asyncio.run(main())
""",
    "a call in a daemon thread": """
threading.Thread(target=lambda: model().invoke("Hi"), daemon=True).start()
""",
    "an agent in a daemon thread": """
threading.Thread(target=lambda: agent().invoke(ASKED), daemon=True).start()
""",
    "a guarded call in a daemon thread": """
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from thrifty.models.guard.callback_guard import guard_calls
from thrifty.models.guard.agent_account import AgentAccount
from thrifty.models.costs.prices import PriceList

class Slow(GenericFakeChatModel):
    def _generate(self, *given, **named):
        asked = [{"role": "user", "content": "Hi"}]
        client.root_client.chat.completions.create(model="gpt-4o", messages=asked)

def guarded():
    with guard_calls(AgentAccount(ledger, "team"), PriceList({})):
        Slow(messages=iter([AIMessage("Hi")])).invoke("Hi")

threading.Thread(target=guarded, daemon=True).start()
""",
}
ENDINGS = {"falls off its end": "", "sys.exit": "sys.exit()", "exception": "raise LookupError"}
CASES = [
    *((left, "falls off its end") for left in LEFT_OPEN),
    *((left, how) for left in ("a model's stream", "an agent's stream") for how in ENDINGS),
]
AT_ONCE = [
    ("an agent's asynchronous stream", "falls off its end"),
    ("a guarded call in a daemon thread", "falls off its end"),
]
WHEN_TOLD = "sys.stdin.readline()\n"


@pytest.fixture
def server():
    with LLMServer() as running:
        running.default = EndlessStream()
        yield running


def end_program(server, path, program):
    """Runs a program until it has asked and its standard input says that it may end."""
    command = [sys.executable, "-c", PRELUDE + program, server.base_url, str(path), TASK]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes) as process:
        try:
            server.wait_for(1)
            return process.communicate("\n", timeout=END_S_MAX)[1]
        finally:
            process.kill()


def statuses(path):
    """What became of every call in a ledger, and of every lease."""
    ledger = SqliteLedger(path)
    accounts = [account.name for account in ledger.accounts()]
    entries = [entry for account in accounts for entry in ledger.entries(account)]
    owners = [ledger.owner_of(account) for account in accounts]
    ledger.disconnect()
    return [entry.status for entry in entries], owners


@pytest.mark.parametrize(("left", "ending"), long_but(dict.fromkeys(CASES), *AT_ONCE))
def test_what_a_program_leaves_open_is_charged(server, tmp_path, left, ending):
    path = tmp_path / "books"
    told = end_program(server, path, LEFT_OPEN[left] + WHEN_TOLD + ENDINGS[ending])
    if ending == "exception":
        first, *_, last = told.splitlines()
        assert (first, last) == ("Traceback (most recent call last):", "LookupError")
        assert told.count("Error") == 1
    else:
        assert told == ""
    booked, owners = statuses(path)
    assert booked.count("in_doubt") == 1
    assert {"in_doubt", "settled", "released"}.issuperset(booked)
    assert not any(owners)


@pytest.mark.long
def test_who_works_in_a_thread_of_their_own_is_not_cut(server, tmp_path):
    """Python waits for such a thread, and so its call is answered and settled as ever."""
    path = tmp_path / "books"
    server.default = Answer("An answer")
    program = """
def ask():
    sys.stdin.readline()
    threading.main_thread().join()
    print(model().invoke("Hi").text, [agent().invoke(ASKED)["status"]])

model().invoke("Before")
threading.Thread(target=ask).start()
"""
    assert end_program(server, path, program) == ""
    booked, owners = statuses(path)
    assert {"settled", "released"}.issuperset(booked)
    assert booked.count("settled") > 4
    assert not any(owners)
