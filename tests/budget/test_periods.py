"""Limits by period, in words and as mappings: read as they are meant, or refused clearly."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thrifty.budget import Budget, InvalidInput
from thrifty.budget.budget_phrase import UNITS
from thrifty.budget.periods import (
    LIMITS_EXAMPLE,
    LIMITS_PHRASE_MAX,
    NO_LIMIT,
    PERIOD_OF_WORD,
    PERIODS,
    format_limits,
    limits_by_period,
)
from thrifty.receipt.wording import describe_limits

SAID = {
    LIMITS_EXAMPLE: {
        "run": Budget(),
        "minute": Budget(max_tokens=100_000),
        "day": Budget(max_cost_usd=5),
    },
    "2k tokens, $0.05": {"run": Budget(max_tokens=2_000, max_cost_usd=0.05)},
    "20 calls an hour": {"run": Budget(), "hour": Budget(max_tool_calls=20)},
    "$60/month": {"run": Budget(), "month": Budget(max_cost_usd=60)},
    "100k tokens per minute": {"run": Budget(), "minute": Budget(max_tokens=100_000)},
    "$5 each day and $60 every month; 9 calls a run, 5s": {
        "run": Budget(max_tool_calls=9, max_latency_ms=5_000),
        "day": Budget(max_cost_usd=5),
        "month": Budget(max_cost_usd=60),
    },
    "100,000 TOKENS/MIN, 5c a day, 3 tool calls a day": {
        "run": Budget(),
        "minute": Budget(max_tokens=100_000),
        "day": Budget(max_cost_usd=0.05, max_tool_calls=3),
    },
    "5 min, 2 min a run": None,
    "5 min": {"run": Budget(max_latency_ms=300_000)},
    "1 h per run": {"run": Budget(max_latency_ms=3_600_000)},
    "9 calls in all, 1h in all": {
        "run": Budget(max_tool_calls=9, max_latency_ms=3_600_000),
    },
    "No limit": {"run": Budget()},
    "0 calls a day": {"run": Budget(), "day": Budget(max_tool_calls=0)},
}


@pytest.mark.parametrize(("phrase", "meant"), SAID.items(), ids=SAID)
def test_words_mean_these_limits(phrase, meant):
    if meant is None:
        with pytest.raises(InvalidInput, match="limit latency once"):
            limits_by_period(phrase)
    else:
        assert limits_by_period(phrase) == meant
        assert list(limits_by_period(phrase)) == [p for p in PERIODS if p in meant]


@pytest.mark.parametrize(
    ("limits", "meant"),
    [
        (Budget(max_tokens=5), {"run": Budget(max_tokens=5)}),
        (Budget(), {"run": Budget()}),
        ({}, {"run": Budget()}),
        (
            {"month": Budget(max_cost_usd=60), "run": None, "day": "$5, 9 calls"},
            {
                "run": Budget(),
                "day": Budget(max_cost_usd=5, max_tool_calls=9),
                "month": Budget(max_cost_usd=60),
            },
        ),
        ({"run": "2k tokens, 5s"}, {"run": Budget(max_tokens=2_000, max_latency_ms=5_000)}),
        ({"day": Budget(), "hour": None}, {"run": Budget()}),
    ],
)
def test_budgets_and_mappings_mean_these_limits(limits, meant):
    assert limits_by_period(limits) == meant
    assert limits_by_period(limits_by_period(limits)) == meant


@pytest.mark.parametrize(
    ("limits", "field", "value", "remedy"),
    [
        ("", "limits", "", "write some text"),
        (" , ", "limits", " , ", f"write it as in {LIMITS_EXAMPLE!r}"),
        ("a day", "limits", "a day", f"write a number and a unit, as in {LIMITS_EXAMPLE!r}"),
        (
            "$5 a week",
            "limits",
            "$5 a week",
            "use a minute, an hour, a day, a month or in all, as 'a week' is no period",
        ),
        ("5 a day", "limits.day", "5", f"a number and a unit, as in {LIMITS_EXAMPLE!r}"),
        ("$5 a day, 6 usd/day", "limits.day", "6 usd", "limit cost once"),
        ("$5, $6 a run", "limits", "$6", "limit cost once"),
        ("0.5 tokens a day", "limits.day", "0.5 tokens", "use a whole number of tokens"),
        ("5s a day", "limits.day.max_latency_ms", 5_000, "limit latency in the period 'run' alone"),
        (
            {"minute": Budget(max_latency_ms=0)},
            "limits.minute.max_latency_ms",
            0,
            "limit latency in the period 'run' alone",
        ),
        ("2 calls a day," * 80, "limits", None, f"at most {LIMITS_PHRASE_MAX:,} characters"),
        ({"day": "$5 a day"}, "limits.day", "$5 a day", "leave out 'a day': no period is read"),
        ("9 calls/fortnight", "limits", "9 calls/fortnight", "as '/fortnight' is no period"),
        ({"day": 5}, "limits.day", 5, "use a Budget, as in Budget(max_cost_usd=5)"),
        ({"week": Budget()}, "limits.week", Budget(), "known fields: run, minute, hour, day, mon"),
        ({5: Budget()}, "limits.5", Budget(), "known fields: run, minute, hour, day, month"),
        (None, "limits", None, f"use a Budget, or words as in {LIMITS_EXAMPLE!r}"),
        (5, "limits", 5, f"use a Budget, or words as in {LIMITS_EXAMPLE!r}"),
    ],
)
def test_what_is_not_understood_is_named_with_its_remedy(limits, field, value, remedy):
    with pytest.raises(InvalidInput) as raised:
        limits_by_period(limits)
    assert raised.value.field == field
    assert value is None or raised.value.value == value
    assert remedy in raised.value.remedy
    with pytest.raises(InvalidInput, match=r"^LIMITS"):
        limits_by_period(limits, "LIMITS")


WORDS = st.sampled_from(
    [*UNITS, *PERIOD_OF_WORD, *"0123456789", "k", ",", ".", " ", "/", " a ", " per ", "and", "\0"]
)


@given(st.one_of(st.text(max_size=250), st.lists(WORDS, max_size=40).map("".join)))
def test_any_text_is_limits_or_a_clear_refusal(phrase):
    with suppress(InvalidInput):
        limits = limits_by_period(phrase)
        assert phrase.strip().lower() == NO_LIMIT or any(
            b.limited_resources() for b in limits.values()
        )


counts = st.none() | st.integers(0, 9_999)
windowed = st.builds(
    lambda tokens, nano, calls: Budget.of_limits((tokens, nano, None, calls)),
    counts,
    counts,
    counts,
)
of_a_run = st.builds(Budget.of_limits, st.tuples(counts, counts, counts, counts))
SEPARATORS = st.sampled_from([", ", "; ", " and ", "\n"])


@given(
    st.fixed_dictionaries({"run": of_a_run, **dict.fromkeys(PERIODS[1:], windowed)}),
    st.data(),
)
def test_whatever_way_limits_are_said_they_come_back(limits, data):
    parts = []
    for period, budget in limits.items():
        words = [word for word, named in PERIOD_OF_WORD.items() if named == period]
        for limit in describe_limits(budget).split(", ") if not budget.is_unlimited else ():
            word = data.draw(st.sampled_from(words))
            joint = data.draw(st.sampled_from(["/", " / ", " a ", " an ", " per ", " each "]))
            parts.append(limit if period == "run" else f"{limit}{joint}{word}")
    meant = {p: budget for p, budget in limits.items() if p == "run" or not budget.is_unlimited}
    if parts:
        said = data.draw(SEPARATORS).join(data.draw(st.permutations(parts)))
        assert limits_by_period(said) == meant
        assert limits_by_period(said.upper()) == meant
    assert limits_by_period(limits) == meant
    assert limits_by_period(format_limits(limits)) == meant


def test_limits_are_written_as_they_are_said():
    limits = {"run": Budget(max_tool_calls=9), "day": Budget(2_000, 5)}
    assert format_limits(limits) == "9 calls in all, 2,000 tokens a day, $5.00 a day"
    assert format_limits({"run": Budget()}) == "no limit"
