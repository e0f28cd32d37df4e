"""What errors say: field, value and remedy in words, and the facts as attributes."""

import copy
import pickle

import pytest

from thrifty.budget import (
    AccountClosed,
    BudgetExceeded,
    InvalidInput,
    KeyReused,
    LeaseLost,
    LedgerUnavailable,
    ModelUnavailable,
    PriceUnknown,
    ReservationClosed,
    ThriftyError,
)
from thrifty.budget.errors import VALUE_CHARACTERS_MAX, StepEnded, format_value

SINCE_MS = 1_800_000_000_999
BERLIN = "Europe/Berlin"
MIDNIGHT_MS = 1_796_079_600_000
"""Midnight there, between November and December 2026."""

TOLD = {
    "got 5": (lambda: InvalidInput("max_tokens", 5, "use more"), "max_tokens: got 5; use more"),
    "secret": (lambda: InvalidInput("api_key", "sk-1", "set it"), "api_key: got a secret; set it"),
    "exceeded": (
        lambda: BudgetExceeded({"tool_calls": 1, "tokens": 1_200, "cost": 5 * 10**7}, "Polish"),
        "Polish does not fit: 1,200 tokens, $0.05, 1 call short; raise the budget or drop the step",
    ),
    "a day's budget": (
        lambda: BudgetExceeded({"cost": 1}, "Polish", "user:17", "day", MIDNIGHT_MS, BERLIN),
        "Polish does not fit, $0.000000001 short: the day's budget of user:17 is spent; "
        "it resets at 00:00 (Europe/Berlin)",
    ),
    "a month's budget": (
        lambda: BudgetExceeded({"cost": 1}, "Polish", "user:17", "month", MIDNIGHT_MS, BERLIN),
        "Polish does not fit, $0.000000001 short: the month's budget of user:17 is spent; "
        "it resets on 2026-12-01 at 00:00 (Europe/Berlin)",
    ),
    "an hour's budget": (
        lambda: BudgetExceeded({"tool_calls": 2}, "Polish", "team", "hour", MIDNIGHT_MS),
        "Polish does not fit, 2 calls short: the hour's budget of team is spent; "
        "it resets at 23:00 (UTC)",
    ),
    "a minute's budget": (
        lambda: BudgetExceeded({"tokens": 9}, "Polish", "team", "minute", MIDNIGHT_MS + 10_000),
        "Polish does not fit, 9 tokens short: the minute's budget of team is spent; "
        "it resets at 23:00:10 (UTC)",
    ),
    "more than a day's budget": (
        lambda: BudgetExceeded({"tokens": 9}, "Polish", "me", "day", 0, is_beyond_window=True),
        "Polish does not fit, 9 tokens short: it is more than the day's whole budget of me; "
        "raise that or drop the step",
    ),
    "nobody's budget": (
        lambda: BudgetExceeded({"tokens": 9}, "Polish", period="minute"),
        "Polish does not fit, 9 tokens short: the minute's budget of the account is spent; "
        "raise it, or wait",
    ),
    "an odd name": (
        lambda: BudgetExceeded({"tokens": 9}, "Polish", "é\x1b\n" + "x" * 90, "day"),
        f"Polish does not fit, 9 tokens short: the day's budget of é {'x' * 57}… is spent; "
        "raise it, or wait",
    ),
    "closed account": (
        lambda: AccountClosed("user:17"),
        "account user:17 is closed: no call can be made on it; use another",
    ),
    "price": (
        lambda: PriceUnknown("gpt-x"),
        "no price is known for model 'gpt-x'; "
        "give it one, in THRIFTY_PRICES or in prices=, or drop the limit on cost",
    ),
    "price of a tier": (
        lambda: PriceUnknown("gpt-x", "tier flex"),
        "no price is known for model 'gpt-x' (tier flex); "
        "give it one, in THRIFTY_PRICES or in prices=, or drop the limit on cost",
    ),
    "model": (lambda: ModelUnavailable("no server answers"), "no server answers"),
    "closed": (
        lambda: ReservationClosed("k", "settled"),
        "reservation 'k' is settled; reserve again under a new id",
    ),
    "ended": (
        lambda: StepEnded(),
        "the step has ended and is settled; let its calls end before it returns",
    ),
    "reused": (
        lambda: KeyReused("k\n", "stands for another request"),
        r"key 'k\n' stands for another request; make one key for each call",
    ),
    "held": (
        lambda: LeaseLost("run", "pid 1", SINCE_MS, 3),
        "run 'run' is held by 'pid 1' since 2027-01-15T08:00:00+00:00 (lease 3); "
        "wait for it, or take it over if it is gone",
    ),
    "left": (
        lambda: LeaseLost("run", "", SINCE_MS, 3),
        "run 'run' was left at 2027-01-15T08:00:00+00:00 (lease 3); "
        "wait for it, or take it over if it is gone",
    ),
}


