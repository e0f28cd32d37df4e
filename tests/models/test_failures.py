"""What a failed call means: how long to wait before the next."""

import pytest

from thrifty.models.failures import _retry_after_ms


@pytest.mark.parametrize(
    ("headers", "wait_ms"),
    [
        ({"retry-after": "2"}, 2000),
        ({"retry-after-ms": "30", "retry-after": "2"}, 30),
        ({"retry-after": "-5"}, 0),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, 500),
        ({"retry-after": "1e999"}, 500),
        ({"retry-after": "nan"}, 500),
        ({}, 500),
    ],
)
def test_a_retry_after_is_read_or_a_short_wait_taken(headers, wait_ms):
    assert _retry_after_ms(headers) == wait_ms
