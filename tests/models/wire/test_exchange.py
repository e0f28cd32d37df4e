"""What never left this machine costs nothing, and what may have left is charged."""

import asyncio
import os
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager

import pytest
from langchain_core.messages import HumanMessage
from langchain_openai import ChatOpenAI

from tests.models.conftest import ACCOUNT, entries
from thrifty import Budget, ModelUnavailable, metered

LIMITED = Budget(max_tokens=3_000, max_cost_usd=0.05)
NAN = float("nan")


def raising():
    raise RuntimeError("no key today")


UNSENT = {
    "a lone surrogate": ({}, "tea \ud800", {}),
    "a newline in the key": ({"api_key": "k\nX-Other: 1"}, "tea", {}),
    "a letter in the key that no header takes": ({"api_key": "schlüssel"}, "tea", {}),
    "a newline in a header": ({"default_headers": {"X-Tag": "a\nb"}}, "tea", {}),
    "a key that cannot be had": ({"api_key": raising}, "tea", {}),
    "an address without a scheme": ({"base_url": "127.0.0.1:1/v1"}, "tea", {}),
    "no number": ({}, "tea", {"temperature": NAN}),
    "an argument that nobody knows": ({}, "tea", {"flavour": "strong"}),
    "nobody at the address": ({"base_url": "http://127.0.0.1:9/v1"}, "tea", {}),
}


@pytest.fixture
def make_at(server, ledger, api):
    def make(budget=LIMITED, **given):
        ledger.open(ACCOUNT, budget)
        settings = {"api_key": "k", "base_url": server.base_url, **given}
        model = ChatOpenAI(model="gpt-4o", use_responses_api=api == "responses", **settings)
        return metered(model, ledger, ACCOUNT)

    return make


@pytest.mark.parametrize("case", UNSENT)
def test_what_cannot_be_sent_is_free(make_at, server, ledger, case):
    given, text, options = UNSENT[case]
    with pytest.raises(ModelUnavailable, match=r"could not be sent|cannot be (reached|sent)"):
        make_at(**given).invoke([HumanMessage(text)], **options)
    assert {entry.status for entry in entries(ledger)} == {"released"}
    assert ledger.balance(ACCOUNT).spent.tokens == 0
    assert not server.requests


@contextmanager
def refusing_proxy():
    """A proxy that wants to be told a password."""
    with socket.create_server(("127.0.0.1", 0)) as proxy:

        def refuse():
            connection, _ = proxy.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")

        thread = threading.Thread(target=refuse, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{proxy.getsockname()[1]}"
        thread.join(30)


PROXIED = """
import sys
from langchain_openai import ChatOpenAI
from thrifty import Budget, MemoryLedger, ModelUnavailable, metered

ledger = MemoryLedger()
ledger.open("team", Budget(max_tokens=3_000))
model = ChatOpenAI(model="gpt-4o", api_key="k", base_url="https://api.example.invalid/v1")
try:
    metered(model, ledger, "team").invoke("tea")
except ModelUnavailable as error:
    print(error)
print(ledger.balance("team").spent.tokens)
"""


def test_what_a_proxy_does_not_let_through_is_free():
    """It is asked in a process of its own, as a client reads the environment once."""
    with refusing_proxy() as address:
        told = subprocess.run(
            [sys.executable, "-c", PROXIED],
            env={**os.environ, "HTTPS_PROXY": address},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()
    assert told == ["gpt-4o: the server cannot be reached", "0"]


@contextmanager
def nobody_accepts():
    """A server whose queue of connections is full, so that it answers no further one."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        waiting = []
        for _ in range(4):
            client = socket.socket()
            client.setblocking(False)
            client.connect_ex(listening.getsockname())
            waiting.append(client)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
        for client in waiting:
            client.close()


def test_a_deadline_before_there_is_a_connection_costs_nothing(make_at, ledger):
    with nobody_accepts() as address:
        model = make_at(Budget(max_tokens=3_000, max_latency_ms=300), base_url=address)
        with pytest.raises(ModelUnavailable, match="no connection before the deadline"):
            model.invoke("tea")
    assert ledger.balance(ACCOUNT).spent.tokens == 0


def test_who_leaves_before_there_is_a_connection_pays_nothing(make_at, ledger):
    async def leave(model):
        asking = asyncio.ensure_future(model.ainvoke("tea"))
        while not any(entry.status == "pending" for entry in entries(ledger)):
            await asyncio.sleep(0.01)
        asking.cancel()
        await asyncio.wait([asking])

    with nobody_accepts() as address:
        asyncio.run(leave(make_at(base_url=address)))
    assert {entry.status for entry in entries(ledger)} == {"released"}
