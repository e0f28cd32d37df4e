"""What every test can count on: no key, no network beyond loopback, strict checkpoints."""

import ipaddress
import os
import socket

import pytest

os.environ["LANGGRAPH_STRICT_MSGPACK"] = "true"
os.environ["LANGSMITH_TRACING"] = "false"
for name in [n for n in os.environ if n.startswith(("OPENAI_", "THRIFTY_"))]:
    del os.environ[name]

real_connect = socket.socket.connect


class NetworkForbidden(BaseException):
    """A test tried to leave this machine; no handler of `Exception` may swallow it."""


def connect_on_loopback(self: socket.socket, address: object) -> None:
    if self.family in (socket.AF_INET, socket.AF_INET6):
        host = str(address[0])  # type: ignore[index]
        if host != "localhost" and not ipaddress.ip_address(host).is_loopback:
            raise NetworkForbidden(f"a test connects to {address}")
    real_connect(self, address)  # type: ignore[arg-type]


@pytest.fixture(autouse=True, scope="session")
def _no_network():
    socket.socket.connect = connect_on_loopback  # type: ignore[method-assign]
    yield
    socket.socket.connect = real_connect  # type: ignore[method-assign]
