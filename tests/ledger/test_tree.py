"""The contract of every ledger: accounts below accounts, whose limits are ceilings for all."""

import pytest

from tests.ledger.shorthand import CALL, USED, left, refused, used
from thrifty.budget import AccountClosed, Budget, BudgetExceeded, InvalidInput, Spend
from thrifty.ledger.owner import process_name
from thrifty.ledger.records import AccountInfo


def chain(ledger, *names):
    """Each account below the one before it."""
    for parent, name in zip((None, *names), names, strict=False):
        ledger.open(name, Budget(), parent=parent)


def family(ledger):
    """A user's run and another's, in a team: its limits are below theirs together."""
    ledger.open("team", Budget(max_tokens=1_000))
    for user in ("ann", "bob"):
        ledger.open(user, Budget(max_tokens=800), parent="team")
        ledger.open(f"{user}/run", Budget(max_tokens=700), parent=user)


def test_opening_an_account_sets_nothing_aside(ledger):
    ledger.open("team", Budget(max_tokens=4_000))
    for number in range(5):
        ledger.open(f"run {number}", Budget(max_tokens=2_000), parent="team")
    assert ledger.balance("team").reserved == Spend()
    assert left(ledger, "team")[0] == 4_000
    assert ledger.entries("team", below=True) == ()


def test_runs_that_could_spend_more_than_there_is_all_work(ledger):
    """Three runs of 2,000 on an account of 4,000: none of them needs all that it may spend."""
    ledger.open("team", Budget(max_tokens=4_000))
    for run in ("one", "two", "three"):
        assert ledger.open(run, Budget(max_tokens=2_000), parent="team").left.max_tokens == 2_000
    for run in ("one", "two", "three"):
        ledger.reserve(run, "k", "Outline", Spend(1_000))
        ledger.settle(run, "k", Spend(900))
    assert ledger.balance("team").spent == Spend(2_700)
    assert left(ledger, "one")[0] == 1_100
    ledger.reserve("one", "l", "Outline", Spend(1_100))
    assert left(ledger, "two")[0] == left(ledger, "team")[0] == 200


def test_a_call_counts_in_every_account_above(ledger):
    family(ledger)
    ledger.reserve("ann/run", "k", "Outline", CALL)
    path = {(name, "run"): (0, CALL.tokens) for name in ("ann/run", "ann", "team")}
    assert used(ledger, "ann/run") == path
    assert used(ledger, "bob")["bob", "run"] == (0, 0)
    ledger.settle("ann/run", "k", USED)
    assert used(ledger, "ann/run") == dict.fromkeys(path, (USED.tokens, 0))
    assert ledger.balance("team").spent == USED


def test_the_limit_of_an_account_above_refuses(ledger):
    """The error names whose limit it is: nearest first, and what is missing there."""
    family(ledger)
    ledger.reserve("bob/run", "k", "Outline", Spend(600))
    assert refused(ledger, "ann/run", 401) == ("team", "run", 1)
    assert refused(ledger, "ann", 801) == ("ann", "run", 1)
    assert refused(ledger, "ann/run", 801) == ("ann/run", "run", 101)
    assert refused(ledger, "bob/run", 300) == ("bob/run", "run", 200)
    ledger.reserve("ann/run", "k", "Outline", Spend(400))
    assert refused(ledger, "ann", 1) == ("team", "run", 1)


def test_a_refusal_tells_all_that_is_needed_to_go_on(ledger, clock):
    ledger.open("team", {"day": Budget(max_tokens=200, max_tool_calls=4)}, zone="Europe/Berlin")
    ledger.open("run", Budget(), parent="team")
    ledger.reserve("run", "before", "Outline", Spend(100, 0, 0, 3))
    with pytest.raises(BudgetExceeded) as refusal:
        ledger.reserve("run", "k", "Outline", Spend(130, 0, 0, 3))
    told = refusal.value
    assert (told.account, told.period, told.zone) == ("team", "day", "Europe/Berlin")
    assert told.missing == {"tokens": 30, "tool_calls": 2}
    assert told.resets_at_ms == clock.ms + 15 * 3_600_000  # it is 09:00 in Berlin
    assert "the day's budget of team is spent; it resets at 00:00 (Europe/Berlin)" in str(told)


