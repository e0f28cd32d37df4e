"""What errors say: field, value and remedy in words, and the facts as attributes."""

import pytest

from thrifty.budget import (
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

TOLD = {
    "got 5": (lambda: InvalidInput("max_tokens", 5, "use more"), "max_tokens: got 5; use more"),
    "secret": (lambda: InvalidInput("api_key", "sk-1", "set it"), "api_key: got a secret; set it"),
    "exceeded": (
        lambda: BudgetExceeded({"tool_calls": 1, "tokens": 1_200, "cost": 5 * 10**7}, "Polish"),
        "Polish does not fit: 1,200 tokens, $0.05, 1 call short; raise the budget or drop the step",
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


def test_an_error_carries_its_facts():
    refused = InvalidInput("api_key", "sk-1", "set it")
    assert (refused.field, refused.value, refused.remedy) == ("api_key", "sk-1", "set it")
    assert isinstance(refused, ValueError)
    assert BudgetExceeded({"tokens": 7}, "Polish").missing == {"tokens": 7}
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
    ]
    assert [kind.exit_code for kind in kinds] == [1, 2, 3, 6, 7, 8, 9, 10]


def test_a_value_is_shown_in_a_line_at_most():
    """In ASCII, so that no terminal is led astray by it."""
    assert format_value("é\x1b") == r"'\xe9\x1b'"
    longest = "x" * (VALUE_CHARACTERS_MAX - 2)
    assert format_value(longest) == repr(longest)
    cut = format_value(longest + "x")
    assert (len(cut), cut[-2:]) == (VALUE_CHARACTERS_MAX, "x…")
    assert format_value(10**5000) == "a int too long to print"
