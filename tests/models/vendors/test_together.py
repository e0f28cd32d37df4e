"""Many who ask one vendor on one account at once."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from tests.harness.llm_server import Answer
from tests.models.conftest import ACCOUNT
from thrifty import Budget, BudgetExceeded

ANSWERS = 32


@pytest.mark.parametrize("callers", [1, 8])
def test_it_is_never_over_however_many_ask(make, server, ledger, vendor, callers):
    limit = vendor.prices.output * 250 * ANSWERS
    budget = Budget(max_tokens=12_000, max_cost_usd=limit / 10**9)
    model = make(budget, patience_ms=30_000, max_output_tokens=300)

    def ask_on(number: int) -> None:
        with suppress(BudgetExceeded):
            for turn in range(100):
                model.invoke(f"Question {turn} of caller {number}.")

    server.default = Answer(tokens=250)
    with ThreadPoolExecutor(callers) as pool:
        list(pool.map(ask_on, range(callers)))
    spent = ledger.balance(ACCOUNT).spent
    assert spent.tokens == server.bill.total_tokens
    assert spent.cost_nano_usd == vendor.prices.cost(server.bill)
    assert budget.covers(spent)
    assert spent.cost_nano_usd > 0.95 * limit or spent.tokens > 0.95 * 12_000
