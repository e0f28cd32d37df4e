"""What a gateway says that a call has cost: on request the bill, else where no price is known."""

import pytest

from tests.harness.llm_server import Answer
from tests.models.conftest import client, entries
from tests.models.ways import EVERY_WAY, WAYS
from thrifty import Budget, InvalidInput, Model, PriceUnknown, metered
from thrifty.models.costs.prices import Charge, PriceList
from thrifty.models.costs.reported_cost import COST_HEADER, read_reported_cost, with_cost_header
from thrifty.models.costs.usage import Usage

MONEY = Budget(max_cost_usd=0.05)
TOLD = {"cost": 0.00321, "cost_details": {"upstream_inference_cost": None}}
WHOLE_WAYS = [way for way in WAYS if "stream" not in way]


@pytest.mark.parametrize("way", EVERY_WAY)
def test_on_request_a_call_costs_what_the_gateway_says(make, server, ledger, way):
    server.script(Answer("Tea.", told_usage=TOLD))
    WAYS[way](make(MONEY, reported_cost=True), "Tea or coffee?")
    (entry,) = entries(ledger)
    assert entry.status == "settled"
    assert entry.charged.cost_nano_usd == 3_210_000
    assert entry.charged.tokens == server.bill.total_tokens


@pytest.mark.parametrize("way", EVERY_WAY)
def test_without_a_request_a_price_that_is_known_counts(make, server, ledger, way):
    server.script(Answer("Tea.", told_usage=TOLD))
    WAYS[way](make(MONEY), "Tea or coffee?")
    (entry,) = entries(ledger)
    bill = server.bill
    assert entry.charged.cost_nano_usd == bill.input_tokens * 2_500 + bill.output_tokens * 10_000


@pytest.mark.parametrize("way", EVERY_WAY)
@pytest.mark.parametrize("is_asked_for", [True, False])
def test_where_no_price_is_known_it_is_the_truth(make, server, ledger, way, is_asked_for):
    server.script(Answer("Tea.", told_usage=TOLD))
    model = make(Budget(max_tokens=5_000), model="house", reported_cost=is_asked_for)
    WAYS[way](model, "Tea or coffee?")
    (entry,) = entries(ledger)
    assert entry.charged.cost_nano_usd == 3_210_000


@pytest.mark.parametrize("way", WHOLE_WAYS)
def test_a_header_says_it_as_well(make, server, ledger, api, way):
    server.script(Answer("Tea.", headers={COST_HEADER: "0.00321"}))
    WAYS[way](make(MONEY, api, reported_cost=True), "Tea or coffee?")
    (entry,) = entries(ledger)
    assert entry.charged.cost_nano_usd == 3_210_000


def test_the_header_of_one_answer_is_not_that_of_the_next(make, server, ledger):
    server.script(Answer("Tea.", headers={COST_HEADER: "0.00321"}), Answer("Coffee."))
    model = make(MONEY, reported_cost=True, max_output_tokens=100)
    model.invoke("Tea?")
    model.invoke("Coffee?")
    first, second = entries(ledger)
    assert first.charged.cost_nano_usd == 3_210_000
    assert second.charged.cost_nano_usd < 1_000_000


def test_more_than_was_reserved_is_an_overrun(make, server, ledger):
    server.script(Answer("Tea.", told_usage={"cost": 0.07}))
    make(MONEY, reported_cost=True).invoke("Tea or coffee?")
    (entry,) = entries(ledger)
    assert entry.charged.cost_nano_usd == 70_000_000
    assert entry.is_overrun


def test_a_call_without_a_price_has_no_bound_all_the_same(make, server):
    with pytest.raises(PriceUnknown):
        make(MONEY, model="house", reported_cost=True).invoke("Tea or coffee?")
    assert not server.requests


def test_the_model_that_was_given_stays_as_it_is(make, server, ledger):
    server.script(Answer("Tea.", told_usage=TOLD, times=None))
    given = client(server)
    ledger.open("team", MONEY)
    list(metered(given, ledger, "team", reported_cost=True).stream("Tea?"))
    pieces = list(given.stream("Tea?"))
    assert not any("token_usage" in piece.response_metadata for piece in pieces)


@pytest.mark.parametrize(
    ("counted", "nano_usd"),
    [
        ({"cost": 0.1}, 100_000_000),
        ({"cost": 0}, 0),
        ({"cost": "1e-9"}, 1),
        ({"cost": 1e-10}, 1),
        (
            {"cost": 0.1, "is_byok": True, "cost_details": {"upstream_inference_cost": 1}},
            11 * 10**8,
        ),
        ({"cost": 0.1, "is_byok": True}, None),
        ({"cost": 0.1, "is_byok": True, "cost_details": {"upstream_inference_cost": -1}}, None),
        *(({"cost": wrong}, None) for wrong in (None, "much", -1, float("nan"), 10_001, True, [])),
        *(({"cost": "nan"}, None), ({"cost": "inf"}, None)),
        ({}, None),
        (None, None),
        ("cost", None),
    ],
)
def test_a_cost_is_an_amount_of_dollars_or_nothing(counted, nano_usd):
    assert read_reported_cost(counted) == nano_usd


@pytest.mark.parametrize(
    ("counted", "headers", "told"),
    [
        ({"prompt_tokens": 3}, {COST_HEADER: "0.1"}, {"prompt_tokens": 3, "cost": "0.1"}),
        (None, {COST_HEADER: "0.1"}, {"cost": "0.1"}),
        ({"cost": 0.2}, {COST_HEADER: "0.1"}, {"cost": 0.2}),
        ({"prompt_tokens": 3}, {"x-other": "0.1"}, {"prompt_tokens": 3}),
        (None, {}, None),
    ],
)
def test_a_count_has_the_cost_of_a_header_where_it_has_none_of_its_own(counted, headers, told):
    assert with_cost_header(counted, headers) == told


@pytest.mark.parametrize(
    ("model", "reported", "takes", "cost"),
    [
        ("gpt-4o", 7, True, 7),
        ("gpt-4o", 0, True, 0),
        ("gpt-4o", None, True, 2_500),
        ("gpt-4o", 7, False, 2_500),
        ("house", 7, False, 7),
        ("house", 0, False, 99),  # a gateway without a price says nothing costs
        ("house", 0, True, 0),
        ("house", None, False, 99),
    ],
)
def test_what_a_gateway_says_goes_before_prices_on_request_alone(model, reported, takes, cost):
    prices = (PriceList({}, takes_reported=True) if takes else PriceList({})).pin()
    assert prices.charge(model, Usage(1, 0, reported_nano_usd=reported), 99) == Charge(cost)


def test_it_is_asked_for_by_a_truth_value(make):
    with pytest.raises(InvalidInput) as refusal:
        make(reported_cost="yes")
    assert refusal.value.field == "reported_cost"
    with pytest.raises(InvalidInput, match="reported_cost"):
        Model("m", reported_cost=1)
    model = Model("m", reported_cost=True)
    assert Model.read("m", model.to_state()) == model
