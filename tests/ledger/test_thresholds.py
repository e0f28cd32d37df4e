"""Whoever asks is told when an account has spent a share of a limit, once in each window."""

import json
import logging
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from thrifty import log_threshold, post_threshold
from thrifty.budget import InvalidInput, Spend

DAY_MS = 24 * 3_600_000
WAIT_S = 60


@pytest.fixture
def reached(ledger):
    """What a hook was told: account, period, percent."""
    told = []
    ledger.watch(lambda each: told.append((each.account, each.period, each.percent)))
    return told


def spend(ledger, tokens, key, account="run"):
    ledger.reserve(account, key, key, Spend(tokens))
    ledger.settle(account, key, Spend(tokens))


def test_each_share_is_told_once(ledger, reached):
    ledger.open("run", "100 tokens")
    for turn, tokens in enumerate((49, 1, 20, 10, 19, 1)):
        spend(ledger, tokens, str(turn))
    assert reached == [("run", "run", 50), ("run", "run", 80), ("run", "run", 100)]


def test_a_large_call_passes_several_at_once(ledger, reached):
    ledger.open("run", "100 tokens")
    spend(ledger, 85, "k")
    assert reached == [("run", "run", 50), ("run", "run", 80)]


def test_the_next_window_is_told_anew(ledger, reached, clock):
    ledger.open("run", "100 tokens a day")
    spend(ledger, 60, "today")
    clock.ms += DAY_MS
    spend(ledger, 40, "tomorrow")
    spend(ledger, 10, "and more")
    assert reached == [("run", "day", 50), ("run", "day", 50)]


def test_accounts_above_are_told_too(ledger, reached):
    ledger.open("team", "100 tokens a month")
    for user in ("ann", "bob"):
        ledger.open(user, "1k tokens", parent="team")
        spend(ledger, 30, "k", user)
    assert reached == [("team", "month", 50)]


def test_the_resource_of_which_most_is_spent_decides(ledger):
    told = []
    ledger.watch(told.append)
    ledger.open("run", "100 tokens, $1")
    ledger.reserve("run", "k", "k", Spend(60, 900_000_000))
    ledger.settle("run", "k", Spend(60, 900_000_000))
    assert [(each.percent, each.resource) for each in told] == [(50, "cost"), (80, "cost")]
    assert str(told[-1]) == "run has spent 80% of its limit: $0.90 of $1.00"


def test_what_is_charged_in_full_counts_and_what_is_reserved_does_not(ledger, reached):
    ledger.open("run", "100 tokens")
    ledger.reserve("run", "k", "k", Spend(90))
    assert reached == []
    ledger.charge_in_full("run", "k")
    assert reached == [("run", "run", 50), ("run", "run", 80)]


def test_a_minute_is_never_told(ledger, reached):
    """Its windows of ten seconds would say it again and again."""
    ledger.open("run", "100 tokens a minute")
    spend(ledger, 100, "k")
    assert reached == []


def test_each_hook_has_its_own_shares_and_none_breaks_a_call(ledger, caplog):
    told = []

    def breaks(_):
        raise RuntimeError("no disk")

    ledger.watch(breaks, (10,))
    ledger.watch(lambda each: told.append(each.percent), (25, 75))
    ledger.open("run", "100 tokens")
    spend(ledger, 80, "k")
    assert told == [25, 75]
    assert "a hook failed that was told: run has spent 10% of its limit" in caplog.text
    assert ledger.balance("run").spent.tokens == 80


def test_a_line_in_the_log(ledger, caplog):
    ledger.watch(log_threshold)
    ledger.open("run", "100 tokens a day")
    with caplog.at_level(logging.WARNING):
        spend(ledger, 50, "k")
    assert "run has spent 50% of the day's limit: 50 tokens of 100 tokens" in caplog.text


@pytest.mark.parametrize("percents", [(0,), (101,), (50.5,), ("80",)])
def test_a_share_that_is_none_is_refused(ledger, percents):
    with pytest.raises(InvalidInput, match="percents"):
        ledger.watch(print, percents)


def test_a_webhook_is_posted_beside_the_call(ledger):
    bodies, is_there = [], threading.Event()

    class Webhook(BaseHTTPRequestHandler):
        def do_POST(self):
            bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()
            is_there.set()

        def log_message(self, *given):
            """Says nothing."""

    with HTTPServer(("127.0.0.1", 0), Webhook) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        ledger.watch(post_threshold(f"http://127.0.0.1:{server.server_port}/hook"), (80,))
        ledger.open("run", "100 tokens")
        spend(ledger, 90, "k")
        assert is_there.wait(WAIT_S)
    (body,) = bodies
    assert body["account"] == "run"
    assert (body["percent"], body["spent"], body["limit"]) == (80, 90, 100)
    assert body["text"] == "run has spent 80% of its limit: 90 tokens of 100 tokens"


def test_a_webhook_that_nobody_answers_is_a_line_in_the_log(ledger, caplog):
    hook = post_threshold("http://127.0.0.1:9/nobody")
    ledger.watch(hook, (80,))
    ledger.open("run", "100 tokens")
    spend(ledger, 90, "k")
    for thread in threading.enumerate():
        if thread.name == "thrifty-webhook":
            thread.join(WAIT_S)
    assert "could not post that run has spent 80%" in caplog.text
