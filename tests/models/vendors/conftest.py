"""A vendor's model, metered at the loopback server."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.harness.llm_server import LLMServer
from tests.long_cases import long_but
from tests.models.conftest import ACCOUNT
from tests.models.vendors.cases import ALWAYS, CASES, name
from tests.models.vendors.vendor_case import Options, VendorCase
from thrifty import Budget, MemoryLedger, metered
from thrifty.models.calls.metered_model import MeteredChatModel

MakeVendor = Callable[..., MeteredChatModel]


@pytest.fixture(params=long_but(CASES, *ALWAYS), ids=name)
def vendor(request: pytest.FixtureRequest) -> VendorCase:
    """Each vendor in turn."""
    return request.param


@pytest.fixture
def make(server: LLMServer, ledger: MemoryLedger, vendor: VendorCase) -> MakeVendor:
    """Makes metered models of the vendor that spend from one account."""

    def make(
        budget: Budget = Budget(max_tokens=10_000),  # noqa: B008 - frozen
        options: Options | None = None,
        **terms: Any,
    ) -> MeteredChatModel:
        ledger.open(ACCOUNT, budget)
        return metered(vendor.at(server, options), ledger, ACCOUNT, **{**vendor.terms, **terms})

    return make
