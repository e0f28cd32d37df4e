"""`thrifty account`: opened, limited, moved, closed and shown, each with what is left."""

import json
import re
from datetime import UTC, datetime

import pytest

from thrifty import Spend, SqliteLedger
from thrifty.budget.periods import window_of
from thrifty.cli.private_files import make_private_file

CLOSED = "thrifty: account team is closed: no call can be made on it; use another\n"


@pytest.fixture
def ledger(home):
    make_private_file(home / "ledger.sqlite")
    return SqliteLedger(home / "ledger.sqlite")


@pytest.fixture
def opened(invoke):
    """A team, a member with three limits, and an account of its own."""
    for arguments in (
        ("team", "$100 a month", "--zone", "Europe/Berlin"),
        ("user:17", "$5 a day, $60 a month, 100k tokens a minute", "--parent", "team"),
        ("trial", "2k tokens, 5 calls"),
    ):
        assert invoke("account", "open", *arguments).exit_code == 0


def spend(ledger, account, key, tokens, cost_nano_usd=0):
    used = Spend(tokens, cost_nano_usd, 700, 1)
    ledger.reserve(account, key, "a call", used)
    ledger.settle(account, key, used)


def shown(invoke, *arguments):
    return json.loads(invoke("account", *arguments, "--json").stdout)["accounts"]


def test_an_account_is_opened_with_limits_in_words(invoke, ledger, opened):
    team, member, trial = ledger.accounts()
    assert (team.name, team.parent, team.zone) == ("team", "", "Europe/Berlin")
    assert (member.parent, member.zone) == ("team", "Europe/Berlin")  # as the one above it
    assert list(member.limits) == ["run", "minute", "day", "month"]
    assert member.limits["minute"].max_tokens == 100_000
    assert (trial.parent, trial.zone, trial.limits["run"].max_tool_calls) == ("", "UTC", 5)
    paris = ("account", "open", "paris", "9 calls", "--parent", "team", "--zone", "Europe/Paris")
    assert invoke(*paris).stderr == "Opened paris.\n"
    assert ledger.accounts()[-1].zone == "Europe/Paris"


def test_an_account_that_is_open_gets_the_new_limits_and_its_old_ones_are_named(invoke, opened):
    result = invoke("account", "open", "trial", "9 calls an hour")
    assert (
        result.stderr
        == "Changed the limits of trial, which were: 2,000 tokens in all, 5 calls in all.\n"
    )
    assert "9 calls an hour" in result.stdout
    assert "2,000 tokens" not in result.stdout


def test_without_accounts_it_says_how_to_open_one(invoke):
    assert "thrifty account open" in invoke("account", "show").stdout
    assert shown(invoke, "show") == []


@pytest.mark.parametrize("columns", [80, 120])
def test_they_are_shown_as_a_tree_with_what_is_left(invoke, ledger, opened, columns):
    ledger.open("run:local/thread=x/run=1", "2k tokens", parent="user:17")
    ledger.open("run:local/thread=y/run=1", "2k tokens")
    spend(ledger, "run:local/thread=x/run=1", "k", 1_000, 4_100_000_001)
    spend(ledger, "trial", "k", 1_999)
    ledger.reserve("user:17", "open", "a call", Spend(500, 1, 0, 1))
    lines = invoke("account", "show", env={"COLUMNS": str(columns)}).stdout.splitlines()
    told = [re.sub(r" {2,}", "  ", line).rstrip() for line in lines]
    assert told[0] == "account  limit  spent  reserved  left  resets"
    time = r"(\d\d:\d\d(:\d\d)?|\d{4}-\d\d-\d\d)"
    wanted = [
        rf"team  \$100\.00 a month  \$4\.1001  \$0\.0001  \$95\.8999  {time}",
        rf"├? ?└? ?user:17  100,000 tokens a minute  1,000  500  98,500  {time}",
        rf"│  \$5\.00 a day  \$4\.1001  \$0\.0001  \$0\.8999  {time}",
        rf"│  \$60\.00 a month  \$4\.1001  \$0\.0001  \$55\.8999  {time}",
        r"└ 1 run",
        r"trial  2,000 tokens in all  1,999  1",
        r"5 calls in all  1  4",
    ]
    for line, pattern in zip(told[2:9], wanted, strict=True):
        assert re.fullmatch(rf"\s*{pattern}", line), line
    assert told[-1] == "Times are those of Europe/Berlin."
    assert all(len(line.rstrip()) <= columns for line in lines)


