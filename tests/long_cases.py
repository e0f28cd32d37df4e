"""Which cases of a test are run at once, and which only with `--long`."""

from collections.abc import Iterable
from typing import Any

import pytest


def long_but(cases: Iterable[Any], *at_once: Any) -> list[Any]:
    """The cases of `pytest.mark.parametrize`, all but some marked as `long`.

    Args:
        cases: values, or a tuple for each case where there are several parameters.
        at_once: those that are run without `--long`, too.
    """
    return [case if case in at_once else _long(case) for case in cases]


def _long(case: Any) -> Any:
    return pytest.param(*(case if isinstance(case, tuple) else (case,)), marks=pytest.mark.long)
