"""The page in a real browser, with every name of every host leading to a listener of ours.

Skipped where no Chromium is installed.
"""

import os
import shutil
import socket
import subprocess
import threading
from contextlib import contextmanager

import pytest

from tests.receipt.samples import HOSTILE, HOSTILE_DRAFT, RECEIPT, hostile
from thrifty.receipt.html import receipt_page

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
BROWSER = next(filter(None, map(shutil.which, NAMES)), None)
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
]
TIMEOUT_S = 240
MARKUP = HOSTILE.partition("<meta")[0]
"""A page that is left by itself cannot be looked at."""

pytestmark = pytest.mark.skipif(BROWSER is None, reason="needs Chromium")


class Listener:
    """Whatever connects, and what it says first."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.heard = b""
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(2)
                try:
                    self.heard += connection.recv(4096)
                except OSError:
                    continue

    def close(self) -> None:
        self._socket.close()


@contextmanager
def listening():
    listener = Listener()
    try:
        yield listener
    finally:
        listener.close()


def opened(page: str, folder) -> tuple[str, bytes]:
    """What the page became in the browser, and what was asked of the network meanwhile."""
    file = folder / "page.html"
    file.write_text(page, encoding="utf-8")
    with listening() as listener:
        done = subprocess.run(
            [
                BROWSER,
                *FLAGS,
                f"--user-data-dir={folder / 'profile'}",
                f"--host-resolver-rules=MAP * 127.0.0.1:{listener.port}",
                "--virtual-time-budget=3000",
                "--dump-dom",
                file.as_uri(),
            ],
            env={**os.environ, "HOME": str(folder)},
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=True,
        )
        return done.stdout, listener.heard


def test_the_browser_would_run_and_fetch_what_a_page_without_care_holds(tmp_path):
    """Else the tests below could not fail."""
    dom, asked = opened(f"<!doctype html><title>x</title><body>{MARKUP}", tmp_path)
    assert "<title>PWNED</title>" in dom
    assert b"evil.example" in asked


def test_a_page_full_of_hostile_text_asks_for_nothing_and_runs_nothing(tmp_path):
    dom, asked = opened(receipt_page(hostile(), HOSTILE_DRAFT), tmp_path)
    assert "Decisions</h2>" in dom
    assert "<title>PWNED" not in dom
    assert b"example" not in asked


def test_the_policy_holds_even_where_markup_got_in(tmp_path):
    page = receipt_page(RECEIPT, "HERE")
    dom, asked = opened(page.replace("<p>HERE</p>", MARKUP), tmp_path)
    assert "<iframe" in dom
    assert "<title>PWNED" not in dom
    assert b"evil.example" not in asked
