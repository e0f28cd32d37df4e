"""Tools that run at a provider, and models that search: within what was declared, and paid so."""

from dataclasses import dataclass, replace

import pytest
from langchain_core.messages import AIMessage

from tests.harness.llm_server import Answer, Behaviour, MissingUsage, ServerError
from tests.models.conftest import ACCOUNT, claude, entries
from tests.models.ways import EVERY_WAY, WAYS
from thrifty import (
    Budget,
    BudgetExceeded,
    InvalidInput,
    ModelUnavailable,
    Spend,
    TokenPrice,
    UseFee,
    metered,
)
from thrifty.models.costs.hosted_uses import HostedUses, check_fees, uses_sent_again
from thrifty.models.costs.read_uses import kind_used, read_uses

FEE = 10_000_000
"""A cent, in nano-USD."""
FEES = {"web_search": UseFee(0.01, uses_max=3, tokens_max=2_000)}
PRICES = {"own": TokenPrice(1, 5)}
LIMITED = Budget(max_tokens=60_000, max_cost_usd=0.2)
SEARCH = {"type": "web_search"}
CLAUDES_SEARCH = {"type": "web_search_20250305", "name": "web_search"}
VENDORS = ["responses", "messages"]


@pytest.fixture
def make_searching(server, ledger, make):
    """Makes a metered model that may search, of either vendor."""

    def make_searching(vendor, budget=LIMITED, tool=None, options=None, **terms):
        terms = {"fees": FEES, "prices": PRICES, "max_output_tokens": 200, **terms}
        if vendor == "messages":
            ledger.open(ACCOUNT, budget)
            model = metered(claude(server, "own", **(options or {})), ledger, ACCOUNT, **terms)
            return model.bind_tools([tool or CLAUDES_SEARCH])
        return make(budget, "responses", "own", options, **terms).bind_tools([tool or SEARCH])

    return make_searching


@pytest.mark.parametrize("way", EVERY_WAY)
@pytest.mark.parametrize("vendor", VENDORS)
def test_the_uses_that_an_answer_tells_of_are_paid(make_searching, server, ledger, vendor, way):
    server.script(Answer("Green.", searches=2, search_tokens=1_500))
    assert WAYS[way](make_searching(vendor), "Which tea?").text == "Green."
    (entry,), bill = entries(ledger), server.bill
    assert (bill.searches, entry.status, entry.is_overrun) == (2, "settled", False)
    assert entry.charged.tokens == bill.total_tokens > 4_500
    nano_usd = bill.input_tokens * 1_000 + bill.output_tokens * 5_000
    assert entry.charged.cost_nano_usd == nano_usd + 2 * FEE


@pytest.mark.parametrize("vendor", VENDORS)
def test_as_many_uses_as_were_declared_are_held_and_sent_along(
    make_searching, server, ledger, vendor
):
    """A model that searches on and on, each time finding as much as was declared."""
    server.script(Answer(tokens=900, searches=40, search_tokens=2_000, reasoning_tokens=50))
    make_searching(vendor).invoke("Which tea?")
    (entry,), bill = entries(ledger), server.bill
    assert (bill.searches, bill.output_tokens, entry.is_overrun) == (3, 200, False)
    assert entry.charged.tokens == bill.total_tokens
    assert entry.reserved.cost_nano_usd >= entry.charged.cost_nano_usd > 3 * FEE
    # Not much more is held than that came to.
    assert entry.reserved.tokens < 1.6 * bill.total_tokens


@pytest.mark.parametrize("place", ["call", "model"])
def test_an_extra_body_lets_no_more_uses_through(make_searching, server, place):
    server.script(Answer(searches=40))
    more = {"extra_body": {"max_tool_calls": 40, "user": "me"}}
    model = make_searching("responses", options=more if place == "model" else {})
    model.invoke("Which tea?", **(more if place == "call" else {}))
    assert server.bill.searches == server.requests[0].body["max_tool_calls"] == 3
    assert server.requests[0].body["user"] == "me"


@pytest.mark.parametrize("vendor", VENDORS)
def test_fewer_uses_that_the_caller_wants_are_left_so(make_searching, server, vendor):
    fewer = {**CLAUDES_SEARCH, "max_uses": 1} if vendor == "messages" else SEARCH
    terms = {} if vendor == "messages" else {"max_tool_calls": 1}
    server.script(Answer(searches=9))
    make_searching(vendor, tool=fewer).invoke("Which tea?", **terms)
    assert server.bill.searches == 1


