"""What an option is expected to use, by what is sent for it."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.harness.llm_server import LLMServer
from thrifty import Model, Settings, Spend, Step, StepOption, TokenPrice, UseFee, proposal_recipe
from thrifty.executors.answer_shape import AnswerShape
from thrifty.executors.model_access import ModelAccess
from thrifty.executors.protocol import Result, Work
from thrifty.executors.registry import AGENT
from thrifty.executors.results import Results
from thrifty.executors.step_estimate import StepEstimator, add_input
from thrifty.models.providers.vendor_request import CallBounds
from thrifty.models.roles.agent_models import ModelPrompt
from thrifty.models.roles.asked import Asked
from thrifty.models.roles.chat_clients import ChatClients
from thrifty.models.roles.model_role import ModelRole
from thrifty.models.roles.model_roles import ModelRoles
from thrifty.nodes.context import Context
from thrifty.options.direct_answer import DirectAnswer
from thrifty.options.proposals import PROPOSAL_TOOL

SEARCHES = {"web_search": UseFee(0.01, uses_max=2, tokens_max=100)}
ROLES = {
    "strong": Model("gpt-5", price=TokenPrice(Decimal("1"), Decimal("4"))),
    "searches": Model("sonar", price=TokenPrice(Decimal("1"), Decimal("4")), fees=SEARCHES),
    "odd": Model("nobody-knows"),
}
OPTION = StepOption("x (LLM)", "x", "llm", "does x", Spend(600, 0, 900, 1), 1.0, spread=0.25)


def prompt_of(work: Work, role: ModelRole) -> ModelPrompt:
    return ModelPrompt(role.name, f"{work.task}\n{work.draft}")


def roles(*, is_offline: bool = False) -> ModelRoles:
    return ModelRoles(Settings("" if is_offline else "sk-test", models=ROLES))


def input_tokens(work: Work) -> int:
    role = roles()["strong"]
    return prompt_of(work, role).input_tokens(role)


def estimator(task: str, *, is_offline: bool = False, money: bool = False) -> StepEstimator:
    return StepEstimator(ModelAccess(roles(is_offline=is_offline), money), task, prompt_of)


@given(sent=st.integers(0, 100_000), declared=st.integers(0, 10_000))
def test_half_of_what_is_declared_is_room_for_what_is_sent(sent, declared):
    option = replace(OPTION, estimate=Spend(declared, 0, 900, 1))
    expected = add_input(option, sent)
    assert expected.estimate.tokens == max(declared, sent + declared // 2)
    assert expected.estimate == replace(option.estimate, tokens=expected.estimate.tokens)
    assert expected.expected_output_tokens == declared // 2


@given(st.integers(0, 100_000), st.integers(0, 10_000))
def test_to_estimate_again_changes_nothing(sent, declared):
    once = add_input(replace(OPTION, estimate=Spend(declared)), sent)
    assert add_input(once, sent) == once


def test_an_option_that_says_what_it_writes_is_counted_with_all_that_is_sent():
    answer = replace(OPTION, estimate=Spend(700), output_tokens=700)
    assert add_input(answer, 40).estimate.tokens == 740
    assert add_input(answer, 10_000).estimate.tokens == 10_700


def test_what_is_sent_is_certain():
    expected = add_input(OPTION, 5_700)
    assert expected.estimate.tokens == 6_000
    assert expected.spread * 6_000 == pytest.approx(OPTION.spread * 600)
    assert add_input(OPTION, 300).spread == OPTION.spread


def test_a_task_and_what_is_read_are_part_of_it():
    words = "word " * 2_000
    short, long = estimator("Short."), estimator(words)
    assert short.estimate_option(OPTION).estimate == OPTION.estimate
    sent = input_tokens(Work(words, OPTION))
    assert sent > 2_000
    assert long.estimate_option(OPTION).estimate.tokens == sent + 300
    read = Work("Short.", OPTION, draft=words)
    expected = short.estimate_work(read).estimate.tokens
    assert expected == input_tokens(read) + 300


def test_input_and_output_have_each_their_price():
    expected = estimator("word " * 2_000, money=True).estimate_option(OPTION).estimate
    sent = expected.tokens - 300
    assert expected.cost_nano_usd == sent * 1_000 + 300 * 4_000
    stated = replace(OPTION, estimate=replace(OPTION.estimate, cost_nano_usd=5))
    priced = estimator("Short.", money=True).estimate_option(stated)
    assert priced.estimate.cost_nano_usd == 5
    unknown = replace(OPTION, payload={"model": "odd"})
    assert estimator("Short.", money=True).estimate_option(unknown).estimate == OPTION.estimate


def test_what_is_read_again_after_each_search_and_its_fee_are_part_of_it():
    searching = replace(OPTION, payload={"model": "searches"})
    given = estimator("Which tea?", money=True)
    sent = given.input_tokens(Work("Which tea?", searching))
    expected = given.estimate_option(searching)
    read, written = 3 * sent + 2 * 300 + 100 + 200, 300
    assert expected.estimate.tokens == read + written
    cost = read * 1_000 + written * 4_000 + 2 * 10_000_000
    assert expected.estimate.cost_nano_usd == cost
    assert given.estimate_option(expected) == expected


def test_an_agents_model_searches_in_each_of_its_calls():
    access = ModelAccess(roles(), True, chosen="searches")
    given = StepEstimator(access, "Which tea?", prompt_of)
    agent = replace(OPTION, executor=AGENT, estimate=Spend(900, 0, 900, 3), payload={})
    sent = given.input_tokens(Work("Which tea?", agent))
    expected = given.estimate_option(agent).estimate
    read, written = 3 * sent + 2 * 450 + 3 * 300, 450
    assert expected.tokens == read + written
    assert expected.cost_nano_usd == read * 1_000 + written * 4_000 + 3 * 2 * 10_000_000


def test_what_no_model_does_and_what_none_can_be_asked_stay_as_they_are():
    words = "word " * 2_000
    local = replace(OPTION, executor="local")
    assert estimator(words).estimate_option(local) is local
    steps = (Step("x", (OPTION,)),)
    assert estimator(words, is_offline=True).estimate_steps(steps, Results({})) == steps


def test_the_tutorials_estimates_stay_as_they_are():
    task = "Draft a 1-page project proposal for a logistics dashboard + fleet optimization pilot."
    access = ModelAccess(roles(), False)
    catalog = proposal_recipe().steps
    estimated = StepEstimator(access, task, Context().step_prompt).estimate_steps(
        catalog, Results({})
    )
    for before, after in zip(catalog, estimated, strict=True):
        for declared, expected in zip(before.options, after.options, strict=True):
            assert (expected.estimate, expected.spread) == (declared.estimate, declared.spread)


@pytest.mark.parametrize("api", ["chat", "responses"])
@pytest.mark.parametrize("tool", [None, PROPOSAL_TOOL])
def test_a_prompt_is_counted_as_its_call_counts_it(api, tool):
    from langchain_core.messages import HumanMessage

    prompt = ModelPrompt("strong", "Write of grapes and größere Trauben. " * 40, tool=tool)
    with LLMServer() as server:
        settings = Settings("sk-test", server.base_url, models={"strong": "gpt-5"}, api=api)
        models = ModelRoles(settings)
        role, client = models["strong"], ChatClients(models).get("strong")
        options = client.tool_options([tool], tool_choice=tool["title"]) if tool else {}
        request = client.request([HumanMessage(prompt.text)], None, options, CallBounds(1_000))
    assert request.input_tokens <= prompt.input_tokens(role)
    if tool is None:
        assert request.input_tokens == prompt.input_tokens(role)


def answers(asked: Asked) -> tuple[StepEstimator, StepOption, StepOption]:
    """An estimator, and the options that answer with either model."""
    strong, odd, _ = DirectAnswer(tuple(roles())).steps(asked)[0].options
    access = ModelAccess(roles(), is_cost_limited=True)
    return StepEstimator(access, "Hi", Context().step_prompt, asked=asked), strong, odd


def test_a_conversation_counts_by_its_length_as_it_was_measured():
    """Its messages and documents are in no state that plans are made from."""
    estimates, option, _ = answers(Asked(5_000))
    work = Work("Hi", option, results={"Facts": Result("word " * 3_000)})
    assert 5_000 <= estimates.input_tokens(work) <= 5_050
    expected = estimates.estimate_work(work)
    written = option.expected_output_tokens
    assert option.estimate.tokens == 180 + written
    assert expected.estimate.tokens == estimates.input_tokens(work) + written
    cost = estimates.input_tokens(work) * 1_000 + written * 4_000
    assert expected.estimate.cost_nano_usd == cost


def test_what_an_answer_reads_of_other_steps_counts_beside_the_conversation():
    estimates, option, _ = answers(Asked(5_000))
    found = Result("word " * 3_000, spend=Spend())
    work = Work("Hi", option, results={"Facts": Result("word " * 3_000), "Found": found})
    assert 8_000 <= estimates.input_tokens(work) <= 8_150
    agent = replace(option, executor=AGENT)
    assert 16_000 <= estimates.input_tokens(replace(work, option=agent)) <= 16_300


def test_a_conversation_counts_by_its_bytes_where_no_encoding_is_known():
    asked = Asked.of({"messages": [{"role": "user", "content": "word " * 1_000}]})
    assert asked.tokens < 1_100
    estimates, known, unknown = answers(asked)
    assert estimates.input_tokens(Work("Hi", known)) < 1_200
    assert 5_000 <= estimates.input_tokens(Work("Hi", unknown)) < 5_100


def test_the_shape_of_an_answer_is_counted_beside_a_conversation():
    estimates, option, _ = answers(Asked(100))
    shape = AnswerShape.of(
        {"title": "Fleet", "type": "object", "properties": {"vans": {"type": "integer"}}}
    )
    without = estimates.input_tokens(Work("Hi", option))
    assert estimates.input_tokens(Work("Hi", option, shape=shape)) > without + 20


def test_an_agent_with_tools_sends_the_conversation_twice():
    (answer,) = DirectAnswer(tuple(roles()), has_agent=True).steps(Asked(5_000))
    agent = next(option for option in answer.options if option.executor == AGENT)
    expected = answers(Asked(5_000))[0].estimate_work(Work("Hi", agent))
    written = agent.expected_output_tokens
    assert agent.estimate.tokens == 2 * 180 + written
    assert expected.estimate.tokens == 2 * 5_000 + written
    assert answers(Asked(5_000))[0].estimate_work(Work("Hi", expected)) == expected
