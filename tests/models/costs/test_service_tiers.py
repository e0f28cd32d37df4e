"""A service tier that nobody names is never dearer than what was reserved."""

from dataclasses import dataclass, replace

import pytest

from tests.harness.llm_server import Answer, Behaviour
from tests.models.conftest import client, entries
from tests.models.ways import EVERY_WAY, WAYS
from thrifty import Budget, Spend
from thrifty.models.calls.current_account import use_account
from thrifty.models.calls.step_account import StepAccount
from thrifty.models.costs import input_bound
from thrifty.models.costs.prices import PriceList
from thrifty.models.guard.callback_guard import guard_calls

LIMITED = Budget(max_cost_usd=0.05)
PRICES = PriceList({})


@dataclass(frozen=True, kw_only=True)
class DearProject(Behaviour):
    """A project that answers in its dearest tier, where nobody names one."""

    def reply(self, request):
        named = request.body.get("service_tier") not in (None, "auto")
        body = request.body if named else {**request.body, "service_tier": "priority"}
        return super().reply(replace(request, body=body))


@pytest.mark.parametrize("way", EVERY_WAY)
@pytest.mark.parametrize(
    ("is_openai", "options", "tier"),
    [(True, {}, "default"), (True, {"service_tier": "auto"}, "priority"), (False, {}, "priority")],
)
def test_the_tier_that_answers_is_within_what_was_reserved(
    make, server, ledger, monkeypatch, api, way, is_openai, options, tier
):
    if not is_openai:
        monkeypatch.setattr(input_bound, "OPENAI_HOSTS", (".openai.com",))
    server.script(DearProject(answer=Answer(tokens=9_000)))
    WAYS[way](make(LIMITED, api, "gpt-4.1", options, max_output_tokens=900), "Tea or coffee?")
    (entry,) = entries(ledger)
    bill = server.bill
    paid = PRICES.quote("gpt-4.1", bill.input_tokens, bill.output_tokens, tier)
    assert (entry.status, entry.charged.cost_nano_usd, entry.is_overrun) == ("settled", paid, False)
    assert bill.output_tokens == 900


@dataclass(frozen=True, kw_only=True)
class SilentTier(Behaviour):
    """An answer that does not say in which tier it was given."""

    def reply(self, request):
        return super().reply(replace(request, body={**request.body, "service_tier": ""}))


@pytest.mark.parametrize(
    ("is_openai", "asked", "tier"),
    [
        (False, None, "priority"),  # it may have been any
        (False, "default", ""),
        (True, "auto", "priority"),
        (True, "priority", "priority"),
        (True, "flex", "flex"),
        (True, None, ""),  # `default` was sent
    ],
)
def test_an_answer_that_names_no_tier_is_charged_as_the_dearest_that_may_have_been(
    make, server, ledger, monkeypatch, api, is_openai, asked, tier
):
    if not is_openai:
        monkeypatch.setattr(input_bound, "OPENAI_HOSTS", (".openai.com",))
    server.script(SilentTier(answer=Answer(tokens=9)))
    options = {"service_tier": asked} if asked else {}
    make(LIMITED, api, "gpt-5-mini", options, max_output_tokens=900).invoke("Tea or coffee?")
    (entry,) = entries(ledger)
    paid = PRICES.quote("gpt-5-mini", server.bill.input_tokens, server.bill.output_tokens, tier)
    assert (entry.charged.cost_nano_usd, entry.is_overrun) == (paid, False)


@pytest.mark.parametrize(("asked", "tier"), [(None, "priority"), ("default", "")])
def test_so_is_one_to_other_peoples_model(server, asked, tier):
    server.script(SilentTier(answer=Answer(tokens=9)))
    account = StepAccount(LIMITED)
    with use_account(account), guard_calls(account, PRICES, {}):
        client(server, "chat", "gpt-5-mini", max_tokens=900, service_tier=asked).invoke("Tea?")
    paid = PRICES.quote("gpt-5-mini", server.bill.input_tokens, server.bill.output_tokens, tier)
    assert account.bill(Spend()).cost_nano_usd == paid
