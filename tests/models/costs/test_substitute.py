"""Another model answers than was asked: the dearer price of the two, an overrun, and a word."""

import logging
from decimal import Decimal

import pytest
from langchain_core.messages import AIMessage, HumanMessage

from tests.harness.llm_server import Answer
from tests.models.conftest import client, entries
from tests.models.ways import EVERY_WAY, WAYS
from thrifty import Budget, TokenPrice
from thrifty.models.calls.step_account import StepAccount
from thrifty.models.costs.prices import PriceList
from thrifty.models.costs.substitute import (
    ASKED_MODEL,
    describe_substitute,
    is_same_model,
    note_substitute,
    warn_of_substitute,
)
from thrifty.models.costs.usage import Usage
from thrifty.models.guard.callback_guard import guard_calls

MONEY = Budget(max_cost_usd=0.01)
OWN = {"house": TokenPrice(Decimal(1), Decimal(4))}
USD_PER_M = {"gpt-4o": (2_500, 10_000), "gpt-4o-mini": (150, 600), "house": (1_000, 4_000)}
"""Input and output, in nano-USD a token."""
OPUS = (15_000, 75_000)


@pytest.fixture(autouse=True)
def _nothing_told():
    warn_of_substitute.cache_clear()


def cost(server, prices):
    return server.bill.input_tokens * prices[0] + server.bill.output_tokens * prices[1]


@pytest.mark.parametrize("way", EVERY_WAY)
def test_a_dearer_model_that_answers_is_charged_at_its_price(
    make, server, ledger, api, way, caplog
):
    server.script(Answer(tokens=40, model="gpt-4o-2024-08-06"))
    answer = WAYS[way](make(MONEY, api, "gpt-4o-mini"), "Tea or coffee?")
    (entry,) = entries(ledger)
    assert entry.charged.cost_nano_usd == cost(server, USD_PER_M["gpt-4o"])
    assert entry.charged.tokens == server.bill.total_tokens
    told = "gpt-4o-2024-08-06 answered where gpt-4o-mini was asked"
    assert describe_substitute(entry.answer) == told
    assert answer.response_metadata[ASKED_MODEL] == "gpt-4o-mini"
    assert answer.response_metadata["model_name"] == "gpt-4o-2024-08-06"
    assert told in caplog.text


def test_what_passes_its_reservation_is_an_overrun(make, server, ledger):
    server.script(Answer(tokens=500, model="anthropic/claude-opus-4-1"))
    make(Budget(max_cost_usd=0.0005), model="gpt-4o-mini", max_output_tokens=500).invoke("Tea?")
    (entry,) = entries(ledger)
    assert entry.charged.cost_nano_usd == cost(server, OPUS) > 500_000
    assert entry.is_overrun
    assert ledger.overruns("team") == (entry,)


@pytest.mark.parametrize("way", EVERY_WAY)
def test_a_cheaper_model_that_answers_is_charged_as_the_one_that_was_asked(
    make, server, ledger, api, way
):
    server.script(Answer(tokens=40, model="gpt-4o-mini-2024-07-18"))
    WAYS[way](make(MONEY, api), "Tea or coffee?")
    (entry,) = entries(ledger)
    assert entry.charged.cost_nano_usd == cost(server, USD_PER_M["gpt-4o"])
    assert "gpt-4o-mini-2024-07-18 answered where gpt-4o" in describe_substitute(entry.answer)


@pytest.mark.parametrize("way", EVERY_WAY)
@pytest.mark.parametrize(
    "answered", ["gpt-4o-2024-08-06", "gpt-4o-2031-01-01", "openai/gpt-4o", "azure/gpt-4o-20240806"]
)
def test_another_name_of_the_model_is_no_other_model(
    make, server, ledger, api, way, answered, caplog
):
    server.script(Answer(tokens=40, model=answered))
    answer = WAYS[way](make(MONEY, api), "Tea or coffee?")
    (entry,) = entries(ledger)
    assert entry.charged.cost_nano_usd == cost(server, USD_PER_M["gpt-4o"])
    assert ASKED_MODEL not in answer.response_metadata
    assert "answered where" not in caplog.text


