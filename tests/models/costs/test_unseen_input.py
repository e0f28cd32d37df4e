"""What a server adds to what it is sent is held from its first bill on."""

import pytest
from langchain_anthropic import ChatAnthropic

from tests.harness.llm_server import Answer, ChatTemplate
from tests.models.conftest import ACCOUNT, client, entries
from thrifty import Budget, InvalidInput, MemoryLedger, metered
from thrifty.models.costs import input_bound
from thrifty.models.costs.input_bound import TEMPLATE_TOKENS, utf8_bytes
from thrifty.models.costs.unseen_input import UnseenInput

TALE = "Once upon a time there was a kettle that wanted to see the sea. " * 4


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch):
    """The fake provider's address proves nothing here."""
    monkeypatch.setattr(input_bound, "OPENAI_HOSTS", (".openai.com",))


def test_a_bound_that_a_server_has_passed_is_wider_from_then_on(make, server, ledger, api, caplog):
    model = make(Budget(max_tokens=90_000), api, "smollm3", max_output_tokens=20)
    for added in (500, 500, 10, 700, 700):
        server.script(ChatTemplate(added_tokens=added, answer=Answer(tokens=9)))
        model.invoke("Hi")
    assert [entry.is_overrun for entry in entries(ledger)] == [True, False, False, True, False]
    first, second, third, *_, last = [entry.reserved.tokens for entry in entries(ledger)]
    beyond = server.requests[0].bill.input_tokens + 20 - first
    assert second == third == first + beyond  # what was seen is not unlearned
    assert last == second + 200
    assert caplog.text.count("tokens more than it is sent") == 2
    other = metered(client(server, "chat", "another"), ledger, ACCOUNT, max_output_tokens=20)
    other.invoke("Hi")
    assert entries(ledger)[-1].reserved.tokens == first


def test_each_model_of_each_server_is_known_by_itself(caplog):
    seen = UnseenInput()
    seen.note("http://127.0.0.1:1/v1", "a", 10, 25)
    seen.note("http://127.0.0.1:1/v1/", "a", 100, 90)
    seen.note("http://127.0.0.1:1/v1/", "a", 100, 112)
    assert seen.room("http://127.0.0.1:1/v1/", "a") == 15
    assert seen.room("http://127.0.0.1:1/v1", "b") == seen.room("http://127.0.0.1:2/v1", "a") == 0
    seen.note("http://127.0.0.1:1/v1", "b", 10, 11)
    assert seen.room("http://127.0.0.1:1/v1", "b") == 1
    more = "tokens more than it is sent: so many more are reserved from now on"
    assert caplog.messages == [f"a reads 15 {more}", f"b reads 1 {more}"]


@pytest.mark.parametrize("encoding", ["o200k_base", "cl100k_base"])
def test_a_server_that_is_said_to_count_as_openai_does_is_held_to_that(
    make, server, ledger, api, encoding
):
    server.script(ChatTemplate(added_tokens=TEMPLATE_TOKENS, answer=Answer(tokens=9)))
    model = make(api=api, model="llama3", max_output_tokens=20, encoding=encoding)
    model.invoke(TALE)
    (entry,) = entries(ledger)
    assert entry.charged.tokens == server.bill.total_tokens
    assert not entry.is_overrun
    # Its chat template has its room, as nobody vouches for that.
    assert entry.reserved.tokens == 4 * 15 + 1 + 16 + TEMPLATE_TOKENS + 20
    make(api=api, model="llama3", max_output_tokens=20).invoke(TALE)
    assert entries(ledger)[-1].reserved.tokens == len(TALE) + 16 + TEMPLATE_TOKENS + 20


@pytest.mark.parametrize("encoding", ["gpt-4o", "p50k_base", ""])
def test_an_encoding_that_there_is_not_is_refused(make, encoding):
    with pytest.raises(InvalidInput, match="encoding"):
        make(encoding=encoding)


def test_bytes_bound_what_no_encoding_of_openais_counts():
    ledger = MemoryLedger()
    ledger.open(ACCOUNT, Budget())
    claude = ChatAnthropic(model="claude-haiku-4-5", api_key="sk-ant-test")
    with pytest.raises(InvalidInput, match="bytes bound what is sent by langchain-anthropic"):
        metered(claude, ledger, ACCOUNT, encoding="o200k_base")


@pytest.mark.parametrize(
    ("text", "longest"),
    [
        ("plain", 5),
        ("ü", 2),
        ("u\N{COMBINING DIAERESIS}", 3),  # shorter once it is put together
        ("\N{LATIN SMALL LIGATURE FI}", 3),  # shorter once it is taken apart
        # One letter of three bytes is 18 to a tokenizer that takes it apart, as Claude's did.
        ("\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}", 33),
        ("\ud800", 3),
        ("\ud800\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}", 36),
    ],
)
def test_a_text_is_as_long_as_the_longer_of_its_forms(text, longest):
    assert utf8_bytes(text) == longest
