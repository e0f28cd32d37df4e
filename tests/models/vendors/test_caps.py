"""An output cap is the smallest that anybody named, wherever a vendor lets it be named."""

import json

import pytest

from tests.long_cases import long_but
from tests.models.conftest import ACCOUNT
from tests.models.vendors.cases import ALWAYS, CASES, name
from thrifty import Budget, InvalidInput, PriceUnknown, Spend


def each(field):
    """Every vendor with each name in one of its tables."""
    named = [(case, name) for case in CASES for name in getattr(case, field)]
    return long_but(named, *(pair for pair in named if pair[0] in ALWAYS))


WITH_CAPS = pytest.mark.parametrize(("vendor", "source"), each("caps"), ids=name)


@WITH_CAPS
def test_a_smaller_cap_of_the_caller_is_respected(make, server, vendor, source):
    options, arguments = vendor.caps[source]
    model = make(options=options)
    model.invoke("Tell me all.", **arguments)
    assert list(model.stream("Tell me all.", **arguments))
    assert [request.output_cap for request in server.requests] == [50, 50]


@WITH_CAPS
def test_a_larger_cap_of_the_caller_is_not_sent(make, server, vendor, source):
    options, arguments = json.loads(json.dumps(vendor.caps[source]).replace("50", "5000"))
    make(Budget(max_tokens=500), options).invoke("Tell me all.", **arguments)
    assert server.requests[0].output_cap < 500


def test_a_model_that_can_say_only_so_much_is_asked_for_no_more(make, server, vendor):
    make(Budget(max_tokens=10_000_000)).invoke("Hi")
    make(Budget(max_tokens=10_000_000), {"model": "our-model"}).invoke("Hi")
    make(Budget(max_tokens=10_000_000), max_output_tokens=99).invoke("Hi")
    caps = [request.output_cap for request in server.requests]
    assert caps == [vendor.output_tokens_max, 4_096, 99]


@pytest.mark.parametrize(("vendor", "told"), each("unbounded"), ids=name)
def test_what_has_no_bound_is_refused(make, server, ledger, vendor, told):
    options, arguments = vendor.unbounded[told]
    with pytest.raises(InvalidInput, match=told):
        make(options=options).invoke("Hi", **arguments)
    assert not server.requests
    assert ledger.balance(ACCOUNT).reserved == Spend()


@pytest.mark.parametrize(("vendor", "told"), each("unpriced"), ids=name)
def test_what_has_no_price_is_refused_where_money_is_limited(make, server, vendor, told):
    options, arguments = vendor.unpriced[told]
    with pytest.raises(PriceUnknown, match=told):
        make(Budget(max_cost_usd=1), options).invoke("Hi", **arguments)
    assert not server.requests


def test_an_image_needs_a_bound_where_tokens_or_money_are_limited(make, server, ledger, vendor):
    with pytest.raises(InvalidInput, match="tokens_per_attachment"):
        make().invoke([vendor.image])
    with pytest.raises(InvalidInput, match="tokens_per_attachment"):
        make(Budget(max_cost_usd=1)).invoke([vendor.image])
    assert not server.requests
    assert ledger.balance(ACCOUNT).reserved == Spend()
    make(Budget(max_tokens=3_000), tokens_per_attachment=1_500).invoke([vendor.image])
    (request,) = server.requests
    assert request.input_tokens + request.output_cap <= 3_000
    assert request.output_cap > 1_000
    make(Budget(max_tool_calls=5)).invoke([vendor.image])
