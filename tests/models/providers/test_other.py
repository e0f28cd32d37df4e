"""Models of classes that nobody has measured: what is said of them, and what is never guessed."""

import logging

import pytest
from langchain_core.language_models import FakeListChatModel

from tests.harness.llm_server import LLMServer
from tests.models.conftest import ACCOUNT
from tests.models.vendors.other import HouseModel, client
from thrifty import Budget, InvalidInput, PriceUnknown, metered
from thrifty.models.providers import other


class Nobodys(HouseModel):
    """Of a vendor that no price list knows, by a model that another vendor's list has."""

    def _get_ls_params(self, stop=None, **kwargs):
        return {"ls_provider": "nobody", "ls_model_name": self.model, "ls_model_type": "chat"}


@pytest.fixture
def server():
    with LLMServer() as running:
        yield running


def test_a_vendor_that_the_list_does_not_know_is_not_given_anothers_price(server, ledger):
    ledger.open(ACCOUNT, Budget(max_cost_usd=1))
    given = Nobodys(model="gpt-4o", base_url=server.base_url)
    with pytest.raises(PriceUnknown):
        metered(given, ledger, ACCOUNT).invoke("Hi")
    assert not server.requests


def test_a_class_is_named_once_with_what_is_not_known_of_it(server, ledger, caplog):
    other._warn.cache_clear()
    ledger.open(ACCOUNT, Budget(max_tokens=1_000))
    with caplog.at_level(logging.WARNING):
        metered(client(server), ledger, ACCOUNT)
        metered(client(server), ledger, ACCOUNT)
    assert caplog.text.count("has not measured what HouseModel sends") == 1


def test_what_the_model_was_made_with_is_input_as_well(server, ledger):
    class Wordy(HouseModel):
        persona: str = ""

        @property
        def _identifying_params(self):
            return {**super()._identifying_params, "persona": self.persona}

    ledger.open(ACCOUNT, Budget(max_tokens=3_000))
    given = Wordy(model="grok-3", base_url=server.base_url, persona="You are kind. " * 100)
    metered(given, ledger, ACCOUNT).invoke("Hi")
    assert server.requests[0].output_cap < 3_000 - 1_400


def test_a_class_without_a_cap_is_refused(ledger):
    ledger.open(ACCOUNT, Budget(max_tokens=1_000))
    with pytest.raises(InvalidInput, match="with a field for its output cap"):
        metered(FakeListChatModel(responses=["Hi"]), ledger, ACCOUNT)
