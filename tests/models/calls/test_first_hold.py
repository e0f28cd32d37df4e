"""Where callers compete, a call holds what most answers took, and is asked once more where cut."""

from contextlib import suppress
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import HumanMessage

from tests.harness.llm_server import Answer, ServerError
from tests.models.calls.test_reservation import INPUT, OWN
from tests.models.conftest import ACCOUNT, client, entries
from thrifty import Budget, BudgetExceeded, InvalidInput, MemoryLedger, Spend, metered
from thrifty.models.calls.allowance import Allowance
from thrifty.models.calls.current_account import use_account
from thrifty.models.calls.first_hold import FIRST, HOLD_QUANTILE, longer_than
from thrifty.models.calls.reservation import CallAccounts
from thrifty.models.calls.step_account import StepAccount
from thrifty.models.calls.waiting_calls import waiting_calls
from thrifty.models.calls.whole_answers import DERIVED_CAP
from thrifty.models.costs.output_lengths import ANSWERS_MIN, AnswerKind, output_lengths
from thrifty.models.costs.usage import Usage
from thrifty.models.providers.openai import OpenAIModel
from thrifty.models.providers.vendor_request import CallBounds

PROMPT = "Say something about tides."
WHOLE_CAP = 200
USUAL = 20
"""How long answers were so far."""
HOLD = USUAL + 1
LONGER = 60
ROOM = 130
"""Enough for an answer that is longer, and not for the longest."""
FOR_EVER_MS = 10**9


@pytest.fixture
def model(server, make):
    """A model of which it is known how long its answers are."""

    def model(api="chat", known=ANSWERS_MIN, **terms):
        made = make(Budget(max_tokens=10**6), api, options={"max_tokens": WHOLE_CAP}, **terms)
        server.script(Answer(tokens=USUAL, times=known)) if known else None
        for _ in range(known):
            made.invoke(PROMPT)
        server.clear()
        server.default = Answer(tokens=LONGER, times=None)
        return made

    return model


def leave(ledger, tokens, account=ACCOUNT):
    """Somebody else holds all but that."""
    held = ledger.balance(account).left.max_tokens - tokens
    ledger.reserve(account, "other", "Other", Spend(tokens=held))


def caps(server):
    return [request.output_cap for request in server.requests]


def is_whole(answer):
    return answer.usage_metadata["output_tokens"] == LONGER


def test_the_hold_is_the_cap_that_goes_out(server, ledger, model):
    asked = model()
    leave(ledger, ROOM)
    server.default = Answer(tokens=USUAL, times=None)
    asked.invoke(PROMPT)
    assert caps(server) == [HOLD]
    earlier, held = entries(ledger)[0], entries(ledger)[-1]
    assert held.reserved.tokens == earlier.reserved.tokens - WHOLE_CAP + HOLD


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_an_answer_that_is_cut_there_is_asked_for_once_more(server, ledger, model, api):
    asked = model(api)
    leave(ledger, ROOM)
    answer = asked.invoke(PROMPT)
    assert is_whole(answer)
    first, second = caps(server)
    assert first == HOLD
    assert LONGER < second < WHOLE_CAP
    paid = sum(entry.charged.tokens for entry in entries(ledger)[-2:])
    assert paid == server.bill.total_tokens


def test_what_is_cut_then_is_cut(server, ledger, model):
    asked = model()
    leave(ledger, ROOM)
    server.default = Answer(tokens=WHOLE_CAP, times=None)
    answer = asked.invoke(PROMPT)
    assert caps(server)[1:] == [answer.response_metadata[DERIVED_CAP]]


@pytest.fixture
def once_it_waits(monkeypatch):
    """Does something as soon as a call has found that it has to wait."""

    def once_it_waits(act):
        todo, reserve = [act], CallAccounts.reserve

        def reserve_or_wait(*given, **named):
            reservation = reserve(*given, **named)
            if reservation is None and todo:
                todo.pop()()
            return reservation

        monkeypatch.setattr(CallAccounts, "reserve", reserve_or_wait)

    return once_it_waits


def test_the_second_answer_may_wait_for_all_its_room(server, ledger, model, once_it_waits):
    asked = model(patience_ms=FOR_EVER_MS)
    leave(ledger, ROOM)
    once_it_waits(lambda: ledger.release(ACCOUNT, "other"))
    assert is_whole(asked.invoke(PROMPT))
    assert caps(server) == [HOLD, WHOLE_CAP]