def test_a_state_of_the_model_that_is_dearer_has_its_own_price(make, server, ledger):
    server.script(Answer(tokens=40, model="gpt-4o-2024-05-13"))
    make(MONEY).invoke("Tea or coffee?")
    (entry,) = entries(ledger)
    assert entry.charged.cost_nano_usd == cost(server, (5_000, 15_000))


def test_a_model_whose_price_nobody_knows_costs_what_was_held(make, server, ledger, caplog):
    server.script(Answer(tokens=40, model="mystery-9"))
    answer = make(MONEY).invoke("Tea or coffee?")
    (entry,) = entries(ledger)
    assert entry.charged.cost_nano_usd == entry.reserved.cost_nano_usd
    assert entry.charged.cost_nano_usd >= cost(server, USD_PER_M["gpt-4o"])
    assert answer.response_metadata[ASKED_MODEL] == "gpt-4o"
    assert "mystery-9 answered where gpt-4o was asked" in caplog.text


@pytest.mark.parametrize(
    ("answered", "prices", "is_told"),
    [
        ("house", "house", False),
        ("house:latest", "house", False),  # a name that no list has
        ("gpt-4o-mini", "house", False),  # it may be behind that name, and is no dearer
        ("gpt-4o", "gpt-4o", True),
    ],
)
def test_a_name_of_ones_own_may_stand_for_any_model_that_is_no_dearer(
    make, server, ledger, answered, prices, is_told
):
    server.script(Answer(tokens=40, model=answered))
    answer = make(MONEY, model="house", prices=OWN).invoke("Tea or coffee?")
    (entry,) = entries(ledger)
    assert entry.charged.cost_nano_usd == cost(server, USD_PER_M[prices])
    assert (ASKED_MODEL in answer.response_metadata) == is_told


def test_an_own_price_of_who_answers_is_what_it_costs(make, server, ledger):
    server.script(Answer(tokens=40, model="gpt-4o-2024-08-06"))
    prices = {"house": TokenPrice(1, 4), "gpt-4o-2024-08-06": TokenPrice(1, 4)}
    make(MONEY, model="house", prices=prices).invoke("Tea or coffee?")
    (entry,) = entries(ledger)
    assert entry.charged.cost_nano_usd == cost(server, USD_PER_M["house"])


def test_an_own_price_holds_for_every_state_of_its_model(make, server, ledger):
    server.script(Answer(tokens=40, model="gpt-4o-2024-08-06"))
    make(MONEY, prices={"gpt-4o": TokenPrice(1, 4)}).invoke("Tea or coffee?")
    (entry,) = entries(ledger)
    assert entry.charged.cost_nano_usd == cost(server, USD_PER_M["house"])


@pytest.mark.parametrize("way", EVERY_WAY)
def test_who_answers_a_model_of_other_code_is_seen_as_well(server, api, way, caplog):
    server.script(Answer(tokens=40, model="gpt-4o"))
    step = StepAccount(Budget(max_cost_usd=0.01))
    options = {"max_tokens": 60, "stream_usage": True, "default_headers": {"Connection": "close"}}
    with guard_calls(step, PriceList({})):
        WAYS[way](client(server, api, "gpt-4o-mini", **options), [HumanMessage("Tea?")])
    (entry,) = step.ledger.entries(step.account)
    assert entry.charged.cost_nano_usd == cost(server, USD_PER_M["gpt-4o"])
    assert "gpt-4o answered where gpt-4o-mini was asked" in caplog.text


def test_it_is_said_once(caplog):
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            warn_of_substitute("a", "b")
    assert caplog.messages == [
        "b answered where a was asked: such calls are charged at the dearer price of the two. "
        "If b costs something else with you, name its price in `prices`."
    ]


