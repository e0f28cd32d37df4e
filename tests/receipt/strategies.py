"""Random receipts."""

from typing import get_args

from hypothesis import strategies as st

from tests.budget import strategies
from thrifty.receipt.receipt_data import Receipt, ReceiptLine, ReceiptLineStatus


def lines(texts: st.SearchStrategy[str]) -> st.SearchStrategy[ReceiptLine]:
    """Lines with such texts in every place that comes from outside."""
    return strategies.timed(
        st.builds(
            ReceiptLine,
            label=texts,
            executor=texts,
            status=st.sampled_from(get_args(ReceiptLineStatus)),
            planned=st.none() | strategies.spends,
            actual=strategies.spends,
            value=strategies.values,
            reason=texts,
        )
    )


def receipts(texts: st.SearchStrategy[str]) -> st.SearchStrategy[Receipt]:
    """As `lines`."""
    return st.builds(
        Receipt,
        run_id=texts,
        task=texts,
        status=st.sampled_from(["done", "halted"]),
        halt_reason=st.just("") | texts,
        budget=strategies.budgets,
        spent=strategies.spends,
        planned=strategies.spends,
        bound_by=st.lists(st.sampled_from(["tokens", "cost"]) | texts, unique=True).map(tuple),
        bound_by_accounts=st.lists(texts, max_size=2).map(tuple),
        lines=st.lists(lines(texts), max_size=4).map(tuple),
        decisions=st.lists(strategies.decisions(texts), max_size=4).map(tuple),
        best=st.none() | strategies.values,
        repeated=strategies.values,
    )