def test_a_call_that_waits_competes(server, ledger, model, once_it_waits):
    """Nobody holds anything when its turn comes, and others may have waited beside it."""
    asked = model(patience_ms=FOR_EVER_MS)
    leave(ledger, 0)
    spent = Spend(tokens=ledger.entry(ACCOUNT, "other").reserved.tokens - ROOM)
    once_it_waits(lambda: ledger.settle(ACCOUNT, "other", spent))
    assert is_whole(asked.invoke(PROMPT))
    assert caps(server)[0] == HOLD


def test_a_call_beside_one_that_waits_competes(server, ledger, model):
    """Whoever asks again at once takes what came back, before those that wait have looked."""
    asked = model()
    ledger.set_limits(ACCOUNT, Budget(max_tokens=ledger.balance(ACCOUNT).spent.tokens + ROOM))
    with waiting_calls.waiting(ledger, ledger.balance(ACCOUNT)):
        assert is_whole(asked.invoke(PROMPT))
    ledger.set_limits(ACCOUNT, Budget(max_tokens=ledger.balance(ACCOUNT).spent.tokens + ROOM))
    assert is_whole(asked.invoke(PROMPT))
    first, _, alone = caps(server)
    assert first == HOLD < LONGER < alone


@pytest.mark.parametrize("second", [None, ServerError(times=None)], ids=["no room", "it fails"])
def test_what_was_cut_is_kept_where_there_is_no_second_answer(server, ledger, model, second):
    asked = model()
    leave(ledger, ROOM)
    server.script(Answer(tokens=LONGER))
    if second is None:
        more = Spend(tokens=ROOM - first_hold(ledger))
        ledger.reserve(ACCOUNT, "more", "More", more)
    else:
        server.default = second
    answer = asked.invoke(PROMPT)
    assert answer.response_metadata[DERIVED_CAP] == HOLD == answer.usage_metadata["output_tokens"]
    assert len(server.requests) == (1 if second is None else 2)


def first_hold(ledger):
    """What a first hold takes, with a few tokens beside it."""
    return entries(ledger)[0].reserved.tokens - WHOLE_CAP + HOLD + 5


def test_an_account_under_another_competes_with_the_others_there(server, ledger, model):
    model()
    ledger.open("below", Budget(), parent=ACCOUNT)
    below = metered(client(server, "chat", "gpt-4o", max_tokens=WHOLE_CAP), ledger, "below")
    leave(ledger, ROOM)
    below.invoke(PROMPT)
    assert caps(server)[0] == HOLD


AS_EVER = {
    "few answers are known": {"known": ANSWERS_MIN - 1},
    "it is turned off": {"hold_quantile": 1},
    "it can be asked but once": {"attempts_max": 1},
}


@pytest.mark.parametrize("terms", AS_EVER.values(), ids=AS_EVER)
def test_a_call_holds_all_that_is_left_as_ever(server, ledger, model, terms):
    asked = model(**terms)
    leave(ledger, ROOM)
    assert is_whole(asked.invoke(PROMPT))
    (cap,) = caps(server)
    assert LONGER < cap < WHOLE_CAP


def test_a_stream_cannot_be_begun_again_and_holds_all_that_is_left(server, ledger, model):
    asked = model()
    leave(ledger, ROOM)
    pieces = list(asked.stream(PROMPT))
    assert is_whole(sum(pieces[1:], pieces[0]))
    (cap,) = caps(server)
    assert LONGER < cap < WHOLE_CAP


def test_who_is_alone_holds_all_that_is_left(server, ledger, model):
    asked = model()
    ledger.set_limits(ACCOUNT, Budget(max_tokens=ledger.balance(ACCOUNT).spent.tokens + ROOM))
    assert is_whole(asked.invoke(PROMPT))
    assert len(server.requests) == 1


def test_the_last_call_of_an_account_holds_all_that_is_left(server, ledger, model):
    """It could not be asked once more."""
    asked = model()
    ledger.set_limits(ACCOUNT, Budget(max_tokens=10**6, max_tool_calls=ANSWERS_MIN + 1))
    leave(ledger, ROOM)
    assert is_whole(asked.invoke(PROMPT))
    assert len(server.requests) == 1


def test_a_call_holds_the_longest_answer_where_that_fits(server, ledger, model):
    asked = model()
    leave(ledger, 3 * WHOLE_CAP)
    assert is_whole(asked.invoke(PROMPT))
    assert caps(server) == [WHOLE_CAP]