def test_the_given_tool_is_left_as_it_is(make_searching, server):
    tool = dict(CLAUDES_SEARCH)
    make_searching("messages", tool=tool).invoke("Which tea?")
    assert tool == CLAUDES_SEARCH
    assert server.requests[0].body["tools"][0]["max_uses"] == 3


@pytest.mark.parametrize("vendor", VENDORS)
def test_what_does_not_fit_with_all_uses_is_not_sent(make_searching, server, ledger, vendor):
    for budget in (Budget(max_cost_usd=0.03), Budget(max_tokens=12_000)):
        with pytest.raises(BudgetExceeded):
            make_searching(vendor, budget).invoke("Which tea?")
    assert not server.requests
    assert ledger.balance(ACCOUNT).spent == Spend()


@pytest.mark.parametrize("budget", [Budget(max_tokens=20_000), Budget(max_cost_usd=0.06)])
@pytest.mark.parametrize("vendor", VENDORS)
def test_the_cap_is_what_is_left_beside_all_uses(make_searching, server, ledger, vendor, budget):
    server.script(Answer(tokens=9_000, searches=3, search_tokens=2_000))
    make_searching(vendor, budget, max_output_tokens=9_000).invoke("Which tea?")
    (entry,) = entries(ledger)
    assert 16 <= server.requests[0].output_cap < 9_000
    assert not entry.is_overrun
    assert budget.covers(entry.reserved)
    # One token more would not have fitted.
    assert not budget.covers(entry.reserved + Spend(5, 20_000))


@pytest.mark.parametrize("fault", [MissingUsage, ServerError])
def test_whose_uses_nobody_counts_all_are_paid(make_searching, server, ledger, fault):
    server.script(fault())
    try:
        make_searching("responses", attempts_max=1).invoke("Which tea?")
    except ModelUnavailable:
        assert fault is ServerError
    (entry,) = entries(ledger)
    assert (entry.status, entry.charged.cost_nano_usd) == (
        "in_doubt",
        entry.reserved.cost_nano_usd,
    )


@dataclass(frozen=True, kw_only=True)
class SearchesOn(Behaviour):
    """Searches as often as it likes."""

    def reply(self, request):
        return super().reply(replace(request, searches_max=99))


def test_more_uses_than_were_declared_are_paid_and_an_overrun(make_searching, server, ledger):
    server.script(SearchesOn(answer=Answer(searches=9, search_tokens=2_000)))
    make_searching("responses", Budget(max_cost_usd=5)).invoke("Which tea?")
    (entry,) = entries(ledger)
    assert server.bill.searches == 9
    assert entry.is_overrun
    assert entry.charged.cost_nano_usd >= 9 * FEE


@pytest.mark.parametrize("output_version", ["v0", "responses/v1", "v1"])
@pytest.mark.parametrize("way", ["invoke", "stream"])
def test_uses_are_seen_in_every_form_of_an_answer(
    make_searching, server, ledger, output_version, way
):
    server.script(Answer("Green.", searches=2, search_tokens=9))
    options = {"output_version": output_version}
    model = make_searching("responses", options=options)
    answer = WAYS[way](model, "Which tea?")
    tokens = server.bill.input_tokens * 1_000 + server.bill.output_tokens * 5_000
    assert entries(ledger)[0].charged.cost_nano_usd == tokens + 2 * FEE
    # What was found may be read again with the answer that it was found for.
    server.script(Answer("Black.", searches=0))
    model.invoke([("user", "Which tea?"), answer, ("user", "Why?")])
    sent = [item.get("type") for item in server.requests[1].body["input"]]
    assert sent.count("web_search_call") == 2
    assert not any(entry.is_overrun for entry in entries(ledger))


def test_a_model_that_searches_by_itself_tells_of_no_use_and_pays_all(make, server, ledger):
    name = "gpt-4o-search-preview"
    with pytest.raises(InvalidInput, match="declare it"):
        make(LIMITED, "chat", name).invoke("Which tea?")
    fees = {"web_search": UseFee(0.025, uses_max=1, tokens_max=0)}
    make(LIMITED, "chat", name, fees=fees, prices={name: TokenPrice(1, 5)}).invoke("Which tea?")
    (refused, entry), bill = entries(ledger), server.bill
    assert refused.status == "released"
    nano_usd = bill.input_tokens * 1_000 + bill.output_tokens * 5_000
    assert entry.charged.cost_nano_usd == nano_usd + 25_000_000
    assert not entry.is_overrun


