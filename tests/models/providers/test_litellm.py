"""LiteLLM asks once, one model, whatever a program has set for all of its calls."""

import sys
from types import SimpleNamespace
from typing import Any

import pytest
from langchain_core.messages import HumanMessage
from pydantic import Field

from tests.harness.llm_server import ErrorStatus, LLMServer
from tests.models.conftest import ACCOUNT, entries
from tests.models.vendors.litellm import client
from tests.models.vendors.other import HouseModel
from tests.models.ways import TWO_WAYS, WAYS
from thrifty import Budget, InvalidInput, ModelUnavailable, metered
from thrifty.models.providers.litellm import LiteLLMModel
from thrifty.models.providers.other import OtherModel
from thrifty.models.providers.vendor_request import CallBounds
from thrifty.models.providers.vendors import vendor_model


@pytest.fixture
def server():
    with LLMServer() as running:
        yield running


class ChatLiteLLM(HouseModel):
    """A class of that name, without what it takes to import its library."""

    model_kwargs: dict[str, Any] = Field(default_factory=dict)

    def _stream(self, *asked, **options):
        raise NotImplementedError


class Router(ChatLiteLLM):
    router: Any = None


ChatLiteLLM.__module__ = Router.__module__ = "langchain_litellm.chat_models"
AT = {"model": "openai/gpt-4o", "base_url": "http://127.0.0.1:9"}


def request(**made):
    given = vendor_model(ChatLiteLLM(**AT, **made))
    return given.request([HumanMessage("four")], None, {"temperature": 0.5}, CallBounds(500))


def test_a_request_is_one_attempt_for_a_whole_answer():
    one = request(max_tokens=9)
    assert type(one.vendor) is LiteLLMModel
    once = {"max_retries": 0, "num_retries": 0, "stream": False}
    assert one.options == {"stop": None, "temperature": 0.5, **once}
    assert not one.vendor.streams
    one.check_bounded(Budget(max_tokens=10))
    assert type(vendor_model(Router(**AT))) is OtherModel


@pytest.mark.parametrize(
    ("made", "everywhere", "why"),
    [
        ({"fallbacks": ["m"]}, None, "fallbacks: each may be billed"),
        (
            *({"context_window_fallback_dict": {"m": "n"}}, None),
            "context_window_fallback_dict: each may be billed",
        ),
        ({}, ["m"], "litellm.model_fallbacks: each may be billed"),
        (
            *({"additional_drop_params": ["max_tokens"]}, None),
            "additional_drop_params: it may leave the output cap out",
        ),
        ({"best_of": 2}, None, None),
    ],
)
def test_what_asks_others_or_leaves_the_cap_out_is_refused(monkeypatch, made, everywhere, why):
    library = SimpleNamespace(model_fallbacks=everywhere)
    monkeypatch.setitem(sys.modules, "litellm", library)
    one = request(model_kwargs=made)
    one.body = {**one.body, **made}
    with pytest.raises(InvalidInput) as refused:
        one.check_bounded(Budget(max_tokens=10))
    leave_out = ("request", why, "leave it out, or limit neither tokens nor cost")
    told = refused.value
    expected = leave_out if why else ("best_of", 2, "ask once for each answer")
    assert (told.field, told.value, told.remedy) == expected


@pytest.mark.long  # it takes seconds to import
@pytest.mark.parametrize("way", TWO_WAYS)
def test_retries_of_the_whole_library_are_off(server, ledger, monkeypatch, way):
    import litellm

    monkeypatch.setattr(litellm, "num_retries", 3)
    ledger.open(ACCOUNT, Budget(max_tokens=2_000))
    server.script(ErrorStatus(status=500, headers={"retry-after-ms": "1"}, times=None))
    model = metered(client(server, streaming=True), ledger, ACCOUNT, attempts_max=1)
    with pytest.raises(ModelUnavailable):
        WAYS[way](model, "Hi")
    assert len(server.requests) == 1
    assert [entry.status for entry in entries(ledger)] == ["in_doubt"]


@pytest.mark.long  # it takes seconds to import
def test_fallbacks_of_the_whole_library_are_refused(server, ledger, monkeypatch):
    import litellm

    monkeypatch.setattr(litellm, "model_fallbacks", ["openai/gpt-5"])
    ledger.open(ACCOUNT, Budget(max_tokens=2_000))
    with pytest.raises(InvalidInput, match="model_fallbacks: each may be billed"):
        metered(client(server), ledger, ACCOUNT).invoke("Hi")
    assert not server.requests


@pytest.mark.long  # it takes seconds to import
def test_its_class_is_not_said_to_be_unmeasured(server, ledger, caplog):
    ledger.open(ACCOUNT, Budget(max_tokens=2_000))
    metered(client(server), ledger, ACCOUNT).invoke("Hi")
    assert "has not measured" not in caplog.text