def test_a_refusal_tells_whether_it_could_ever_fit(ledger):
    """Who asks for more than a whole day has does not wait for the next one."""
    ledger.open("team", {"day": Budget(max_tokens=100)})
    ledger.open("run", Budget(max_tokens=150), parent="team")
    ledger.reserve("run", "before", "Outline", Spend(60))
    for account, tokens, told in (
        ("run", 41, ("team", "day", False)),
        ("run", 90, ("team", "day", False)),
        ("team", 101, ("team", "day", True)),
        ("run", 91, ("run", "run", False)),
    ):
        with pytest.raises(BudgetExceeded) as refusal:
            ledger.reserve(account, "k", "Outline", Spend(tokens))
        error = refusal.value
        assert (error.account, error.period, error.is_beyond_window) == told


def test_a_refusal_of_a_run_resets_never(ledger):
    ledger.open("run", Budget(max_tokens=1))
    with pytest.raises(BudgetExceeded) as refusal:
        ledger.reserve("run", "k", "Outline", Spend(2))
    assert (refusal.value.account, refusal.value.period) == ("run", "run")
    assert refusal.value.resets_at_ms is None


def test_what_is_left_is_the_least_along_the_path(ledger):
    """Of each resource for itself."""
    ledger.open("org", {"month": Budget(max_tokens=900), "day": Budget(max_cost_usd=0.000001)})
    ledger.open("team", Budget(max_tokens=700, max_tool_calls=9), parent="org")
    ledger.open("run", Budget(max_tokens=800, max_cost_usd=1), parent="team")
    ledger.reserve("team", "k", "Outline", Spend(100, 300, 0, 2))
    assert left(ledger, "run") == (600, 700, 7)
    ledger.settle("team", "k", Spend(50, 200, 0, 1))
    assert left(ledger, "run") == (650, 800, 8)
    ledger.reserve("run", "k", "Outline", Spend(200))
    assert left(ledger, "run") == (450, 800, 8)
    assert ledger.balance("run").unspent == Budget(650, 0.0000008, None, 8)


def test_a_balance_shows_every_period_of_the_path(ledger):
    """Its own first, the run before others, then those of its parent, up to the root."""
    ledger.open("org", "$9 a month")
    ledger.open("team", "50k tokens, 1k tokens a minute, 2k tokens an hour", parent="org")
    balance = ledger.open("run", {"run": Budget(5), "day": Budget(4)}, parent="team")
    shown = [(each.account, each.period, each.budget) for each in balance.periods]
    assert shown == [
        ("run", "run", Budget(5)),
        ("run", "day", Budget(4)),
        ("team", "run", Budget(50_000)),
        ("team", "minute", Budget(1_000)),
        ("team", "hour", Budget(2_000)),
        ("org", "run", Budget()),
        ("org", "month", Budget(max_cost_usd=9)),
    ]
    assert (balance.budget, balance.spent, balance.reserved) == (Budget(5), Spend(), Spend())
    assert ledger.balance("run") == balance


def test_every_account_is_listed_as_it_was_opened(ledger):
    ledger.open("team", {"day": Budget(max_tokens=5)}, zone="Europe/Berlin")
    ledger.open("run", Budget(max_tokens=3, max_latency_ms=7), parent="team")
    ledger.close("run")
    assert ledger.accounts() == (
        AccountInfo("team", "", {"run": Budget(), "day": Budget(5)}, "Europe/Berlin", False),
        AccountInfo("run", "team", {"run": Budget(3, None, 7)}, "Europe/Berlin", True),
    )
    ledger.set_limits("team", "7 tokens an hour", zone="Asia/Tokyo")
    ledger.move("run", None)
    assert ledger.accounts() == (
        AccountInfo("team", "", {"run": Budget(), "hour": Budget(7)}, "Asia/Tokyo", False),
        AccountInfo("run", "", {"run": Budget(3, None, 7)}, "Europe/Berlin", True),
    )


