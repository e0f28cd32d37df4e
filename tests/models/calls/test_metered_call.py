"""One key, one question: what was asked under it before, and what becomes of it asked again."""

import threading
import time
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler

from tests.harness.llm_server import (
    Answer,
    MissingUsage,
    ServerError,
    ToolCall,
    TooManyRequests,
    Unauthorized,
)
from thrifty import (
    Budget,
    BudgetExceeded,
    MemoryLedger,
    Model,
    ModelUnavailable,
    PriceUnknown,
    Settings,
    Spend,
)
from thrifty.ledger.idempotent_calls import call_key
from thrifty.models.calls.allowance import OUTPUT_CAP_UNKNOWN, Allowance
from thrifty.models.calls.current_account import use_account
from thrifty.models.calls.metered_call import ASKED_BEFORE
from thrifty.models.calls.step_account import StepAccount
from thrifty.models.guard.agent_account import AgentAccount
from thrifty.models.roles.agent_models import ModelPrompt, Models
from thrifty.models.roles.chat_clients import ChatClients

LIMIT = Spend(tokens=500, tool_calls=1)
KEY = "run/steps/Outline"


MODELS = {
    "strong": "gpt-4o",
    "own": "own",
    "thinker": "gpt-5",
    "deep": Model("gpt-5", effort="high"),
    "by-grammar": Model("own", api="chat", shape_field="response_format"),
}


@pytest.fixture
def models(server, api):
    server.script(Answer("Yes, it is."), Answer("No, it is not."))
    return Models(Settings("sk-test", server.base_url, api, models=MODELS))


def allowed(ledger: MemoryLedger, **more: Any) -> Allowance:
    given = {"key": KEY, "label": "Outline", "limit": LIMIT, "left_ms": lambda limits: None}
    return Allowance(ledger, "team", **{**given, **more})


def ask(models: Models, ledger: MemoryLedger, prompt: str = "Is it?", **more: Any) -> str:
    return models.ask(ModelPrompt("strong", prompt), allowed(ledger, **more)).text


def statuses_of(ledger: MemoryLedger) -> list[tuple[str, str]]:
    return [(entry.key, entry.status) for entry in ledger.entries("team")]


@pytest.fixture(autouse=True)
def _team(ledger):
    ledger.open("team", Budget(max_tokens=5_000))


def test_the_same_question_under_one_key_is_bought_once(models, ledger, server):
    assert ask(models, ledger) == ask(models, ledger) == "Yes, it is."
    assert len(server.requests) == 1
    assert statuses_of(ledger) == [(f"{KEY}.1", "settled")]


def test_another_question_under_one_key_is_another_call(models, ledger, server):
    assert ask(models, ledger) == "Yes, it is."
    assert ask(models, ledger, "Is it not?") == "No, it is not."
    assert statuses_of(ledger) == [(f"{KEY}.1", "settled"), (f"{KEY}.2", "settled")]
    assert ask(models, ledger, "Is it not?") == "No, it is not."
    assert len(server.requests) == 2


@pytest.fixture
def lost(models, ledger, server):
    """The question was sent, and whoever sent it never came back with the answer."""
    ledger.settle = lambda *given, **named: ledger.entry("team", call_key(KEY, 1))
    ask(models, ledger)
    del ledger.settle
    assert statuses_of(ledger) == [(f"{KEY}.1", "pending")]
    return ledger


def test_of_a_call_in_doubt_one_more_is_made_under_a_key_of_its_own(models, lost, server):
    assert ask(models, lost) == "No, it is not."
    assert statuses_of(lost) == [(f"{KEY}.1", "pending"), (f"{KEY}.2", "settled")]
    assert lost.balance("team").reserved == LIMIT


def test_a_call_in_doubt_that_may_not_be_repeated_says_so(models, lost, server):
    with pytest.raises(ModelUnavailable, match=f"^gpt-4o: {ASKED_BEFORE}"):
        ask(models, lost, attempts_max=1)
    assert len(server.requests) == 1


@pytest.fixture
def forestalled(ledger):
    """Somebody else marks the first call as sent, just before it is."""
    mark = ledger.mark_sent

    def first_by_another(account, key):
        if key == call_key(KEY, 1):
            mark(account, key)
        return mark(account, key)

    ledger.mark_sent = first_by_another
    return ledger


def test_what_another_has_sent_is_not_ours_to_send(models, forestalled, server):
    assert ask(models, forestalled) == "Yes, it is."
    assert statuses_of(forestalled) == [(f"{KEY}.1", "pending"), (f"{KEY}.2", "settled")]
    assert len(server.requests) == 1


def test_what_another_has_sent_and_may_not_be_repeated_says_so(models, forestalled, server):
    with pytest.raises(ModelUnavailable, match=f"^gpt-4o: {ASKED_BEFORE}"):
        ask(models, forestalled, attempts_max=1)
    assert not server.requests