@pytest.mark.parametrize(("make", "told"), TOLD.values(), ids=TOLD)
def test_an_error_says_what_happened_and_what_to_do(make, told):
    error = make()
    assert str(error) == told
    assert isinstance(error, ThriftyError)


@pytest.mark.parametrize("make", [make for make, _ in TOLD.values()], ids=TOLD)
def test_a_copy_of_an_error_and_one_from_another_process_are_like_it(make):
    error = make()
    error.add_note("seen twice")
    pickled = (pickle.loads(pickle.dumps(error, each)) for each in range(2, 6))
    for again in (copy.copy(error), copy.deepcopy(error), *pickled):
        assert type(again) is type(error)
        assert str(again) == str(error)
        assert again.args == error.args
        assert vars(again) == vars(error)


def test_an_error_carries_its_facts():
    refused = InvalidInput("api_key", "sk-1", "set it")
    assert (refused.field, refused.value, refused.remedy) == ("api_key", "sk-1", "set it")
    assert isinstance(refused, ValueError)
    of_run = BudgetExceeded({"tokens": 7}, "Polish")
    assert (of_run.missing, of_run.account, of_run.period) == ({"tokens": 7}, "", "run")
    assert (of_run.resets_at_ms, of_run.zone) == (None, "UTC")
    of_day = BudgetExceeded({"tokens": 7}, "Polish", "user:17", "day", MIDNIGHT_MS, BERLIN)
    assert (of_day.missing, of_day.account, of_day.period) == ({"tokens": 7}, "user:17", "day")
    assert (of_day.resets_at_ms, of_day.zone) == (MIDNIGHT_MS, BERLIN)
    assert (of_run.is_beyond_window, of_day.is_beyond_window) == (False, False)
    assert AccountClosed("user:17").account == "user:17"
    assert PriceUnknown("gpt-x", "tier flex").model == "gpt-x"
    closed = ReservationClosed("k", "settled")
    assert (closed.key, closed.status) == ("k", "settled")
    reused = KeyReused("k", "is taken")
    assert (reused.key, reused.why) == ("k", "is taken")
    lost = LeaseLost("run", "pid 1", SINCE_MS, 3)
    assert (lost.run, lost.holder, lost.since_ms, lost.fence) == ("run", "pid 1", SINCE_MS, 3)


def test_a_model_that_is_unavailable_may_be_so_for_good():
    assert ModelUnavailable("a refused key", for_good=True).for_good is True
    assert ModelUnavailable("a busy server").for_good is False


def test_every_error_that_ends_a_command_has_an_exit_code_of_its_own():
    kinds = [
        ThriftyError,
        InvalidInput,
        BudgetExceeded,
        PriceUnknown,
        ModelUnavailable,
        KeyReused,
        LeaseLost,
        LedgerUnavailable,
        AccountClosed,
    ]
    assert [kind.exit_code for kind in kinds] == [1, 2, 3, 6, 7, 8, 9, 10, 12]


def test_a_value_is_shown_in_a_line_at_most():
    """In ASCII, so that no terminal is led astray by it."""
    assert format_value("é\x1b") == r"'\xe9\x1b'"
    longest = "x" * (VALUE_CHARACTERS_MAX - 2)
    assert format_value(longest) == repr(longest)
    cut = format_value(longest + "x")
    assert (len(cut), cut[-2:]) == (VALUE_CHARACTERS_MAX, "x…")
    assert format_value(10**5000) == "a int too long to print"
