"""The most that a step may use, and one model call for it."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thrifty import Budget, BudgetExceeded, PriceUnknown, Spend, StepOption, TokenPrice, UseFee
from thrifty.executors.registry import AGENT
from thrifty.executors.step_limit import (
    OUTPUT_HEADROOM,
    CallSize,
    agent_limit,
    call_limit,
    declared_limit,
    least_needed,
)
from thrifty.models.costs.hosted_uses import HostedUses
from thrifty.models.costs.prices import PriceList, most_affordable

OWN = PriceList({"own": TokenPrice(Decimal("1"), Decimal("4"))})
FREE = PriceList({"own": TokenPrice(Decimal(0), Decimal(0))})
SIZE = CallSize("own", input_tokens=150, output_least=300, output_expected=450)
LEAST = 150 + 300
SEARCHES = HostedUses({"web_search": UseFee(0.01, uses_max=2, tokens_max=100)})


def quote(output_tokens: int) -> int:
    return OWN.worst("own", SIZE.input_tokens, output_tokens)


@given(tokens=st.integers(0, 100_000), cost=st.integers(0, 10**9))
def test_the_affordable_tokens_are_the_most_that_fit(tokens, cost):
    found = most_affordable(tokens, cost, quote)
    assert quote(found) <= cost or found == 0
    if found < tokens:
        assert quote(found + 1) > cost


def option(tokens: int = 600, calls: int = 1, executor: str = "llm") -> StepOption:
    return StepOption("x (LLM)", "x", executor, "does x", Spend(tokens, 0, 900, calls), 1.0)


def test_a_call_gets_its_input_and_several_times_its_expected_answer():
    limit = call_limit(option(), SIZE, Budget(max_tokens=10_000), FREE)
    assert limit == Spend(150 + OUTPUT_HEADROOM * 450, 0, 0, 1)


def test_a_long_input_is_counted_once_and_not_by_a_factor():
    long = replace(SIZE, input_tokens=5_000)
    limit = call_limit(option(), long, Budget(max_tokens=100_000), FREE)
    assert limit.tokens == 5_000 + OUTPUT_HEADROOM * 450


@pytest.mark.parametrize(
    ("given", "left", "tokens"),
    [
        ({"max_tokens": 30_000}, {"max_tokens": 19_000}, 10_000),  # with its input
        ({"max_tokens": 100_000}, {"max_tokens": 99_000}, 150 + 16_000),
        ({"max_tokens": 100_000}, {"max_tokens": 9_000}, 9_000),
        ({"max_tokens": 2_000}, {"max_tokens": 2_000}, 150 + OUTPUT_HEADROOM * 450),
        ({"max_tool_calls": 1}, {"max_tool_calls": 1}, 150 + 16_000),
        ({"max_tool_calls": 1}, {"max_tokens": 50_000}, 150 + OUTPUT_HEADROOM * 450),  # shared
    ],
)
def test_an_answer_of_unknown_length_may_take_a_third_of_what_its_run_was_given(
    given, left, tokens
):
    answer = replace(SIZE, output_most=16_000)
    assert (
        call_limit(option(), answer, Budget(**left), FREE, given=Budget(**given)).tokens == tokens
    )


def test_it_may_take_a_third_of_the_money_too():
    budget = Budget(max_cost_usd=0.06)
    answer = replace(SIZE, output_most=16_000)
    cost = call_limit(option(), answer, budget, OWN, given=budget).cost_nano_usd
    assert 19_990_000 < cost <= 20_000_000


def test_a_call_without_an_answer_gets_its_input_alone():
    """As one has whose answer nobody expects, and a third of whose run's tokens is less."""
    silent = replace(SIZE, output_least=0, output_expected=0)
    for size in (silent, replace(silent, output_most=16_000)):
        left = Budget(max_tokens=300, max_latency_ms=0)
        assert call_limit(option(), size, left, FREE) == Spend(150, 0, 0, 1)


def test_the_answer_has_what_is_left_where_the_budget_has_less():
    assert call_limit(option(), SIZE, Budget(max_tokens=700), FREE).tokens == 700
    assert call_limit(option(), SIZE, Budget(max_tokens=LEAST), FREE).tokens == LEAST