TOOL = {"title": "sort", "type": "object", "properties": {"by": {"type": "string"}}}


def test_the_arguments_of_a_tool_are_wanted_in_the_place_of_a_text(models, ledger, server):
    server.clear()
    server.script(Answer(ToolCall("sort", {"by": "name"})))
    reply = models.ask(ModelPrompt("strong", "Sort it.", tool=TOOL), allowed(ledger))
    assert reply.arguments == {"by": "name"}
    body = server.requests[0].body
    assert [tool.get("function", tool)["name"] for tool in body["tools"]] == ["sort"]
    choice = body["tool_choice"]
    assert choice.get("function", choice)["name"] == "sort"


def test_the_same_are_read_from_a_text_where_the_server_is_asked_for_its_shape(
    models, ledger, server
):
    server.clear()
    server.script(Answer('{"by": "name"}'), Answer("by name"))
    prompt = ModelPrompt("by-grammar", "Sort it.", tool=TOOL)
    assert models.ask(prompt, allowed(ledger)).arguments == {"by": "name"}
    assert models.ask(prompt, allowed(ledger, key="other")).arguments is None
    body = server.requests[0].body
    wanted = {"name": "sort", "schema": TOOL}
    assert body["response_format"] == {"type": "json_schema", "json_schema": wanted}
    assert "tools" not in body


def test_an_answer_without_a_word_is_none_and_is_paid(models, ledger, server):
    server.clear()
    server.script(Answer(" \n"))
    with pytest.raises(ModelUnavailable, match=r"^gpt-4o: an answer without any text"):
        ask(models, ledger)
    assert statuses_of(ledger) == [(f"{KEY}.1", "settled")]


@pytest.mark.parametrize(
    ("role", "limit", "cap"),
    [
        ("own", LIMIT, LIMIT.tokens),
        ("own", None, OUTPUT_CAP_UNKNOWN),
        ("own", Spend(tokens=9_000, tool_calls=1), 9_000),
        ("strong", None, 16_384),
    ],
)
def test_no_answer_is_longer_than_its_model_can_be_or_than_is_wise(
    models, ledger, server, role, limit, cap
):
    ledger.set_limits("team", Budget(max_tool_calls=5))
    models.ask(ModelPrompt(role, "Is it?"), allowed(ledger, limit=limit))
    body = server.requests[0].body
    sent = body.get("max_completion_tokens") or body["max_output_tokens"]
    assert sent <= cap
    assert sent > cap - 50


def test_what_does_not_fit_is_refused_by_its_name(models, ledger, server):
    ledger.set_limits("team", Budget(max_tokens=20))
    with pytest.raises(BudgetExceeded, match=r"^Outline does not fit: "):
        ask(models, ledger, limit=None)
    with pytest.raises(BudgetExceeded, match=r"^Outline does not fit: "):
        ask(models, ledger, limit=Spend(tokens=19, tool_calls=1))
    ledger.set_limits("team", Budget(max_cost_usd=1))
    with pytest.raises(BudgetExceeded, match=r"^Outline does not fit: .*\$"):
        ask(models, ledger, limit=Spend(tokens=500, cost_nano_usd=10, tool_calls=1))
    assert not server.requests


@pytest.fixture
def step():
    """Somebody else's code, in which the model is asked."""
    with use_account(StepAccount(Budget(max_tokens=1_000))) as opened:
        yield opened


def test_time_is_booked_on_the_step_whatever_came_of_the_call(models, ledger, server, step):
    server.clear()
    server.script(Answer("Yes.", delay_ms=60), MissingUsage(delay_ms=60))
    ask(models, ledger)
    ask(models, ledger, "Is it not?")
    in_step, in_ledger = step.ledger.entries(step.account), ledger.entries("team")
    assert [entry.status for entry in in_step] == ["settled", "in_doubt"]
    assert [e.charged.latency_ms for e in in_step] == [e.charged.latency_ms for e in in_ledger]
    assert all(60 <= entry.charged.latency_ms < 60_000 for entry in in_ledger)


def test_what_was_not_billed_is_given_back_to_the_step(models, ledger, server, step):
    server.clear()
    server.script(TooManyRequests(retry_after_ms=1), Answer("Yes."))
    ask(models, ledger)
    assert [e.status for e in step.ledger.entries(step.account)] == ["released", "settled"]
    assert step.left.max_tokens == 1_000 - server.bill.total_tokens


def test_a_call_on_the_account_of_the_step_around_is_booked_once(models, ledger, server):
    with use_account(AgentAccount(ledger, "team")):
        ask(models, ledger)
    assert ledger.balance("team").spent.tokens == server.bill.total_tokens
    assert statuses_of(ledger) == [(f"{KEY}.1", "settled")]