def test_an_account_is_found_where_it_stands(ledger):
    """Whoever names no parent leaves it there; whoever names another has to move it."""
    family(ledger)
    assert ledger.open("ann", Budget(800)) == ledger.open("ann", Budget(800), parent="team")
    for account, parent, where in (
        ("ann", "bob", "'ann' stands under 'team'"),
        ("team", "ann", "'team' stands under no account"),
    ):
        with pytest.raises(InvalidInput, match=where) as refusal:
            ledger.open(account, Budget(1), parent=parent)
        assert (refusal.value.field, refusal.value.value) == ("parent", parent)
    assert ledger.balance("ann").budget == Budget(800)


def test_an_account_below_one_that_there_is_not_cannot_be_opened(ledger):
    for parent in ("nobody", "run"):
        with pytest.raises(KeyError) as refusal:
            ledger.open("run", Budget(), parent=parent)
        assert refusal.value.args == (parent,)
    assert ledger.accounts() == ()


def test_a_tree_is_eight_accounts_deep_and_no_deeper(ledger):
    chain(ledger, *"12345678")
    for act in (
        lambda: ledger.open("9", Budget(), parent="8"),
        lambda: ledger.grant("8", "9", Budget()),
    ):
        with pytest.raises(InvalidInput, match="at most 8 levels") as refusal:
            act()
        assert refusal.value.field == "parent"
    assert len(ledger.balance("8").periods) == len(ledger.accounts()) == 8
    ledger.reserve("8", "k", "Outline", CALL)
    ledger.settle("8", "k", USED)
    assert ledger.balance("1").spent == USED


@pytest.mark.parametrize(
    "act",
    [
        lambda ledger: ledger.open("user", {"day": "1 token"}, zone="Mars/Olympus"),
        lambda ledger: ledger.open("user", {"day": "1 token"}, zone=""),
        lambda ledger: ledger.set_limits("run", {"day": "1 token"}, zone="../etc/passwd"),
    ],
)
def test_a_zone_that_there_is_not_is_refused(ledger, act):
    ledger.open("run", Budget())
    with pytest.raises(InvalidInput) as refusal:
        act(ledger)
    assert refusal.value.field == "zone"
    assert [(each.name, each.zone) for each in ledger.accounts()] == [("run", "UTC")]


def test_an_entry_says_whose_it_is_and_what_for(ledger, clock):
    ledger.open("team", Budget())
    ledger.open("run", Budget(), parent="team")
    clock.ms += 123
    entry = ledger.reserve("run", "k", "Outline", CALL, tags={"step": "1", "model": "größe"})
    assert (entry.account, entry.owner, entry.at_ms) == ("run", process_name(), clock.ms)
    assert entry.tags == (("model", "größe"), ("step", "1"))
    clock.ms += 5
    settled = ledger.settle("run", "k", USED)
    assert settled == entry._replace(status="settled", charged=USED)
    assert ledger.entry("run", "k") == settled
    assert ledger.entries("team", below=True) == (settled,)


def test_tags_that_cannot_be_kept_are_refused(ledger):
    ledger.open("run", Budget())
    longest = {"n" * 200: "v" * 200}
    assert ledger.reserve("run", "k", "Outline", CALL, tags=longest).tags == tuple(longest.items())
    many = {str(number): "v" for number in range(21)}
    for tags, field in (
        (many, "tags"),
        ({"": "v"}, "tags"),
        ({"n" * 201: "v"}, "tags"),
        ({"model": ""}, "tags.model"),
        ({"model": "v" * 201}, "tags.model"),
        ({"model": "a\0"}, "tags.model"),
        ({"model": None}, "tags.model"),
    ):
        with pytest.raises(InvalidInput) as refusal:
            ledger.reserve("run", "l", "Outline", CALL, tags=tags)
        assert refusal.value.field == field
    assert len(ledger.entries("run")) == 1