def test_what_does_not_hold_the_shortest_answer_is_refused():
    with pytest.raises(BudgetExceeded, match="1 token short"):
        call_limit(option(), SIZE, Budget(max_tokens=LEAST - 1), FREE)
    with pytest.raises(BudgetExceeded, match="1 call short"):
        call_limit(option(), SIZE, Budget(max_tool_calls=0), FREE)
    with pytest.raises(BudgetExceeded, match="5 ms short"):
        call_limit(option(), SIZE, Budget(max_latency_ms=895), FREE, latency_ms=900)


def test_what_is_short_of_a_call_is_named_for_what_it_is():
    """A few cents hold no tokens of a dear model: it is money that lacks."""
    cents = Budget(max_cost_usd=Decimal("0.0001"))
    lacks = {"cost": quote(SIZE.output_least) - 100_000}
    for left, missing in [
        (cents, lacks),
        (Budget(max_tokens=LEAST - 1), {"tokens": 1}),
        (replace(cents, max_tokens=LEAST - 100), {"tokens": 100, **lacks}),
    ]:
        with pytest.raises(BudgetExceeded) as refusal:
            call_limit(option(), SIZE, left, OWN)
        assert refusal.value.missing == missing
        assert str(refusal.value).startswith("x (LLM) does not fit")


def test_a_call_limit_has_the_calls_and_no_time():
    left = Budget(max_tool_calls=2, max_latency_ms=1)
    assert call_limit(option(calls=2), SIZE, left, FREE).tool_calls == 2
    assert call_limit(option(calls=0), SIZE, left, FREE).tool_calls == 1
    assert call_limit(option(), SIZE, left, FREE).latency_ms == 0


def test_input_and_output_have_each_their_price():
    limit = call_limit(option(), SIZE, Budget(), OWN)
    assert limit == Spend(150 + 1_800, 150 * 1_000 + 1_800 * 4_000, 0, 1)


@given(tokens=st.integers(0, 4_000), cost=st.integers(0, 10_000_000), sent=st.integers(0, 3_000))
def test_what_a_refusal_lacks_is_enough_when_it_is_given(tokens, cost, sent):
    left = Budget(max_tokens=tokens, max_cost_usd=Decimal(cost) / 10**9)
    size = replace(SIZE, input_tokens=sent)
    try:
        limit = call_limit(option(), size, left, OWN)
    except BudgetExceeded as refused:
        limit = call_limit(option(), size, left.raised_by(refused.missing), OWN)
        left = left.raised_by(refused.missing)
    assert left.covers(limit)
    assert limit.tokens >= sent + size.output_least
    assert limit.cost_nano_usd == OWN.worst("own", sent, limit.tokens - sent)


def test_an_unknown_price_matters_only_where_money_is_limited():
    nobody_knows = replace(SIZE, model="nobody-knows")
    assert call_limit(option(), nobody_knows, Budget(max_tokens=5_000), FREE).cost_nano_usd == 0
    with pytest.raises(PriceUnknown):
        call_limit(option(), nobody_knows, Budget(max_cost_usd=1), FREE)
    agent = option(calls=0, executor=AGENT)
    limit = agent_limit(agent, agent.estimate, Budget(), "nobody-knows", FREE)
    assert limit == Spend(1_800, 0, 0, 3)
    with pytest.raises(PriceUnknown):
        agent_limit(agent, agent.estimate, Budget(max_cost_usd=1), "nobody-knows", FREE)


def test_what_no_model_does_gets_what_it_declares_or_came_to():
    mine = option(executor="mine")
    ample = Budget(max_tokens=1_000, max_latency_ms=1_000)
    assert declared_limit(mine, Spend(300, 0, 900, 1), ample) == Spend(600, 0, 0, 1)
    assert declared_limit(mine, Spend(700, 0, 950, 1), ample) == Spend(700, 0, 0, 1)
    with pytest.raises(BudgetExceeded, match=r"^x \(LLM\) does not fit.*200 tokens short"):
        declared_limit(mine, Spend(1_200, 0, 950, 1), ample)


def test_local_code_reserves_nothing_but_needs_its_time():
    local = option(executor="local")
    assert declared_limit(local, local.estimate, Budget(max_tokens=0)) == Spend()
    assert least_needed(local, local.estimate) == Spend(latency_ms=900)
    with pytest.raises(BudgetExceeded, match="1 ms short"):
        declared_limit(local, local.estimate, Budget(max_latency_ms=899))


