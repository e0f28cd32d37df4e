"""A lazy sequence is the tuple it makes, made once and not before it is read."""

import copy
import operator
import pickle

import pytest

from thrifty.budget import Plan
from thrifty.budget.lazy import LazySequence
from thrifty.budget.plan import LeftOut

ONES = (LeftOut("a", "A", "too dear"), LeftOut("b", "B", "too late"))


def lazy() -> LazySequence[LeftOut]:
    return LazySequence(lambda: ONES)


def test_members_are_made_when_read_and_once():
    calls = []
    made = LazySequence(lambda: calls.append(1) or ONES)
    assert not calls
    assert (made[0], made[-1], made[:1], len(made), list(made)) == (
        ONES[0],
        ONES[1],
        ONES[:1],
        2,
        [*ONES],
    )
    assert calls == [1]


def test_it_compares_hashes_and_shows_as_its_tuple():
    assert lazy() == ONES
    assert operator.eq(ONES, lazy())
    assert lazy() == lazy()
    assert lazy() != ONES[:1]
    assert lazy() != [*ONES]
    assert (hash(lazy()), repr(lazy())) == (hash(ONES), repr(ONES))


@pytest.mark.parametrize(
    "again", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))]
)
def test_a_copy_is_a_tuple(again):
    copied = again(lazy())
    assert copied == ONES
    assert type(copied) is tuple


def test_plans_are_equal_however_their_reasons_came():
    soon, later = (Plan("optimal", "exact", left_out=reasons) for reasons in (ONES, lazy()))
    assert soon == later
    assert hash(soon) == hash(later)
    assert Plan.from_state(later.to_state()) == soon