def test_the_entries_below_an_account_can_be_read_with_its_own(ledger, clock):
    """In the order in which they were reserved, with those of accounts that moved away since."""
    family(ledger)
    order = ["bob", "team", "ann/run", "bob/run", "ann", "team"]
    for number, account in enumerate(order):
        ledger.reserve(account, f"k{number}", "Outline", Spend(10))
        clock.ms += 1
    read = ledger.entries("team", below=True)
    assert [(e.account, e.key) for e in read] == [(a, f"k{n}") for n, a in enumerate(order)]
    assert [e.key for e in ledger.entries("team")] == ["k1", "k5"]
    assert [e.key for e in ledger.entries("ann", below=True)] == ["k2", "k4"]
    ledger.move("ann", None)
    ledger.reserve("ann", "late", "Outline", Spend(10))
    assert ledger.entries("team", below=True) == read
    assert [e.key for e in ledger.entries("ann", below=True)] == ["k2", "k4", "late"]


def test_what_is_reserved_after_a_move_counts_in_the_new_place(ledger):
    """What was booked before stays where it was booked."""
    family(ledger)
    ledger.open("other", Budget(max_tokens=450))
    ledger.reserve("ann/run", "before", "Outline", Spend(300))
    ledger.move("ann", "other")
    assert ledger.balance("team").reserved == Spend(300)
    assert ledger.balance("other").reserved == Spend()
    ledger.reserve("ann/run", "after", "Outline", Spend(200))
    assert refused(ledger, "ann/run", 301) == ("ann/run", "run", 101)
    assert refused(ledger, "ann", 251) == ("other", "run", 1)
    ledger.settle("ann/run", "before", Spend(250))
    ledger.settle("ann/run", "after", Spend(150))
    assert (ledger.balance("team").spent, ledger.balance("other").spent) == (Spend(250), Spend(150))
    assert ledger.balance("ann").spent == ledger.balance("ann/run").spent == Spend(400)


def test_an_account_can_become_a_root_and_be_put_back(ledger):
    family(ledger)
    ledger.move("ann", None)
    ledger.reserve("ann/run", "alone", "Outline", Spend(10))
    assert used(ledger, "ann/run") == {("ann/run", "run"): (0, 10), ("ann", "run"): (0, 10)}
    ledger.move("ann", "team")
    ledger.reserve("ann/run", "back", "Outline", Spend(20))
    assert ledger.balance("team").reserved == Spend(20)
    ledger.release("ann/run", "alone")
    ledger.release("ann/run", "back")
    assert set(used(ledger, "ann/run").values()) == {(0, 0)}


def test_a_released_call_is_reserved_anew_in_the_new_place(ledger):
    family(ledger)
    ledger.open("other", Budget())
    ledger.reserve("ann", "k", "Outline", Spend(10))
    ledger.release("ann", "k")
    ledger.move("ann", "other")
    ledger.reserve("ann", "k", "Outline", Spend(20))
    ledger.settle("ann", "k", Spend(15))
    assert (ledger.balance("team").spent, ledger.balance("other").spent) == (Spend(), Spend(15))
    assert ledger.entries("team", below=True) == ()


def test_no_account_can_stand_below_itself(ledger):
    chain(ledger, "a", "b", "c")
    for parent in ("a", "b", "c"):
        with pytest.raises(InvalidInput) as refusal:
            ledger.move("a", parent)
        assert (refusal.value.field, refusal.value.value) == ("parent", parent)
    ledger.move("c", "a")
    ledger.move("b", "c")
    assert [(each.name, each.parent) for each in ledger.accounts()] == [
        ("a", ""),
        ("b", "c"),
        ("c", "a"),
    ]


def test_no_account_moves_deeper_than_eight(ledger):
    """Counted to the deepest account below it."""
    chain(ledger, *"123456")
    chain(ledger, "a", "b", "c")
    ledger.open("a2", Budget(), parent="a")
    for account, parent in (("a", "6"), ("1", "c")):
        with pytest.raises(InvalidInput, match="at most 8 levels"):
            ledger.move(account, parent)
    ledger.move("b", "6")
    ledger.move("b", "a")
    ledger.move("a", "5")
    ledger.reserve("c", "k", "Outline", CALL)
    assert len(ledger.balance("c").periods) == 8
    assert ledger.balance("1").reserved == CALL


