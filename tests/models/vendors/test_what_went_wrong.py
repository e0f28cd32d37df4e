"""Each cell of the table "what went wrong, what is charged", for each vendor."""

from contextlib import suppress

import pytest

from tests.harness.llm_server import Answer, ErrorStatus, TooManyRequests
from tests.long_cases import long_but
from tests.models.conftest import ACCOUNT, entries
from tests.models.vendors.vendor_case import ALL, BILL, NOTHING
from tests.models.vendors.what_went_wrong import WRONG
from tests.models.ways import TWO_WAYS, WAYS
from thrifty import Budget, BudgetExceeded, ModelUnavailable, metered

STATUS = {NOTHING: "released", ALL: "in_doubt", BILL: "settled"}


@pytest.mark.parametrize("way", TWO_WAYS)
@pytest.mark.parametrize("case", WRONG)
def test_what_goes_wrong_is_charged_as_the_table_says(make, server, ledger, vendor, case, way):
    wrong = WRONG[case]
    if wrong.script is not None:
        server.script(wrong.script())
    budget = Budget(**{"max_tokens": 700, **wrong.limits})
    model = make(budget, wrong.options(vendor), attempts_max=1)
    # Some of it is an answer all the same, and some is for a stream alone.
    with suppress(ModelUnavailable):
        WAYS[way](model, wrong.text)
    (entry,) = entries(ledger)
    if wrong.limits and not server.requests:  # on a busy machine, time is up before it has left
        assert entry.status == "released"
        return
    expected = vendor.charged.get(case, wrong.charged)
    charged = {NOTHING: 0, ALL: entry.reserved.tokens, BILL: server.bill.total_tokens}
    assert entry.status == STATUS[expected]
    assert entry.charged.tokens == charged[expected] >= server.bill.total_tokens
    assert entry.is_overrun == (entry.charged.tokens > 700)
    assert len(server.requests) == (wrong.script is not None or expected == BILL)


def test_an_answer_beyond_its_cap_is_an_overrun_and_ends_it(make, server, ledger):
    server.script(WRONG["an answer beyond its cap"].script())
    model = make(Budget(max_tokens=700))
    model.invoke("Hi")
    (entry,) = entries(ledger)
    assert entry.is_overrun
    with pytest.raises(BudgetExceeded):
        model.invoke("Hi again")


@pytest.mark.parametrize("status", long_but((403, 404, 413, 422), 404))
@pytest.mark.parametrize("way", TWO_WAYS)
def test_a_refusal_of_any_kind_is_free(make, server, ledger, status, way):
    server.script(ErrorStatus(status=status, message="No."))
    with pytest.raises(ModelUnavailable, match=r'refused.*"No\."'):
        WAYS[way](make(), "Hi")
    assert {entry.status for entry in entries(ledger)} == {"released"}
    assert len(server.requests) == 1


AT_ONCE_AGAIN = {"headers": {"retry-after-ms": "1"}, "times": None}


@pytest.mark.parametrize("way", TWO_WAYS)
@pytest.mark.parametrize("status", [429, 500])
def test_each_attempt_is_one_request_on_the_bill(make, server, ledger, vendor, status, way):
    server.script(ErrorStatus(status=status, **AT_ONCE_AGAIN))
    model = make(Budget(max_tokens=9_000), vendor.own_retries, max_output_tokens=200)
    with pytest.raises(ModelUnavailable):
        WAYS[way](model, "Hi")
    assert len(server.requests) == 2
    # What was turned away has freed its key, which the next attempt takes.
    charged = {429: ["released"], 500: ["in_doubt", "in_doubt"]}
    assert [entry.status for entry in entries(ledger)] == charged[status]


def test_the_client_of_a_model_that_was_used_is_not_taken_over(server, ledger, vendor):
    ledger.open(ACCOUNT, Budget(max_tokens=9_000))
    model = vendor.at(server, vendor.own_retries)
    for way in TWO_WAYS:
        WAYS[way](model, "Hi")
    server.script(ErrorStatus(status=500, **AT_ONCE_AGAIN))
    given = metered(model, ledger, ACCOUNT, **{**vendor.terms, "max_output_tokens": 200})
    with pytest.raises(ModelUnavailable):
        given.invoke("Hi")
    assert len(server.requests) == 2 + 2


def test_a_wait_that_the_server_asks_for_is_kept(make, server, ledger):
    server.script(TooManyRequests(retry_after_ms=1), Answer("Tea."))
    assert make().invoke("Tea or coffee?").text == "Tea."
    assert ledger.balance(ACCOUNT).spent.tokens == server.bill.total_tokens
