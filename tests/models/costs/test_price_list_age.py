"""A price list that is older than it may be is warned of, and still prices calls."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import pytest
from genai_prices.data_snapshot import get_snapshot

from thrifty.models.costs import price_list_age
from thrifty.models.costs.price_list_age import LIST_AGE_MAX_DAYS, listed_on, warn_of_age
from thrifty.models.costs.prices import PriceList

NEWEST = date(2026, 3, 1)
AGED = timedelta(days=LIST_AGE_MAX_DAYS)


@pytest.fixture(autouse=True)
def _nothing_checked():
    price_list_age._checked.clear()
    yield
    price_list_age._checked.clear()


def priced(day):
    return SimpleNamespace(constraint=None if day is None else SimpleNamespace(start_date=day))


def listed(*days, variants=(), **options):
    model = SimpleNamespace(
        prices=list(map(priced, days)) if days else "one price",
        price_variants=list(map(priced, variants)) or None,
    )
    providers = [SimpleNamespace(models=[model])]
    return SimpleNamespace(**{"providers": providers, "from_auto_update": False, **options})


@pytest.mark.parametrize(
    ("given", "day"),
    [
        (listed(None, date(2026, 1, 1), NEWEST), NEWEST),
        (listed(date(2026, 1, 1), variants=(NEWEST,)), NEWEST),
        (listed(NEWEST, date(2026, 3, 3)), NEWEST),  # a price that is not in force yet
        (listed(NEWEST, date(2026, 3, 2)), date(2026, 3, 2)),  # since today
        (listed(), None),
        (listed(from_auto_update=True, timestamp=datetime(2026, 3, 1, 9)), NEWEST),
    ],
)
def test_a_list_is_of_the_day_of_its_newest_price(given, day):
    assert listed_on(given, date(2026, 3, 2)) == day


def test_an_old_list_is_warned_of_once_a_day(caplog):
    given = listed(NEWEST)
    warn_of_age(given, NEWEST + AGED)
    assert not caplog.text
    for _ in range(2):
        warn_of_age(given, NEWEST + AGED + timedelta(days=1))
    assert caplog.messages == [
        f"The public price list is of 2026-03-01, {LIST_AGE_MAX_DAYS + 1} days ago. Install a "
        "newer genai-prices, or name the prices that you pay."
    ]
    warn_of_age(given, NEWEST + AGED + timedelta(days=2))
    assert len(caplog.records) == 2


def test_a_list_that_says_no_day_is_not_warned_of(caplog):
    warn_of_age(listed(), NEWEST)
    assert not caplog.text


def test_the_list_that_is_installed_is_looked_at_when_something_is_priced(monkeypatch, caplog):
    from genai_prices import data_snapshot

    fetched = datetime.now() - AGED - timedelta(days=2)
    old = replace(get_snapshot(), from_auto_update=True, timestamp=fetched)
    monkeypatch.setattr(data_snapshot, "_custom_snapshot", old)
    assert PriceList({}).quote("gpt-4o", 1_000, 0) == 2_500_000
    assert f"of {fetched.date()}" in caplog.text
    assert listed_on(get_snapshot(), datetime.now(UTC).date()) == fetched.date()
