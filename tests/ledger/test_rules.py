"""The rules of the ledger by themselves: resource by resource, to the last unit."""

import pytest

from thrifty.budget import LedgerUnavailable, Spend
from thrifty.ledger import rules
from thrifty.ledger.protocol import Entry
from thrifty.ledger.rules import ZERO_AMOUNTS, StoredAccount

MOST = 10**15
PLACES = {"tokens": 0, "cost": 1, "tool_calls": 3}
"""Where the resources that a ledger limits stand among the four."""


def account(
    limits=(None,) * 4, spent=ZERO_AMOUNTS, reserved=ZERO_AMOUNTS, over=ZERO_AMOUNTS
) -> StoredAccount:
    return StoredAccount("run", "", limits, spent, reserved, over)


def at(place: int, amount, others=0) -> tuple:
    return tuple(amount if i == place else others for i in range(4))


def test_amounts_are_added_and_taken_away_each_for_itself():
    a, b, c = (1, 20, 300, 4_000), (5, 6, 7, 8), (1, 2, 3, 4)
    assert rules.add_amounts(a, b) == (6, 26, 307, 4_008)
    assert rules.replace_term(a, c, b) == (5, 24, 304, 4_004)
    assert rules.excess_amounts(a, b) == (0, 14, 293, 3_992)
    assert rules.excess_amounts(b, a) == (4, 0, 0, 0)
    assert rules.excess_amounts((7, 3, 3, 6), (0, 11, 12, 0)) == (7, 0, 0, 6)


@pytest.mark.parametrize(("name", "place"), PLACES.items(), ids=PLACES)
def test_what_is_missing_is_what_passes_the_limit(name, place):
    """Spent, reserved and the worst case together; without a limit, the largest amount limits."""
    limited = account(at(place, 100, None), at(place, 30), at(place, 20))
    assert rules.shortfall(limited, at(place, 50)) == {}
    assert rules.shortfall(limited, at(place, 57)) == {name: 7}
    endless = account(spent=at(place, 30), reserved=at(place, 20))
    assert rules.shortfall(endless, at(place, MOST - 50)) == {}
    assert rules.shortfall(endless, at(place, MOST)) == {name: 50}
    assert rules.shortfall(account(at(place, 0, None)), ZERO_AMOUNTS) == {}


def test_all_that_is_missing_is_told():
    poor = account((1, 1, 1, 1))
    assert rules.shortfall(poor, (2, 3, 4, 5)) == {"tokens": 1, "cost": 2, "tool_calls": 4}


def test_time_is_never_missing():
    assert rules.shortfall(account((None, None, 5, None)), (0, 0, 9, 0)) == {}


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_what_an_account_is_over_is_stated_as_it_is(place):
    limits = at(place, 100, None)
    for spent, reserved, over in [(60, 40, 0), (60, 39, 0), (60, 41, 1), (130, 20, 50)]:
        stated = rules.with_current_over(account(limits, at(place, spent), at(place, reserved)))
        assert stated.over == at(place, over)
    settled = account(limits, at(place, 60), at(place, 40), over=at(place, 9))
    assert rules.with_current_over(settled).over == ZERO_AMOUNTS
    assert rules.with_current_over(account(spent=at(place, MOST))).over == ZERO_AMOUNTS
    right = account(limits, at(place, 130), over=at(place, 30))
    assert rules.with_current_over(right) is right


def test_an_account_is_never_over_in_time():
    assert (
        rules.with_current_over(account((None, None, 5, None), (0, 0, 9, 0))).over == ZERO_AMOUNTS
    )


@pytest.mark.parametrize("status", ["pending", "unsent"])
def test_an_open_call_holds_all_that_it_reserved(status):
    assert rules.held_amounts(Entry("k", "k", status, Spend(1, 2, 3, 4))) == (1, 2, 3, 4)


@pytest.mark.parametrize("status", ["settled", "released", "in_doubt", "returned"])
def test_what_is_closed_holds_nothing(status):
    assert rules.held_amounts(Entry("k", "k", status, Spend(1, 2, 3, 4))) == ZERO_AMOUNTS


def test_a_grant_holds_what_is_not_yet_charged():
    grant = Entry("sub", "sub", "granted", Spend(9, 9, 9, 9), Spend(2, 10, 9, 0))
    assert rules.held_amounts(grant) == (7, 0, 0, 9)


def test_a_grant_grows_only_where_it_grows():
    """What its parent is over in something else is no hindrance."""
    parent = account((100, 100, None, 100), (90, 150, 0, 0), over=(0, 50, 0, 0))
    before = Entry("sub", "sub", "granted", Spend(10, 10, 0, 10))
    shifted = before._replace(reserved=Spend(20, 5))
    assert rules.growth(before, shifted) == (10, 0, 0, 0)
    assert rules.growth_shortfall(parent, rules.growth(before, shifted)) == {}
    grown = before._replace(reserved=Spend(25, 11, 7, 10))
    assert rules.growth_shortfall(parent, rules.growth(before, grown)) == {"tokens": 5, "cost": 51}
    assert rules.growth_shortfall(parent, ZERO_AMOUNTS) == {}


