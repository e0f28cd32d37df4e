"""Budgets as people say them: read as they are meant, or refused in one clear sentence."""

from contextlib import suppress
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from thrifty.budget import Budget, InvalidInput
from thrifty.budget.budget_phrase import PHRASE_EXAMPLE, PHRASE_MAX, UNITS, parse_budget
from thrifty.budget.resources import LATENCY, RESOURCES
from thrifty.budget.validate import AMOUNT_MAX
from thrifty.receipt.wording import describe_limits

SAID = {
    PHRASE_EXAMPLE: (2_000, 20_000_000, 5_000, 2),
    "2,200 tokens, 3,500 ms, 2 calls": (2_200, None, 3_500, 2),
    "1.5m tokens and 2 min": (1_500_000, None, 120_000, None),
    "at most 3 tool calls; 5¢; max 2ktok": (2_000, 50_000_000, None, 3),
    "1 H, USD 1,500": (None, 1_500_000_000_000, 3_600_000, None),
    "5s,200 tokens": (200, None, 5_000, None),
    "US$.5\n0.25 sec": (None, 500_000_000, 250, None),
    "0 calls": (None, None, None, 0),
    "0.0000000019 dollars": (None, 1, None, None),
}


@pytest.mark.parametrize(("phrase", "amounts"), SAID.items(), ids=SAID)
def test_a_phrase_means_these_limits(phrase, amounts):
    assert parse_budget(phrase).limits == amounts


@pytest.mark.parametrize(
    ("phrase", "value", "remedy"),
    [
        ("", "", "write some text"),
        (" , and ;", " , and ;", PHRASE_EXAMPLE),
        ("2k tokens, 5", "5", "a number and a unit"),
        ("2m", "2m", "a number and a unit"),
        ("5 parsecs, 2 calls", "5 parsecs", "a number and a unit"),
        ("$5 usd", "$5 usd", "a number and a unit"),
        ("$5,500 tokens", "$5,500 tokens", "a number and a unit"),
        ("-5 tokens", "-5 tokens", "a number and a unit"),
        ("1e9 tokens", "1e9 tokens", "a number and a unit"),
        (
            "0.5 tokens",
            "0.5 tokens",
            "use a whole number of tokens, milliseconds or calls",
        ),
        ("5s, 300 ms", "300 ms", "limit latency once"),
        ("1,000,000,000,000,000.000000001 k$", None, "use at most $1,000,000.00"),
        ("9" * 150 + " tokens", "9" * 150 + " tokens", "use at most 1,000,000,000,000,000 tokens"),
        ("2 calls," * 30, None, f"at most {PHRASE_MAX} characters"),
        (None, None, "write some text"),
        (2000, 2000, "write some text"),
    ],
)
def test_what_is_not_understood_is_named_with_its_remedy(phrase, value, remedy):
    with pytest.raises(InvalidInput, match=r"^budget: "):
        parse_budget(phrase)
    with pytest.raises(InvalidInput) as raised:
        parse_budget(phrase, "--budget")
    assert raised.value.field == "--budget"
    assert value is None or raised.value.value == value
    assert remedy in raised.value.remedy
    assert not remedy.startswith("use") or remedy == raised.value.remedy


WORDS = st.sampled_from([*UNITS, *"0123456789", "k", "m", ",", ".", " ", ";", "and", "٣", "\0"])


@given(st.one_of(st.text(max_size=250), st.lists(WORDS, max_size=40).map("".join)))
@example("," * 200)
@example("1" + ",111" * 49)
def test_any_text_is_a_budget_or_a_clear_refusal(phrase):
    with suppress(InvalidInput):
        assert not parse_budget(phrase).is_unlimited


@st.composite
def spoken(draw):
    """A limit and one way to say it, exact to the last digit."""
    resource, size = draw(st.sampled_from(sorted(set(UNITS.values()), key=str)))
    word = draw(st.sampled_from([w for w, unit in UNITS.items() if unit == (resource, size)]))
    scale = "" if resource is LATENCY else draw(st.sampled_from(["", "k", "m"]))
    amount = draw(st.integers(0, AMOUNT_MAX))
    number = Fraction(amount, size * {"": 1, "k": 1_000, "m": 1_000_000}[scale])
    digits = f"{int(number):,}" if draw(st.booleans()) else str(int(number))
    places = str(int((number % 1) * 10**20)).zfill(20).rstrip("0")
    said = f"{digits}.{places}" if places else digits
    if Fraction(said.replace(",", "")) != number:  # a third of a minute has no last digit
        said, scale, word = str(amount), "", "ms"
    space = draw(st.sampled_from(["", " "]))
    is_before = word in ("$", "us$", "usd") and draw(st.booleans())
    text = f"{word}{space}{said}{scale}" if is_before else f"{said}{space}{scale}{space}{word}"
    return resource, amount, draw(st.sampled_from([text, text.upper()]))


@given(st.lists(spoken(), min_size=1, unique_by=lambda limit: limit[0]), st.data())
def test_whatever_way_a_budget_is_said_it_comes_back(parts, data):
    between = data.draw(st.sampled_from([", ", "; ", " and ", "\n", ", and "]))
    budget = parse_budget(between.join(text for _, _, text in parts))
    meant = {resource: amount for resource, amount, _ in parts}
    assert budget.limits == tuple(meant.get(resource) for resource in RESOURCES)


@given(st.builds(
    Budget.of_limits,
    st.tuples(*[st.one_of(st.none(), st.integers(0, 9_999))] * 4).filter(any),
))  # fmt: skip
def test_what_thrifty_prints_of_a_budget_can_be_typed_again(budget):
    assert parse_budget(describe_limits(budget)) == budget