def test_it_is_said_in_the_answer(caplog):
    message = AIMessage("Tea.", response_metadata={"model_name": "x", "id": "1"})
    note_substitute(message, "a", "b")
    told = {"model_name": "b", "id": "1", "asked_model": "a"}
    assert message.response_metadata == told
    assert "b answered where a was asked" in caplog.text
    assert describe_substitute(message.model_dump_json()) == "b answered where a was asked"


HELD = 9_000_000
CHEAPER = {"gpt-4o": TokenPrice(1, 4)}


@pytest.mark.parametrize(
    ("own", "asked", "answered", "charge"),
    [
        ({}, "gpt-4o", "", (3_500_000, False)),
        ({}, "gpt-4o", "gpt-4o", (3_500_000, False)),
        ({}, "gpt-4o", "gpt-4o-2024-08-06", (3_500_000, False)),
        ({}, "gpt-4o", "openai/gpt-4o-2031-01-01", (3_500_000, False)),
        ({}, "gpt-4o", "gpt-4o-2024-05-13", (6_500_000, True)),
        ({}, "gpt-4o", "gpt-4o-mini", (3_500_000, True)),
        ({}, "gpt-4o-mini", "gpt-4o", (3_500_000, True)),
        ({}, "gpt-4o-mini", "anthropic/claude-opus-4-1", (22_500_000, True)),
        ({}, "gpt-4o", "mystery-9", (HELD, True)),
        (OWN, "house", "gpt-4o", (3_500_000, True)),
        (OWN, "house", "gpt-4o-mini", (1_400_000, False)),
        (OWN, "house", "house:latest", (1_400_000, False)),
        (OWN, "gpt-4o-mini", "house", (1_400_000, True)),
        (CHEAPER, "gpt-4o", "gpt-4o-2024-08-06", (1_400_000, False)),
        (CHEAPER, "gpt-4o-mini", "gpt-4o-2024-08-06", (3_500_000, True)),
    ],
)
def test_a_call_is_charged_at_the_dearer_price_of_who_was_asked_and_who_answered(
    own, asked, answered, charge
):
    prices, used = PriceList(own).pin(), Usage(1_000, 100, model=answered)
    cost, is_other = charge
    assert prices.charge(asked, used, HELD) == charge
    held = 0 if cost == HELD else 500
    assert prices.charge(asked, used, HELD, "", 500) == (cost + held, is_other)


@pytest.mark.parametrize(("reported", "cost"), [(8_000_000, 8_000_000), (1, 3_500_000)])
def test_what_a_gateway_says_of_a_model_whose_price_nobody_knows_is_its_price(reported, cost):
    used = Usage(1_000, 100, model="mystery-9", reported_nano_usd=reported)
    assert PriceList({}).charge("gpt-4o", used, HELD) == (cost, True)


@pytest.mark.parametrize(
    ("asked", "answered", "is_same"),
    [
        ("gpt-4o", "gpt-4o", True),
        ("gpt-4o", "", True),
        ("gpt-4o", "GPT-4o-2024-08-06", True),
        ("openai/gpt-4o", "gpt-4o@20240806", True),
        ("gpt-4o-2024-05-13", "gpt-4o-2024-08-06", True),
        ("gpt-4o", "gpt-4o-mini", False),
        ("gpt-4o", "gpt-4o-2024", False),
        ("gpt-4", "gpt-4o", False),
    ],
)
def test_a_vendor_before_and_a_date_after_make_no_other_model(asked, answered, is_same):
    assert is_same_model(asked, answered) == is_same


@pytest.mark.parametrize(
    "answer",
    [
        *("", "plain", '"asked_model"', '["asked_model"]', '{"asked_model": 1}'),
        '{"content": "\\"asked_model\\"", "response_metadata": {}}',
        '{"response_metadata": {"asked_model": "a"}}',
        "[" * 100_000 + '"asked_model"',
    ],
)
def test_what_is_no_answer_of_another_model_says_nothing(answer):
    assert describe_substitute(answer) == ""