def test_an_account_with_a_new_entry_holds_that_too():
    before = account((9, 9, 9, 9), (1, 1, 1, 1), (1, 2, 3, 4), (5, 0, 0, 0))
    after = rules.with_reservation(before, Entry("k", "k", "pending", Spend(4, 3, 2, 1)))
    assert after == before._replace(reserved=(5, 5, 5, 5))


def test_an_account_follows_what_becomes_of_an_entry():
    pending = Entry("k", "k", "pending", Spend(5, 6, 7, 8))
    settled = pending._replace(status="settled", charged=Spend(9, 1, 2, 3))
    before = account((12, 99, 99, 99), (4, 4, 4, 4), (10, 10, 10, 10))
    after = rules.with_changed_entry(before, pending, settled)
    assert (after.spent, after.reserved) == ((13, 5, 6, 7), (5, 4, 3, 2))
    assert after.over == (6, 0, 0, 0)
    assert after[:3] == before[:3]
    back = rules.with_changed_entry(after, settled, pending)
    assert (back.spent, back.reserved) == (before.spent, before.reserved)


@pytest.mark.parametrize(
    ("limit", "spent", "reserved", "share"),
    [(10, 3, 0, 10), (10, 3, 5, 10), (10, 8, 5, 13), (None, 3, 5, 3), (2, 8, 0, 2), (2, 8, 1, 9)],
)
def test_a_parent_holds_a_share_and_what_is_under_way_in_it(limit, spent, reserved, share):
    child = account((limit,) * 4, (spent,) * 4, (reserved,) * 4)
    assert rules.share_of(child) == Spend(share, share, share, share)
    grant = Entry("sub", "sub", "granted", Spend(1, 1, 1, 1))
    stood = rules.with_child(grant, child)
    assert (stood.reserved, stood.charged) == (rules.share_of(child), Spend(*child.spent))
    returned = rules.with_child(grant._replace(status="returned"), child)
    assert (returned.reserved, returned.charged) == (grant.reserved, Spend(*child.spent))


def test_an_account_that_is_shut_has_its_limits_at_what_is_spent():
    shut = rules.with_limits_at_spent(account((10, None, 50, 2), (4, 5, 6, 7), over=(0, 0, 0, 5)))
    assert shut.limits == (4, 5, 50, 2)
    assert shut.over == (0, 0, 0, 5)
    assert rules.shortfall(shut, (0, 1, 0, 0)) == {"cost": 1, "tool_calls": 5}


def test_a_sum_beyond_the_largest_amount_is_shown_as_that():
    assert rules.as_spend((MOST, MOST + 1, 0, 2**70)) == Spend(MOST, MOST, 0, MOST)


def test_counters_that_are_not_the_sums_of_the_entries_are_refused():
    entries = [
        Entry("k", "k", "settled", Spend(9, 9, 9, 9), Spend(1, 2, 3, 4)),
        Entry("l", "l", "pending", Spend(5, 6, 7, 8)),
    ]
    rules.check_sums(account(spent=(1, 2, 3, 4), reserved=(5, 6, 7, 8)), iter(entries))
    told = "^the entries of account 'run' do not add up to its counters; restore the ledger from a"
    for wrong in (account(spent=(1, 2, 3, 4)), account(reserved=(5, 6, 7, 8))):
        with pytest.raises(LedgerUnavailable, match=rf"{told} backup$"):
            rules.check_sums(wrong, entries)


def test_what_nobody_knows_costs_all_but_the_time_that_is_known():
    entry = Entry("k", "k", "pending", Spend(5, 6, 7, 8))
    assert rules.full_charge(entry) == Spend(5, 6, 0, 8)
    assert rules.full_charge(entry, 9) == Spend(5, 6, 9, 8)
    assert rules.close_abandoned(entry) == entry._replace(
        status="in_doubt", charged=Spend(5, 6, 0, 8)
    )
    unsent = entry._replace(status="unsent", fingerprint="aa", run="one")
    assert rules.close_abandoned(unsent) == unsent._replace(status="released")


def test_what_an_entry_charges_more_than_it_had_is_an_overrun():
    """Time is none."""
    for place, is_overrun in enumerate([True, True, False, True]):
        entry = Entry("k", "k", "settled", Spend(5, 5, 5, 5), Spend(*at(place, 6, 5)))
        assert entry.is_overrun == is_overrun
    assert not Entry("k", "k", "settled", Spend(5, 5, 5, 5), Spend(5, 5, 5, 5)).is_overrun
