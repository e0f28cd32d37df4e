"""`thrifty spend`: each call once, summed by account, tag, model and day."""

import csv
import json
import re
from contextlib import suppress
from datetime import datetime
from io import StringIO
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thrifty import Budget, InvalidInput, Spend, SqliteLedger
from thrifty.cli.private_files import make_private_file
from thrifty.cli.since_argument import read_since

NANO = 10**9
HOUR_MS = 3_600_000


def ms(text):
    return round(datetime.fromisoformat(text).timestamp() * 1000)


class Clock:
    """The ledger's, set by hand."""

    now_ms = ms("2026-11-28T23:30+00:00")

    def __call__(self):
        return self.now_ms


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def ledger(home, clock):
    """A team of two users with their runs, and a run of no account, over two days."""
    make_private_file(home / "ledger.sqlite")
    ledger = SqliteLedger(home / "ledger.sqlite", now_ms=clock)
    ledger.open("team", "$100 a month", zone="Europe/Berlin")
    ledger.open("user:17", "$50 a day", parent="team", zone="Europe/Berlin")
    ledger.open("user:18", "$50 a day", parent="team", zone="Europe/Berlin")
    ledger.open("run:local/thread=a/run=1", "90k tokens", parent="user:17")
    ledger.open("run:local/thread=b/run=1", "90k tokens")
    settle(ledger, "user:17", "a", 100, NANO, model="gpt-5", customer="acme")
    settle(ledger, "run:local/thread=a/run=1", "a", 50, NANO // 2, model="gpt-5-mini")
    clock.now_ms += HOUR_MS  # 00:30 in UTC, of the next day
    settle(ledger, "user:18", "a", 10, 2 * NANO, model="gpt-5")
    settle(ledger, "run:local/thread=b/run=1", "a", 7, 0)
    ledger.reserve("user:18", "gone", "a call", Spend(9, 0, 0, 1))
    ledger.release("user:18", "gone")
    return ledger


def settle(ledger, account, key, tokens, cost_nano_usd, **tags):
    ledger.reserve(account, key, "a call", Spend(tokens * 2, cost_nano_usd * 2, 0, 1), tags=tags)
    ledger.settle(account, key, Spend(tokens, cost_nano_usd, 70, 1))


def rows(invoke, *arguments):
    """Tokens, nano-dollars and calls by the name of the row."""
    result = invoke("spend", *arguments, "--json")
    told = json.loads(result.stdout)
    spends = {row[told["by"]]: row["spend"] for row in told["rows"]}
    return {
        name: (each["tokens"], each["cost_nano_usd"], each["tool_calls"])
        for name, each in spends.items()
    }


def test_by_account_a_run_counts_for_the_account_that_pays_for_it(invoke, ledger):
    assert rows(invoke) == {
        "user:18": (10, 2 * NANO, 1),
        "user:17": (150, 3 * NANO // 2, 2),
        "": (7, 0, 1),
    }
    assert list(rows(invoke, "--account", "user:17")) == ["user:17"]
    assert list(rows(invoke, "--account", "team")) == ["user:18", "user:17"]


def test_by_model_tag_and_day(invoke, ledger):
    assert rows(invoke, "--by", "model") == {
        "gpt-5": (110, 3 * NANO, 2),
        "gpt-5-mini": (50, NANO // 2, 1),
        "": (7, 0, 1),
    }
    assert rows(invoke, "--by", "tag")["customer=acme"] == (100, NANO, 1)
    assert rows(invoke, "--by", "tag")["model=gpt-5"] == (110, 3 * NANO, 2)
    assert rows(invoke, "--by", "day") == {
        "2026-11-28": (150, 3 * NANO // 2, 2),
        "2026-11-29": (17, 2 * NANO, 2),
    }
    assert list(rows(invoke, "--by", "day", "--zone", "Europe/Berlin")) == ["2026-11-29"]
    assert list(rows(invoke, "--by", "day", "--account", "team")) == ["2026-11-29"]


def test_since_leaves_out_what_was_before(invoke, ledger):
    assert rows(invoke, "--since", "2026-11-29") == {"user:18": (10, 2 * NANO, 1), "": (7, 0, 1)}
    assert len(rows(invoke, "--since", "2026-11-29", "--zone", "Europe/Berlin")) == 3
    assert rows(invoke, "--since", "2036-01-01") == {}
    assert invoke("spend", "--since", "2036-01-01").stdout == "Nothing was spent.\n"


def test_the_total_is_that_of_the_ledger_also_after_a_move(invoke, ledger):
    def total():
        return json.loads(invoke("spend", "--json").stdout)["total"]

    before = total()
    assert (before["entries"], before["spend"]["tokens"]) == (4, 167)
    ledger.move("user:18", None)
    assert total() == before
    assert rows(invoke, "--account", "team")["user:18"] == (10, 2 * NANO, 1)


def test_what_is_under_way_and_what_is_in_doubt_count_in_full_and_are_named(invoke, ledger):
    ledger.reserve("user:17", "open", "a call", Spend(1_000, NANO, 0, 1))
    ledger.reserve("user:17", "lost", "a call", Spend(400, 0, 0, 1))
    ledger.charge_in_full("user:17", "lost")
    result = invoke("spend", "--by", "tag")
    assert "Under way: 1,000 tokens, $1.00, 1 call at the most." in result.stderr
    assert "In doubt: 400 tokens, 1 call, charged in full." in result.stderr
    assert "A call with several tags is in a row of each" in result.stderr
    told = json.loads(invoke("spend", "--json").stdout)
    assert told["total"]["spend"]["tokens"] == 167 + 1_400
    assert told["under_way"]["entries"] == told["in_doubt"]["entries"] == 1


def test_a_grant_is_no_call(invoke, ledger):
    ledger.open("guarantees", "1k tokens")
    ledger.grant("guarantees", "agent", Budget(max_tokens=500))
    settle(ledger, "agent", "a", 100, 0)
    assert rows(invoke, "--account", "guarantees") == {"agent": (100, 0, 1)}


def test_the_screen_has_a_row_each_and_a_total(invoke, ledger):
    text = invoke("spend").stdout
    assert re.search(r"^account +calls +tokens +cost +ms$", text, re.M)
    assert re.search(r"^user:17 +2 +150 +\$1\.50 +140$", text, re.M)
    assert re.search(r"^\(runs on no account\) +1 +7 +\$0\.00 +70$", text, re.M)
    assert re.search(r"^total +4 +167 +\$3\.50 +280$", text, re.M)


def test_csv_is_a_line_each_without_the_total(invoke, ledger):
    result = invoke("spend", "--by", "model", "--csv")
    lines = list(csv.DictReader(StringIO(result.stdout)))
    assert [line["model"] for line in lines] == ["gpt-5", "gpt-5-mini", ""]
    assert lines[1] == {
        "model": "gpt-5-mini", "calls": "1", "tokens": "50", "cost_usd": "0.5",
        "latency_ms": "70", "entries": "1",
    }  # fmt: skip
    assert result.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--account", "nobody"), "--account: got 'nobody'; open it with"),
        (("--since", "soon"), "--since: got 'soon'; write a day as in 2026-11-30"),
        (("--zone", "Bonn"), "--zone: got 'Bonn'; use the IANA name"),
        (("--csv", "--json"), "Say --csv or --json, not both"),
        (("--by", "mood"), "Invalid value for '--by': 'mood' is not one of"),
    ],
)
def test_bad_input_is_one_line(invoke, ledger, arguments, told):
    result = invoke("spend", *arguments)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert result.stderr.startswith(f"thrifty: {told}")


def test_an_empty_ledger_has_nothing(invoke):
    assert invoke("spend").stdout == "Nothing was spent.\n"
    assert rows(invoke) == {}
    assert invoke("spend", "--csv").stdout.count("\n") == 1


BERLIN = ZoneInfo("Europe/Berlin")
NOW_MS = ms("2026-11-30T12:00+00:00")


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (None, 0),
        ("today", ms("2026-11-30T00:00+01:00")),
        ("7d", NOW_MS - 7 * 24 * HOUR_MS),
        (" 24 H ", NOW_MS - 24 * HOUR_MS),
        ("2026-11-01", ms("2026-11-01T00:00+01:00")),
        ("2026-07-01", ms("2026-07-01T00:00+02:00")),
        ("2026-11-01T12:30", ms("2026-11-01T12:30+01:00")),
        ("2026-11-01T12:30+00:00", ms("2026-11-01T12:30+00:00")),
        ("2026-11-01t12:30z", ms("2026-11-01T12:30+00:00")),
    ],
)
def test_a_moment_is_read_as_it_is_meant(said, meant):
    assert read_since("--since", said, BERLIN, NOW_MS) == meant


@given(st.text(max_size=30))
def test_any_text_is_a_moment_or_a_clear_refusal(said):
    with suppress(InvalidInput):
        assert isinstance(read_since("--since", said, BERLIN, NOW_MS), int)
