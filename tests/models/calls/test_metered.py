"""A metered model of OpenAI's, in what `vendors/` does not ask of every vendor."""

import json
from contextlib import nullcontext, suppress
from decimal import Decimal

import pytest
from langchain_core.prompts import ChatPromptTemplate
from pydantic import BaseModel

from tests.harness.llm_server import (
    Answer,
    ToolCall,
)
from tests.models.conftest import ACCOUNT, client, entries
from thrifty import (
    Budget,
    BudgetExceeded,
    InvalidInput,
    ModelUnavailable,
    Spend,
    TokenPrice,
    metered,
)


def test_a_server_that_knows_only_the_older_name_gets_it(make, server):
    make(Budget(max_tokens=500), model="llama3", cap_field="max_tokens").invoke("Hi")
    assert 0 < server.requests[0].body["max_tokens"] <= 500
    assert "max_completion_tokens" not in server.requests[0].body


def test_a_stump_of_an_answer_is_not_bought(make, server):
    with pytest.raises(BudgetExceeded, match="short"):
        make(Budget(max_tokens=120), useful_tokens=200).invoke("Tell me all.")
    assert not server.requests
    # What the caller asks to be short is useful so.
    make(Budget(max_tokens=120), useful_tokens=200).invoke("Yes or no?", max_tokens=4)
    assert server.requests[0].output_cap == 4


class Verdict(BaseModel):
    """What was decided."""

    better: str
    score: int


@pytest.mark.parametrize("bad", ['{"better": "tea", "sc', '{"better": 5}', "no JSON"])
def test_structured_output_that_cannot_be_read_is_settled_all_the_same(
    make, server, ledger, api, bad
):
    server.script(Answer(ToolCall("Verdict", bad)))
    model = make(api=api).with_structured_output(Verdict, include_raw=True)
    answer = model.invoke("Tea or coffee?")
    assert answer["parsed"] is None
    assert ledger.balance(ACCOUNT).spent.tokens == server.bill.total_tokens > 0


VERDICT = {
    "type": "json_schema",
    "json_schema": {
        "name": "V",
        "schema": {**Verdict.model_json_schema(), "additionalProperties": False},
    },
}
"""A schema that the server is given itself, and not as a tool."""


@pytest.mark.parametrize("fit", [8000, 60])
def test_an_answer_in_a_schema_of_its_own_is_settled_even_cut(make, server, ledger, fit):
    server.script(Answer({"better": "tea " * 50, "score": 5}))
    model = make().bind(response_format=VERDICT, max_tokens=fit)
    with suppress(ModelUnavailable) if fit == 60 else nullcontext():
        model.invoke("Tea or coffee?")
    assert ledger.balance(ACCOUNT).spent.tokens == server.bill.total_tokens > 0
    assert ledger.balance(ACCOUNT).reserved == Spend()


def test_an_answer_in_a_schema_that_was_cut_is_not_replayed(make, server, ledger):
    verdict = {"better": "tea", "score": 5}
    server.script(Answer({**verdict, "better": "tea " * 50}), Answer(verdict))

    def asked():
        model = make(run="morning").bind(response_format=VERDICT, max_tokens=60)
        return model.invoke("Tea or coffee?").text

    with pytest.raises(ModelUnavailable):
        asked()
    assert [(entry.status, entry.answer) for entry in entries(ledger)] == [("settled", "")]
    assert json.loads(asked()) == verdict
    assert len(server.requests) == 2


def test_a_price_of_ones_own_is_one(make, server):
    own = {"our-model": TokenPrice(Decimal("0.2"), Decimal("0.8"))}
    make(Budget(max_cost_usd=1), model="our-model", prices=own).invoke("Hi")
    make(Budget(max_tokens=500), model="our-model").invoke("Hi")


def test_a_tier_has_its_own_price(make, server, ledger):
    model = make(Budget(max_cost_usd=1), model="gpt-5")
    model.invoke("Hi", service_tier="flex")
    bill = server.bill
    spent = ledger.balance(ACCOUNT).spent
    assert spent.cost_nano_usd == bill.input_tokens * 625 + bill.output_tokens * 5_000


def test_a_chain_is_a_chain(make, server):
    server.script(Answer("Cha."))
    chain = ChatPromptTemplate.from_template("What is {it}?") | make()
    assert chain.invoke({"it": "tea"}).text == "Cha."


def test_the_model_that_was_given_stays_as_it_was(server, ledger):
    ledger.open(ACCOUNT, Budget(max_tokens=100))
    model = client(server, max_tokens=5000, max_retries=1)
    metered(model, ledger, ACCOUNT).invoke("Hi")
    assert (model.max_tokens, model.max_retries, model.root_async_client.max_retries) == (
        5000,
        1,
        1,
    )
    model.invoke("Hi")
    assert server.requests[1].output_cap == 5000


def test_what_is_no_chat_model_is_not_taken(ledger, server):
    with pytest.raises(InvalidInput, match="langchain-openai"):
        metered(object(), ledger, ACCOUNT)
    with pytest.raises(KeyError):
        metered(client(server), ledger, "never opened")
    with pytest.raises(InvalidInput, match="ledger and account"):
        metered(client(server), ledger)
    with pytest.raises(InvalidInput, match="registered executor"):
        metered(client(server)).invoke("Hi")