def test_one_is_shown_with_what_is_above_and_below_it(invoke, opened):
    invoke("account", "open", "user:18", "$1 a day", "--parent", "team")
    invoke("account", "open", "agents", "no limit", "--parent", "user:17")
    text = invoke("account", "show", "user:17").stdout
    assert [name in text for name in ("team", "agents", "user:18", "trial")] == [
        *(True, True, False, False)
    ]
    assert text.splitlines()[-1] == "user:17 can still spend 100,000 tokens, $5.00."
    assert (
        invoke("account", "show", "agents").stdout.splitlines()[-1]
        == "agents can still spend 100,000 tokens, $5.00."
    )
    (team,) = shown(invoke, "show", "user:17")
    (member,) = team["below"]
    assert (member["name"], member["parent"]) == ("user:17", "team")
    assert [each["name"] for each in member["below"]] == ["agents"]


def test_json_has_each_period_with_its_reset(invoke, ledger, opened):
    spend(ledger, "user:17", "k", 1_000, 10**9)
    (team,) = shown(invoke, "show", "team")
    assert (team["parent"], team["zone"], team["runs"]) == (None, "Europe/Berlin", 0)
    (month,) = team["periods"]
    now_ms = round(datetime.now(UTC).timestamp() * 1000)
    assert month["resets_at_ms"] == window_of("month", "Europe/Berlin", now_ms)[1]
    assert month["limits"]["max_cost_nano_usd"] == 100 * 10**9
    assert (month["spent"]["tokens"], month["reserved"]["tokens"]) == (1_000, 0)
    assert month["left"]["max_cost_nano_usd"] == 99 * 10**9
    (member,) = team["below"]
    assert [each["period"] for each in member["periods"]] == ["minute", "day", "month"]
    assert member["left"]["max_cost_nano_usd"] == 4 * 10**9


def test_what_has_no_limit_shows_what_it_has_spent(invoke, ledger):
    invoke("account", "open", "free", "no limit")
    assert re.search(r"free +no limit +-", invoke("account", "show").stdout)
    spend(ledger, "free", "k", 1_200, 10**7)
    text = invoke("account", "show", "free").stdout
    assert re.search(r"free +tokens, no limit +1,200", text)
    assert re.search(r"cost, no limit +\$0\.01", text)
    assert re.search(r"calls, no limit +1\b", text)
    assert text.splitlines()[-1] == "free can spend without limit."


def test_times_have_their_zones_where_these_differ(invoke, opened):
    invoke("account", "open", "tokyo", "$1 a day", "--zone", "Asia/Tokyo")
    text = invoke("account", "show").stdout
    assert re.search(r" JST *$", text, re.M)
    assert re.search(r" CES?T *$", text, re.M)
    assert "Times are those" not in text


def test_limits_are_replaced_and_the_old_ones_are_named(invoke, ledger, opened):
    result = invoke("account", "limit", "user:17", "$8 a day", "--zone", "Asia/Kathmandu")
    assert " ".join(result.stderr.split()) == (
        "Changed the limits of user:17, which were: "
        "100,000 tokens a minute, $5.00 a day, $60.00 a month."
    )
    info = ledger.accounts()[1]
    assert (list(info.limits), info.zone) == (["run", "day"], "Asia/Kathmandu")
    assert info.limits["day"].max_cost_usd == 8


def test_an_account_moves_with_its_history_left_where_it_was(invoke, ledger, opened):
    spend(ledger, "user:17", "k", 1_000, 10**9)
    result = invoke("account", "move", "user:17", "trial")
    assert result.stderr == "Moved user:17, which was under team.\n"
    assert ledger.accounts()[1].parent == "trial"
    assert ledger.balance("team").periods[1].spent.tokens == 1_000
    assert ledger.balance("trial").spent.tokens == 0
    assert (
        invoke("account", "move", "user:17", "--to-top").stderr
        == "Moved user:17, which was under trial.\n"
    )
    assert ledger.accounts()[1].parent == ""


def test_a_closed_account_says_so_and_stays_closed(invoke, ledger, opened):
    spend(ledger, "user:17", "k", 1_000)
    result = invoke("account", "close", "team")
    assert result.stderr == "Closed team.\n"
    assert re.search(r"team closed +\$100\.00 a month +\$0\.00 *$", result.stdout, re.M)
    assert result.stdout.splitlines()[-1] == "team is closed: nothing more is spent there."
    below = invoke("account", "show", "user:17").stdout.splitlines()[-1]
    assert below == "An account above user:17 is closed: nothing more is spent there."
    again = invoke("account", "open", "team", "$1 a day")
    assert (again.exit_code, again.stderr) == (12, CLOSED)
    limited = invoke("account", "limit", "team", "$1 a day")
    assert (limited.exit_code, limited.stderr) == (12, CLOSED)
    assert ledger.accounts()[0].is_closed
    assert invoke("account", "close", "team").stderr == "team was closed already.\n"