def test_a_call_that_was_asked_twice_counts_once_in_what_is_learned(server, ledger, model):
    asked = model(label="letters")
    leave(ledger, ROOM)
    assert is_whole(asked.invoke(PROMPT))
    kind = AnswerKind(f"{server.base_url}/", "gpt-4o", "letters")
    assert output_lengths.quantile(kind, 0.9) == USUAL
    assert output_lengths.quantile(kind, 1.0) == LONGER


@pytest.mark.parametrize("has_room", [True, False])
def test_a_program_that_starts_again_is_given_the_last_answer(server, ledger, model, has_room):
    asked = model(run="r")
    leave(ledger, ROOM if has_room else first_hold(ledger))
    given = asked.invoke(PROMPT)
    assert is_whole(given) == has_room
    count = len(server.requests)
    again = model(run="r")  # which replays the earlier ones, and asks no more than once
    server.clear()
    assert again.invoke(PROMPT).text == given.text
    assert count == 1 + has_room
    assert not server.requests


def test_a_step_that_waited_for_a_person_is_given_the_last_answer(server, model):
    model(label="gpt-4o")
    step, asked = (
        StepAccount(Budget(max_tokens=500)),
        metered(client(server, "chat", "gpt-4o", max_tokens=WHOLE_CAP)),
    )
    step.ledger.reserve(step.account, "other", "Other", Spend(tokens=500 - ROOM))
    with use_account(step):
        given = asked.invoke(PROMPT)
    assert is_whole(given)
    count, resumed = len(server.requests), StepAccount(Budget(max_tokens=500))
    resumed.replay(step.paid_calls())
    with use_account(resumed):
        assert asked.invoke(PROMPT).text == given.text
    assert len(server.requests) == count == 2


@pytest.mark.parametrize("quantile", [0.4, 1.1, "0.9", True])
def test_a_share_that_cannot_be_used_is_refused(ledger, server, quantile):
    with pytest.raises(InvalidInput):
        metered(client(server, "chat"), ledger, None, hold_quantile=quantile)


ACTS = st.lists(
    st.tuples(st.sampled_from(("first", "again", "end")), st.integers(0, 9), st.integers(0, 300)),
    max_size=30,
)


@pytest.fixture(scope="module")
def request_of_tokens():
    nobody = SimpleNamespace(base_url="http://127.0.0.1:9/v1")
    given = OpenAIModel(client(nobody, "chat", "own"))
    return given.request([HumanMessage("four")], None, {}, CallBounds(300))


class Callers:
    """Callers on one account, who hold, are cut or not, ask once more, and settle in any order."""

    def __init__(self, request, limit):
        self.request, self.ledger, self.limit = request, MemoryLedger(), limit
        self.ledger.open(ACCOUNT, Budget(max_tokens=limit))
        self.open_calls, self.ended, self.caps = [], [], []

    def first(self, number, written):
        terms = ACCOUNT, f"{number} {written}", "four", None, lambda _: None
        allowance = Allowance(self.ledger, *terms, hold_quantile=HOLD_QUANTILE)
        accounts = CallAccounts(self.request, CallBounds(300), OWN, allowance, None)
        self._reserve(accounts, None, FIRST, can_wait=bool(number % 2))

    def again(self, number, written):
        if self.ended:
            accounts, cut = self.ended[number % len(self.ended)]
            self._reserve(accounts, cut.entry, longer_than(cut.cap), can_wait=bool(written % 2))

    def end(self, number, written):
        if self.open_calls:
            accounts, reservation = self.open_calls.pop(number % len(self.open_calls))
            usage = Usage(INPUT, min(written, reservation.cap))
            accounts.settle(usage, reservation, 0)
            self.ended.append((accounts, reservation))

    def _reserve(self, accounts, after, hold, *, can_wait):
        with suppress(BudgetExceeded):
            held = accounts.reserve(after, hold, can_wait=can_wait)
            if held is not None and held.entry.status == "unsent" and accounts.mark_sent(held):
                assert held.entry.reserved.tokens == INPUT + held.cap
                self.open_calls.append((accounts, held))


@given(acts=ACTS, limit=st.integers(0, 1_500), usual=st.integers(1, 300))
def test_nothing_passes_the_limit_whoever_holds_what(request_of_tokens, acts, limit, usual):
    kind = AnswerKind(request_of_tokens.address, "own", "four")
    output_lengths.clear()
    for _ in range(ANSWERS_MIN):
        output_lengths.note(kind, usual, is_cut=False)
    callers = Callers(request_of_tokens, limit)
    for act, number, written in acts:
        getattr(callers, act)(number, written)
        balance = callers.ledger.balance(ACCOUNT)
        assert balance.spent.tokens + balance.reserved.tokens <= limit
