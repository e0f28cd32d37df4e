"""The account of a run: of which parts it is made, and that two runs never have the same."""

from itertools import product
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from thrifty import InvalidInput
from thrifty.ledger.act_input import ACCOUNT_LENGTH_MAX
from thrifty.run.identity import local_account, node_places, outside_places, run_account


def run(name="", number=1) -> Any:
    return {"name": name, "number": number, "task": "t", "budget": {}}


def config(user="", thread="", place="") -> Any:
    known = {"thread_id": thread, "checkpoint_ns": place}
    return {"configurable": known | ({"langgraph_auth_user_id": user} if user else {})}


def test_it_says_who_what_and_where_and_each_part_is_escaped():
    where = config("ann@x.org", "2f1c", "writer:7|plan:8")
    assert run_account(run(number=3), where, "user:ann") == (
        "run:user=ann%40x.org/account=user%3Aann/thread=2f1c/in=writer%3A7/run=3"
    )
    assert run_account(run("a/b=c"), where, "") == (
        "run:user=ann%40x.org/thread=2f1c/in=writer/named=a%2Fb%3Dc"
    )


def test_without_a_user_it_is_local():
    assert run_account(run(), config("", "t", "plan:8"), "") == "run:local/thread=t/run=1"
    for common in ("", "user:ann"):
        assert run_account(run(), config("", "t", "plan:8"), common) == local_account("t", common)
    assert run_account(run("x"), {}, "") == "run:local/named=x"


def test_from_outside_and_from_within_it_is_the_same():
    within, outside = config("", "t", "writer:7|plan:8"), config("", "t", "writer:7")
    assert node_places(within) == outside_places(outside) == ("writer:7",)
    assert run_account(run(), within, "") == run_account(
        run(), outside, "", outside_places(outside)
    )


TRICKY = ("a", "a/b", "a=b", "run=1", "local", "a/thread=t", "%2F", "ä", "\ud800", "")
parts = st.text(max_size=400) | st.sampled_from(TRICKY)
identities = st.tuples(parts, parts, parts, st.integers(1, 3), parts.map(lambda name: name[:100]))


@given(identities, identities)
@example(("", "local", "", 1, ""), ("local", "", "", 1, ""))
@example(("", "", "t/run=1", 1, ""), ("", "", "t", 1, ""))
@example(("", "", "t", 1, ""), ("", "", "t", 1, "1"))
def test_other_parts_make_another_account(one, other):
    def account(parts):
        user, common, thread, number, name = parts
        return run_account(run(name, number), config(user, thread), common)

    def known(parts):
        *rest, number, name = parts
        return (*rest, name or number, bool(name))

    assert (account(one) == account(other)) == (known(one) == known(other))
    assert account(one).startswith("run:")
    assert account(one).isascii()
    assert len(account(one)) <= ACCOUNT_LENGTH_MAX


def test_no_part_reaches_into_another():
    accounts = {
        run_account(run(name), config(user, thread), common)
        for user, common, thread, name in product(TRICKY, repeat=4)
    }
    assert len(accounts) == len(TRICKY) ** 4


@pytest.mark.parametrize(
    ("odd", "told"),
    [
        ({"number": 0}, r"run.number: got 0"),
        ({"number": "1/../2"}, r"run.number: got '1/../2'"),
        ({"number": True}, r"run.number: got True"),
        ({"name": None}, r"run.name: got None"),
        ({"name": "x" * 101}, r"run.name: .*at most 100 characters"),
    ],
)
def test_a_state_that_calls_a_run_by_no_name_is_refused(odd, told):
    with pytest.raises(InvalidInput, match=told):
        run_account({**run(), **odd}, config("ann", "t"), "")
