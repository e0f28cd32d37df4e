"""Models of classes that nobody has measured: what is said of them, and what is never guessed."""

import logging

import pytest
from langchain_core.language_models import BaseChatModel, FakeListChatModel
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from tests.harness.llm_server import LLMServer
from tests.models.conftest import ACCOUNT
from tests.models.vendors.other import HouseModel, client
from thrifty import Budget, InvalidInput, PriceUnknown, metered
from thrifty.models.costs.input_bound import input_tokens
from thrifty.models.providers import other
from thrifty.models.providers.other import OtherModel
from thrifty.models.providers.vendor_request import CallBounds


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
    assert [record.getMessage() for record in caplog.records] == [
        "thrifty has not measured what HouseModel sends: its input is bounded by bytes, its own "
        "retries cannot be turned off for certain, and a call that fails is charged in full unless "
        "its server refused it"
    ]


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


class Nameless(BaseChatModel):
    """Calls its model by no field that is known."""

    max_tokens: int | None = None
    told: str | None = None

    @property
    def _llm_type(self):
        return "house"

    def _get_ls_params(self, stop=None, **kwargs):
        return {"ls_provider": "nobody", "ls_model_name": self.told}

    def _generate(self, messages, stop=None, run_manager=None, **kwargs):
        raise NotImplementedError

    def _stream(self, messages, stop=None, run_manager=None, **kwargs):
        raise NotImplementedError


class Named(Nameless):
    model_name: str | None = None
    model: str | None = None
    model_id: str | None = None


@pytest.mark.parametrize(
    ("model", "name"),
    [
        (Named(model_name="a", model="b", model_id="c", told="d"), "a"),
        (Named(model_name="", model="b", model_id="c", told="d"), "b"),
        (Named(model_id="c", told="d"), "c"),
        (Nameless(told="d"), "d"),
        (Nameless(), "Nameless"),
    ],
)
def test_a_model_is_called_by_the_first_name_that_anything_says(model, name):
    assert OtherModel(model).name == name
    assert OtherModel(model).streams


def test_the_input_is_bounded_by_bytes_of_all_that_was_said_and_all_that_was_set():
    call = {"name": "f", "args": {"x": 1}, "id": "c1", "type": "tool_call"}
    broken = {"name": "f", "args": "{", "id": "c2", "error": None, "type": "invalid_tool_call"}
    messages = [
        HumanMessage("four", name="Ada"),
        AIMessage("", tool_calls=[call], additional_kwargs={"thought": "Hm."}),
        AIMessage("", invalid_tool_calls=[broken]),
        ToolMessage("Done.", tool_call_id="c1"),
    ]
    given = OtherModel(HouseModel(model="m", base_url="http://127.0.0.1:9", max_tokens=9))
    one = given.request(messages, ["END"], {"temperature": 0.5}, CallBounds(500))
    assert one.body == {
        "_type": "house",
        "model": "m",
        "stop": ["END"],
        "temperature": 0.5,
        "messages": [
            {"role": "human", "content": "four", "name": "Ada"},
            {"role": "ai", "content": "", "thought": "Hm.", "tool_calls": [call]},
            {"role": "ai", "content": "", "invalid_tool_calls": [broken]},
            {"role": "tool", "content": "Done.", "tool_call_id": "c1"},
        ],
    }
    rest = '{"_type":"house","stop":["END"],"temperature":0.5}'
    assert one.input_tokens == input_tokens(one.body, "") + len(rest)
    picture = HumanMessage([{"type": "image", "base64": "AAAA"}])
    sizes = [
        given.request([picture], None, {}, CallBounds(500, size)).input_tokens
        for size in (None, 700)
    ]
    assert sizes[1] - sizes[0] == 700


def test_a_class_without_a_cap_is_refused(ledger):
    ledger.open(ACCOUNT, Budget(max_tokens=1_000))
    with pytest.raises(InvalidInput, match="with a field for its output cap"):
        metered(FakeListChatModel(responses=["Hi"]), ledger, ACCOUNT)