def test_nothing_is_reserved_in_or_below_what_is_closed(ledger):
    """What is under way is settled; nothing is deleted."""
    family(ledger)
    ledger.reserve("ann/run", "k", "Outline", CALL)
    ledger.reserve("ann/run", "l", "Outline", Spend(100), unsent=True)
    assert ledger.close("ann").is_closed
    assert ledger.close("ann") == ledger.balance("ann")
    for account in ("ann", "ann/run"):
        with pytest.raises(AccountClosed) as refusal:
            ledger.reserve(account, "new", "Outline", Spend())
        assert refusal.value.account == "ann"
        assert left(ledger, account) == (0, 0, 0)
        assert ledger.balance(account).is_closed
    assert ledger.reserve("ann/run", "k", "Outline", CALL).status == "pending"
    assert ledger.mark_sent("ann/run", "l").status == "pending"
    assert ledger.settle("ann/run", "k", USED).charged == USED
    assert ledger.charge_in_full("ann/run", "l").charged == Spend(100)
    assert ledger.reconcile("ann/run", "l", Spend(40)).charged == Spend(40)
    assert ledger.balance("team").spent == USED + Spend(40)
    assert not ledger.balance("team").is_closed
    ledger.reserve("bob/run", "k", "Outline", CALL)


def test_what_is_closed_is_told_before_what_is_spent(ledger):
    """Nobody should wait for a budget that never comes back."""
    family(ledger)
    ledger.close("team")
    for tokens in (0, 10**6):
        with pytest.raises(AccountClosed) as refusal:
            ledger.reserve("ann/run", "k", "Outline", Spend(tokens))
        assert refusal.value.account == "team"


def test_what_is_closed_gets_no_limits_and_no_account_below_it(ledger):
    family(ledger)
    ledger.close("ann")
    before = ledger.accounts()
    for act in (
        lambda: ledger.set_limits("ann", "9 tokens"),
        lambda: ledger.open("ann", "9 tokens"),
        lambda: ledger.open("new", "9 tokens", parent="ann"),
        lambda: ledger.open("new", "9 tokens", parent="ann/run"),
    ):
        with pytest.raises(AccountClosed) as refusal:
            act()
        assert refusal.value.account == "ann"
    assert ledger.accounts() == before
    assert ledger.set_limits("ann/run", "9 tokens").budget == Budget(max_tokens=9)


def test_a_zone_is_that_of_the_account_above_unless_it_is_said(ledger):
    ledger.open("team", "9 tokens a day", zone="Asia/Tokyo")
    ledger.open("ann", "9 tokens a day", parent="team")
    ledger.open("bob", "9 tokens a day", parent="team", zone="UTC")
    ledger.open("run", "9 tokens", parent="ann")
    ledger.open("ann", "8 tokens a day")  # again: its zone stays
    ledger.move("ann", None)
    ledger.grant("run", "sub", Budget(max_tokens=5))
    assert {each.name: each.zone for each in ledger.accounts()} == {
        "team": "Asia/Tokyo", "ann": "Asia/Tokyo", "bob": "UTC",
        "run": "Asia/Tokyo", "sub": "Asia/Tokyo",
    }  # fmt: skip


def test_a_released_call_of_a_closed_account_stays_released(ledger):
    family(ledger)
    ledger.reserve("ann", "k", "Outline", CALL)
    ledger.close("team")
    assert ledger.release("ann", "k").status == "released"
    with pytest.raises(AccountClosed):
        ledger.reserve("ann", "k", "Outline", CALL)
    assert ledger.entry("ann", "k").status == "released"


def test_what_is_moved_out_of_a_closed_account_is_open(ledger):
    family(ledger)
    ledger.close("ann")
    ledger.move("ann/run", "team")
    assert ledger.reserve("ann/run", "k", "Outline", CALL).status == "pending"
    ledger.close("team")
    with pytest.raises(AccountClosed) as refusal:
        ledger.reserve("ann/run", "l", "Outline", CALL)
    assert refusal.value.account == "team"