@pytest.mark.parametrize(
    ("vendor", "tool"),
    [
        ("responses", {"type": "image_generation"}),
        ("responses", {"type": "file_search", "vector_store_ids": ["vs_1"]}),
        ("messages", {"type": "code_execution_20250825", "name": "code_execution"}),
    ],
)
def test_what_was_not_declared_is_refused_still(make_searching, server, vendor, tool):
    with pytest.raises(InvalidInput, match="runs"):
        make_searching(vendor, tool=tool).invoke("Which tea?")
    assert not server.requests


EXAMPLE = 'as in {"web_search": UseFee(0.01, uses_max=3, tokens_max=20_000)}'
KINDS = "code_interpreter, file_search, web_fetch, web_search"


@pytest.mark.parametrize(
    ("fees", "told"),
    [
        (
            {"image_generation": FEES["web_search"]},
            f"fees: got 'image_generation'; use one of: {KINDS}",
        ),
        ({"web_search": 0.01}, f"fees.web_search: got 0.01; use a UseFee, {EXAMPLE}"),
        (["web_search"], f"fees: got ['web_search']; use a Mapping, {EXAMPLE}"),
    ],
)
def test_fees_that_cannot_be_are_refused(fees, told):
    with pytest.raises(InvalidInput) as refused:
        check_fees(fees)
    assert str(refused.value) == told


USD, WHOLE = "use dollars for each use, 0 to 1000", "use a whole number from"


@pytest.mark.parametrize(
    ("field", "value", "remedy"),
    [
        *[("usd", value, USD) for value in (-1, "0.01", 1_001)],
        *[("uses_max", value, f"{WHOLE} 1 to 1,000") for value in (0, 1.5, 1_001)],
        *[("tokens_max", value, f"{WHOLE} 0 to 10,000,000") for value in (-1, 10_000_001)],
    ],
)
def test_a_fee_that_cannot_be_is_refused(field, value, remedy):
    with pytest.raises(InvalidInput) as refused:
        UseFee(**{"usd": 0.01, "uses_max": 3, "tokens_max": 10, field: value})
    assert str(refused.value) == f"{field}: got {value!r}; {remedy}"


def test_fees_of_several_tools_are_each_the_dearest_where_one_limit_holds_all():
    fees = {
        "web_search": UseFee(0.01, uses_max=2, tokens_max=500),
        "code_interpreter": UseFee(0.03, uses_max=1, tokens_max=900),
    }
    tools = {"tools": [{"type": "web_search"}, {"type": "code_interpreter"}]}
    uses = HostedUses.of(tools, fees, are_told=True)
    assert (uses.most, uses.fees_nano_usd_max) == (3, 90_000_000)
    # Four passes over 10, with 900 more after each use, and three over the 7 that were written.
    assert uses.input_tokens(10, 7) == 40 + 900 * (1 + 2 + 3) + 21
    assert uses.cap_within(uses.input_tokens(10, 7) + 7, 10) == 7
    assert uses.cap_within(uses.input_tokens(10, 7) + 6, 10) == 6
    assert uses.fees_nano_usd({"web_search": 1, "code_interpreter": 1}) == 40_000_000
    assert uses.fees_nano_usd({"code_interpreter": 1}) == 30_000_000
    assert uses.fees_nano_usd(None) == 90_000_000


def test_a_count_that_makes_no_sense_is_passed_over():
    odd = AIMessage(
        "", response_metadata={"usage": {"server_tool_use": {"web_search_requests": "9"}}}
    )
    assert not sum(read_uses(odd).values())
    assert not read_uses(AIMessage(["text"], response_metadata={"usage": 5}))


def test_uses_are_the_more_of_what_is_counted_and_what_is_seen():
    use = {"type": "server_tool_use", "name": "web_search"}
    other = {"type": "server_tool_use", "name": "bash"}
    counted = {"server_tool_use": {"web_search_requests": 3, "web_fetch_requests": 2}}
    message = AIMessage([use, other, "text"], response_metadata={"usage": counted})
    assert read_uses(message) == {"web_search": 3, "web_fetch": 2}
    seen = AIMessage([use, {"type": "file_search_call"}, {"type": "function_call"}])
    assert read_uses(seen) == {"web_search": 1, "file_search": 1}
    older = AIMessage("", additional_kwargs={"tool_outputs": [{"type": "web_search_call"}]})
    assert read_uses(older) == {"web_search": 1}
    assert kind_used("text") == kind_used({"text": "web_search"}) == ""


def test_uses_among_the_messages_may_be_read_again():
    sent = {"input": [{"type": "web_search_call"}, {"role": "user", "content": "So?"}]}
    assert list(uses_sent_again(sent, FEES)) == [FEES["web_search"]]
    assert not list(uses_sent_again(sent, {}))
    assert HostedUses().fees_nano_usd(None) == 0