def test_the_books_are_kept_in_threads_of_their_own(models, ledger):
    """An event loop that has to wait for a disk would hold up every call."""
    settle, threads = ledger.settle, []

    def seen(*given):
        threads.append(threading.current_thread().name)
        return settle(*given)

    ledger.settle = seen
    ask(models, ledger)
    assert threads == ["thrifty-ledger"]


def test_whether_a_model_can_be_reached_is_as_the_settings_say(models):
    assert models.roles.is_offline is False
    assert Models(Settings()).roles.is_offline is True


def test_a_failure_says_how_long_to_wait_before_one_more_attempt(models, ledger, server):
    server.clear()
    server.script(TooManyRequests(retry_after_ms=300), Answer("Yes."))
    began = time.monotonic()
    assert ask(models, ledger) == "Yes."
    assert 0.3 <= time.monotonic() - began < 300  # which it were if 300 ms were taken for seconds


@pytest.mark.parametrize(
    ("budget", "theirs"),
    [
        (Budget(max_tokens=600), Spend(tokens=300)),
        (Budget(max_cost_usd=0.004), Spend(cost_nano_usd=2_000_000)),
    ],
)
def test_where_another_was_quicker_a_shorter_answer_fits(models, ledger, server, budget, theirs):
    ledger.set_limits("team", budget)
    reserve = ledger.reserve

    def after_another(*given, **named):
        ledger.reserve = reserve
        reserve("team", "theirs", "theirs", theirs)
        return reserve(*given, **named)

    ledger.reserve = after_another
    assert ask(models, ledger, limit=None) == "Yes, it is."
    (request,) = server.requests
    assert 150 < request.output_cap <= 300


def test_no_wait_is_as_long_as_the_time_that_is_left(models, ledger, server):
    server.clear()
    server.script(TooManyRequests(retry_after_ms=300), Answer("Yes."))
    with pytest.raises(ModelUnavailable, match="too many requests"):
        ask(models, ledger, left_ms=lambda limits: 300)
    assert len(server.requests) == 1


@pytest.mark.parametrize(("failure", "for_good"), [(Unauthorized, True), (ServerError, False)])
def test_a_failure_says_whether_other_calls_would_fail_too(
    models, ledger, server, failure, for_good
):
    server.clear()
    server.script(failure(times=None))
    with pytest.raises(ModelUnavailable) as failed:
        ask(models, ledger, attempts_max=1)
    assert failed.value.for_good is for_good


def test_without_time_nothing_is_sent_and_nothing_is_held(models, ledger, server):
    with pytest.raises(BudgetExceeded, match=r"^Outline does not fit: ") as refused:
        ask(models, ledger, left_ms=lambda limits: -5)
    assert refused.value.missing == {"latency": 6}
    assert statuses_of(ledger) == [(f"{KEY}.1", "released")]
    assert not server.requests


def test_without_a_price_no_money_is_spent(models, ledger, server):
    ledger.set_limits("team", Budget(max_cost_usd=1))
    with pytest.raises(PriceUnknown):
        models.ask(ModelPrompt("own", "Is it?"), allowed(ledger, limit=None))
    assert not server.requests


@pytest.mark.parametrize(("role", "sent"), [("thinker", "low"), ("deep", "high")])
def test_a_model_that_reasons_is_told_how_much(models, ledger, server, role, sent):
    ledger.set_limits("team", Budget(max_tool_calls=5))
    models.ask(ModelPrompt(role, "Is it?"), allowed(ledger, limit=None))
    body = server.requests[0].body
    assert (body.get("reasoning_effort") or body["reasoning"]["effort"]) == sent


def test_a_server_is_told_the_cap_by_the_name_that_it_knows(ledger, server):
    models = Models(Settings("", server.base_url, "chat", "max_tokens", models=MODELS))
    ask(models, ledger)
    assert "max_completion_tokens" not in server.requests[0].body
    assert server.requests[0].body["max_tokens"] > 400


def test_callbacks_see_the_call(models, ledger):
    prompts = []

    class Watching(BaseCallbackHandler):
        def on_chat_model_start(self, serialized, messages, **more):
            prompts.extend(message.content for message in messages[0])

    models.ask(ModelPrompt("strong", "Is it?"), allowed(ledger), {"callbacks": [Watching()]})
    assert prompts == ["Is it?"]


def test_a_client_is_loaded_before_it_is_needed_and_where_it_can_be(models, monkeypatch):
    loaded = []
    monkeypatch.setattr(ChatClients, "load", lambda clients: loaded.append(clients))
    Models(Settings()).warm_up()
    assert not loaded
    models.warm_up()
    assert len(loaded) == 1
