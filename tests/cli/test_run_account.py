"""`thrifty run --account`: a run is charged to an account too, and held by its limits."""

import json

import pytest

from tests.harness.llm_server import Answer
from thrifty import SqliteLedger

BUDGET = ("--max-tokens", "2200", "--max-tool-calls", "2")


@pytest.fixture
def ledger(home):
    return SqliteLedger(home / "ledger.sqlite")


def test_a_run_is_on_the_bill_of_its_account_and_of_those_above(invoke, ledger, models):
    invoke("account", "open", "team", "$100 a month")
    invoke("account", "open", "me", "50k tokens a day", "--parent", "team")
    result = invoke("run", "Draft a proposal", *BUDGET, *models, "--account", "me", "--json")
    assert result.exit_code == 0
    assert "Account  me: 50,000 tokens, $100.00 left" in result.stderr
    tokens = json.loads(result.stdout)["spend"]["tokens"]
    assert tokens > 0
    assert ledger.balance("me").spent.tokens == ledger.balance("team").spent.tokens == tokens
    spent = json.loads(invoke("spend", "--json").stdout)["rows"]
    assert [(row["account"], row["spend"]["tokens"]) for row in spent] == [("me", tokens)]
    by_model = json.loads(invoke("spend", "--by", "model", "--json").stdout)["rows"]
    assert {row["model"]: row["spend"]["tokens"] for row in by_model} == {"gpt-4.1": tokens, "": 0}
    assert "└ 1 run" in invoke("account", "show").stdout


def test_its_limits_hold_for_the_runs_that_follow(invoke, ledger, models, server):
    invoke("account", "open", "me", "1 call a day")
    first = invoke("run", "x", *BUDGET, *models, "--account", "me", "--json")
    assert json.loads(first.stdout)["spend"]["tool_calls"] == 1
    asked = len(server.requests)
    second = invoke("run", "x", *BUDGET, *models, "--account", "me", "--json")
    assert json.loads(second.stdout)["spend"]["tool_calls"] == 0
    assert len(server.requests) == asked
    assert ledger.balance("me").periods[1].spent.tool_calls == 1


def test_a_run_that_goes_on_is_charged_to_the_same_account(invoke, ledger, models, server):
    invoke("account", "open", "me", "50k tokens a day")
    server.script(Answer(tokens=1500, times=None))
    drift = (*BUDGET, *models, "--on-drift", "ask", "--account", "me", "--json")
    assert invoke("run", "Draft a proposal", *drift).exit_code == 11
    before = ledger.balance("me").spent.tokens
    told = json.loads(invoke("resume", "--max-tokens", "9000", "--json").stdout)
    assert ledger.balance("me").spent.tokens == told["spend"]["tokens"] > before


def test_an_account_that_cannot_pay_is_refused_before_anything_is_kept(invoke, home, ledger):
    def refusal(*arguments, code):
        result = invoke("run", "x", *BUDGET, *arguments)
        assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (code, "", 1)
        assert list((home / "runs").glob("*")) == []
        return result.stderr

    invoke("account", "open", "me", "1 call a day")
    invoke("account", "close", "me")
    ledger.open("run:local/thread=x/run=1", "2k tokens")
    told = refusal("--account", "me", code=12)
    assert told == "thrifty: account me is closed: no call can be made on it; use another\n"
    told = refusal("--account", "nobody", code=2)
    assert told.startswith("thrifty: --account: got 'nobody'; open it with `thrifty account open`")
    told = refusal("--account", "run:local/thread=x/run=1", code=2)
    assert "name an account that you opened" in told
    told = refusal("--account", "me", "--no-save", code=2)
    assert told == "thrifty: --account: got 'me'; leave out --no-save: it is written down\n"