def test_an_agent_gets_several_times_what_is_expected_of_it_in_tokens_and_calls():
    agent = option(calls=4, executor=AGENT)
    limit = agent_limit(agent, agent.estimate, Budget(max_tokens=5_000), "own", OWN)
    assert limit == Spend(1_800, OWN.worst_quote("own", 1_800), 0, 12)
    tight = Budget(max_tokens=700, max_tool_calls=5)
    assert agent_limit(agent, agent.estimate, tight, "own", FREE) == Spend(700, 0, 0, 5)
    learned = replace(agent.estimate, tokens=900, tool_calls=2)
    assert agent_limit(agent, learned, Budget(), "own", FREE) == Spend(2_700, 0, 0, 6)
    little_money = Budget(max_cost_usd=Decimal(OWN.worst_quote("own", 650)) / 10**9)
    assert agent_limit(agent, agent.estimate, little_money, "own", OWN).tokens == 650
    for left, short in [
        (Budget(max_tokens=599), "1 token short"),
        (Budget(max_tool_calls=3), "1 call short"),
        (Budget(max_latency_ms=899), "1 ms short"),
    ]:
        with pytest.raises(BudgetExceeded, match=short):
            agent_limit(agent, agent.estimate, left, "own", FREE)


@pytest.mark.parametrize(
    ("given", "left", "most"),
    [
        ({"max_tokens": 60_000}, {"max_tokens": 59_000}, (20_000, 12)),
        ({"max_tokens": 60_000}, {"max_tokens": 9_000}, (9_000, 12)),
        ({"max_tokens": 60_000, "max_tool_calls": 60}, {"max_tool_calls": 50}, (20_000, 20)),
        ({"max_cost_usd": Decimal("0.12")}, {"max_cost_usd": Decimal("0.1")}, (10_000, 12)),
        ({"max_tool_calls": 30}, {}, (1_800, 12)),
        ({"max_tool_calls": 30}, {"max_tokens": 60_000}, (1_800, 12)),  # shared
    ],
)
def test_an_agent_may_take_a_third_of_what_its_run_was_given(given, left, most):
    agent, prices = option(calls=4, executor=AGENT), PriceList({"own": TokenPrice(4, 4)})
    own, now = Budget(**given), Budget(**left)
    limit = agent_limit(agent, agent.estimate, now, "own", prices, given=own)
    assert (limit.tokens, limit.tool_calls) == most


def test_a_call_that_may_search_holds_all_that_it_reads_again_and_every_fee():
    searching = replace(SIZE, uses=SEARCHES)
    limit = call_limit(option(), searching, Budget(max_cost_usd=1), OWN)
    written = OUTPUT_HEADROOM * 450
    read = 3 * 150 + 2 * written + 100 + 2 * 100
    assert limit.tokens == read + written
    assert limit.cost_nano_usd == OWN.worst("own", read, written) + 2 * 10_000_000


@pytest.mark.parametrize("budget", [Budget(max_tokens=4_001), Budget(max_cost_usd=0.026)])
def test_its_answer_is_as_long_as_fits_beside_them(budget):
    searching = replace(SIZE, uses=SEARCHES)
    limit = call_limit(option(), searching, budget, OWN)
    assert budget.covers(limit)
    # With each token of its answer it reads two.
    assert not budget.covers(limit + Spend(3, 2 * 1_000 + 4_000))
    assert LEAST < SEARCHES.cap_within(limit.tokens, 150) < OUTPUT_HEADROOM * 450


def test_where_no_price_is_needed_no_fee_is_held():
    searching = replace(SIZE, uses=SEARCHES)
    assert call_limit(option(), searching, Budget(), PriceList({})).cost_nano_usd == 0
    held = agent_limit(option(), Spend(900, 0, 0, 2), Budget(), "own", PriceList({}), 10**7)
    assert held.cost_nano_usd == 0


def test_an_agent_may_pay_a_fee_in_each_of_its_calls():
    expected, fee = Spend(900, 0, 0, 2), 10_000_000
    given = option(600, 2, AGENT), expected
    least = OWN.worst_quote("own", 900) + 2 * fee
    roomy = agent_limit(*given, Budget(max_cost_usd=Decimal("0.2")), "own", OWN, fee)
    assert roomy.tokens == 2_700
    assert roomy.cost_nano_usd == OWN.worst_quote("own", 2_700) + 6 * fee
    tight = agent_limit(*given, Budget(max_cost_usd=least / 10**9), "own", OWN, fee)
    assert (tight.tokens, tight.cost_nano_usd) == (900, least)
    with pytest.raises(BudgetExceeded):
        agent_limit(*given, Budget(max_cost_usd=(least - 10) / 10**9), "own", OWN, fee)