def test_nothing_is_opened_below_a_closed_account(invoke, ledger, opened):
    """Which one is closed is said, though it is not the one that was named."""
    invoke("account", "close", "team")
    result = invoke("account", "open", "kid", "$1 a day", "--parent", "user:17")
    assert (result.exit_code, result.stderr) == (12, CLOSED)
    assert invoke("run", "x", "--account", "user:17").stderr == CLOSED
    assert len(ledger.accounts()) == 3


def test_without_a_command_it_shows_its_help(invoke):
    result = invoke("account")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == invoke("account", "--help").stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("show", "nobody"), "NAME: got 'nobody'; open it with `thrifty account open`"),
        (("limit", "nobody", "$1"), "NAME: got 'nobody'; open it with"),
        (("close", "nobody"), "NAME: got 'nobody'; open it with"),
        (("move", "nobody", "team"), "NAME: got 'nobody'; open it with"),
        (("move", "team", "nobody"), "PARENT: got 'nobody'; open it with"),
        (("move", "team", "user:17"), "PARENT: got 'user:17'; use an account that is not below"),
        (("move", "team", "team"), "PARENT: got 'team'; use an account that is not below"),
        (("open", "x", "$1", "--parent", "nobody"), "--parent: got 'nobody'; open it with"),
        (("open", "user:17", "$1", "--parent", "trial"), "--parent: got 'trial'; 'user:17' stands"),
        (("open", "x", "$1", "--zone", "Bonn"), "--zone: got 'Bonn'; use the IANA name"),
        (("limit", "team", "$1", "--zone", "Bonn"), "--zone: got 'Bonn'; use the IANA name"),
        (("open", "x", " a day"), "LIMITS: got 'a day'; write a number and a unit"),
        (
            ("open", "x", "$5 a week"),
            "LIMITS: got '$5 a week'; use a minute, an hour, a day, a month or in all, as 'a week'",
        ),
        (("limit", "team", "$5 a day, $6 a day"), "LIMITS.day: got '$6'; limit cost once"),
        (("limit", "team", "5s a day"), "LIMITS.day.max_latency_ms: got 5000; limit latency in"),
        (("open", "run:x", "$1"), "NAME: got 'run:x'; begin it otherwise"),
        (("open", "", "$1"), "NAME: got ''; use 1 to 250 characters"),
        (("open", "a\x1bb", "$1"), r"NAME: got 'a\x1bb'; leave out control characters"),
        (("move", "team"), "Name the PARENT, or say --to-top"),
        (("move", "team", "trial", "--to-top"), "Name the PARENT, or say --to-top"),
        (("open", "x"), "Missing argument 'LIMITS'"),
    ],
)
def test_bad_input_names_field_value_and_remedy_and_changes_nothing(
    invoke, ledger, opened, arguments, told
):
    before = ledger.accounts()
    result = invoke("account", *arguments)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert result.stderr.startswith(f"thrifty: {told}")
    assert ledger.accounts() == before


def test_a_shell_completes_the_names_of_accounts_but_for_those_of_runs(
    start, monkeypatch, ledger, opened
):
    ledger.open("run:local/thread=x/run=1", "2k tokens", parent="user:17")
    monkeypatch.setenv("_THRIFTY_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "thrifty account show t")
    monkeypatch.setenv("COMP_CWORD", "3")
    out, err = start().communicate(timeout=240)
    assert (out.split(), err) == (["plain,team", "plain,trial"], "")
    monkeypatch.setenv("COMP_WORDS", "thrifty account show r")
    assert start().communicate(timeout=240)[0].split() == []


def test_a_name_of_two_lines_is_shown_in_one(invoke, ledger):
    ledger.open("a\nb", "2k tokens")
    assert re.search(r"^a b +2,000 tokens in all", invoke("account", "show").stdout, re.M)
    assert (
        invoke("account", "limit", "a\nb", "3 calls").stderr
        == "Changed the limits of a b, which were: 2,000 tokens in all.\n"
    )


@pytest.mark.parametrize(
    "arguments",
    [("open", "x", " a day"), ("open", "x", "", "a", "day"), ("limit", "team", "00 a month")],
)
def test_where_a_shell_took_the_dollars_single_quotes_are_named(invoke, opened, arguments):
    result = invoke("account", *arguments)
    assert result.exit_code == 2
    assert "; put it in single quotes, as a shell takes $5 for a variable" in result.stderr
    assert "single quotes" not in invoke("account", "open", "x", "$5 parsecs a day").stderr


def test_limits_without_a_dollar_need_no_quotes(invoke, ledger):
    invoke("account", "open", "x", "5k", "tokens", "a", "day,", "2", "calls")
    (info,) = ledger.accounts()
    assert (info.limits["day"].max_tokens, info.limits["run"].max_tool_calls) == (5_000, 2)
