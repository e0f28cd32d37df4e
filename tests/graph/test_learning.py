"""An agent with a store: what one run's bills came to is what the next one expects."""

import pytest
from langgraph.store.memory import InMemoryStore

from tests.graph.conftest import TASK, decisions_of, receipt_of
from tests.harness.llm_server import Answer
from thrifty import Plan, Settings, Spend, StepOption, rate
from thrifty.estimates.history import NAMESPACE
from thrifty.executors.step_limit import OUTPUT_HEADROOM
from thrifty.models.roles.agent_models import ModelPrompt
from thrifty.models.roles.model_roles import ModelRoles

BUDGET = {"max_tokens": 3_000}
CONTEXT = {"propose_options": False}
MODELS = {"strong": "gpt-5", "cheap": "gpt-5-mini"}
AIMS = StepOption("Aims (LLM)", "Aims", "llm", "says why", Spend(600, 0, 900, 1), 10.0)
COSTS = StepOption("Costs (LLM)", "Costs", "llm", "says what", Spend(500, 0, 900, 1), 9.0)


def foreseen(result) -> dict[str, int]:
    return {option.name: option.estimate.tokens for option in first_plan(result).chosen}


def first_plan(result) -> Plan:
    return Plan.from_state(result["plan"])


def invoke(agent, **context):
    return agent.invoke({"task": TASK, "budget": BUDGET}, context={**CONTEXT, **context})


@pytest.fixture
def agent(online, server):
    server.script(Answer(tokens=150, times=None))
    return online(catalog=[AIMS, COSTS], store=InMemoryStore())


def test_a_run_expects_what_earlier_ones_came_to(agent):
    first = invoke(agent, max_replans=0)
    for _ in range(6):
        result = invoke(agent, max_replans=0)
    assert foreseen(first) == {"Aims (LLM)": 600, "Costs (LLM)": 500}
    actual = {line.label: line.actual.tokens for line in receipt_of(result).lines}
    for name, tokens in foreseen(result).items():
        assert tokens == pytest.approx(actual[name], rel=0.25)
    assert decisions_of(result, "options") == ["estimates are drawn from 12 bills of earlier runs"]


@pytest.mark.parametrize("tools", [[], [lambda: ""]])
def test_an_answer_learns_from_the_answers_to_other_tasks(online, server, tools):
    """How long answers are here, and how often tools are called. What is sent is counted anew."""
    server.script(Answer(tokens=2_200, times=None))
    for tool in tools:
        tool.__name__, tool.__doc__ = "look", "Looks."
    agent = online(catalog=None, models={"strong": "gpt-5"}, tools=tools, store=InMemoryStore())

    def invoke(task):
        return agent.invoke({"task": task, "budget": {"max_tokens": 90_000}})

    (before,) = foreseen(invoke("Name a sea")).values()
    for number in range(6):
        result = invoke(f"Name sea no. {number} " + "please " * number)
    (after,) = foreseen(result).values()
    assert after == pytest.approx(result["spend"]["tokens"], rel=0.25)
    assert abs(after - before) > 100
    told = "estimates are drawn from 6 bills of earlier runs"
    assert decisions_of(result, "options")[0] == told
    (long,) = foreseen(invoke("Summarise this: " + "word " * 10_000)).values()
    assert long > 10_000 + 500


def test_answers_that_were_long_keep_no_short_one_out(online, server):
    """What a small budget holds is asked for, and cut at its cap where it turns out long."""
    store = InMemoryStore()
    agent = online(catalog=None, models={"strong": "gpt-4o"}, store=store)

    def invoke(task, **budget):
        return agent.invoke({"task": task, "budget": budget})

    server.script(Answer(tokens=5_000, times=2))
    for number in range(2):
        invoke(f"Write essay no. {number}", max_tokens=60_000)
    server.script(Answer("Blue and deep.", times=1), Answer(tokens=5_000, times=None))
    short = invoke("Write a poem", max_tokens=1_000)
    assert (short["status"], short["answer"]) == ("done", "Blue and deep.")
    assert foreseen(short)["Answer (strong)"] == 1_000
    cut = invoke("Write a third essay", max_tokens=1_000)
    assert cut["status"] == "done"
    assert receipt_of(cut).lines[0].status == "cut"
    assert receipt_of(cut).bound_by == ("tokens",)
    # One cent holds a fifth of a strong answer, and a cheap one whole.
    agent = online(catalog=None, models={"strong": "gpt-4o", "cheap": "gpt-4o-mini"}, store=store)
    assert list(foreseen(invoke("Write a fourth", max_cost_usd=0.01))) == ["Answer (cheap)"]


def test_what_is_asked_for_and_reserved_at_most_is_still_the_catalogs(agent, server, ledger):
    """Else an answer that came out short would be asked for shorter still, run after run."""
    for number in range(4):
        agent.invoke({"task": TASK, "budget": BUDGET, "run_id": f"{number}"}, context=CONTEXT)
    prompts = [request.prompt for request in server.requests]
    assert prompts[-2:] == prompts[:2]
    bills = [ledger.entries(f"run:local/named={number}") for number in (0, 3)]
    held = [{entry.label: entry.reserved.tokens for entry in bill} for bill in bills]
    strong = ModelRoles(Settings("sk-test"))["strong"]
    aims, costs = (ModelPrompt("strong", text).input_tokens(strong) for text in prompts[:2])
    assert held[0] == held[1]
    assert held[0]["Aims (LLM)"] == aims + OUTPUT_HEADROOM * (600 - aims)
    assert held[0]["Costs (LLM)"] == costs + OUTPUT_HEADROOM * (500 - costs)


def test_the_switch_turns_it_off(agent):
    for _ in range(3):
        result = invoke(agent, learn=False)
    assert foreseen(result) == {"Aims (LLM)": 600, "Costs (LLM)": 500}
    assert invoke(agent)["plan"] == result["plan"]  # nothing was kept either


def test_a_cold_start_is_a_run_without_a_store(agent, online):
    assert invoke(agent)["plan"] == invoke(online(catalog=[AIMS, COSTS]))["plan"]


def test_ratings_move_a_value(online, server):
    """Ten is worth what is right in 8 of 10 cases. Four ratings count as much as that."""
    store = InMemoryStore()
    agent = online(catalog=[AIMS, COSTS], store=store)
    for _ in range(4):
        rate(store, receipt_of(invoke(agent)).run_id, {"Aims": 0.4})
    values = {option.name: option.value for option in first_plan(invoke(agent)).chosen}
    assert values == {"Aims (LLM)": pytest.approx(7.5), "Costs (LLM)": 9.0}


def test_ratings_change_no_limit_and_no_cap(online, server):
    """What is reserved and sent is the same, whatever a store says of who is right."""
    caps = []
    for rating in (None, 0.0, 1.0):
        store = InMemoryStore()
        agent = online(catalog=[AIMS], store=store)
        run_id = receipt_of(invoke(agent)).run_id
        if rating is not None:
            rate(store, run_id, {"Aims": rating})
        invoke(agent)
        caps.append(server.requests[-1].output_cap)
    assert caps[0] == caps[1] == caps[2] > 0


@pytest.mark.parametrize("tokens", [0, 10**15])
def test_a_store_that_lies_steers_a_run_and_takes_it_over_no_limit(online, server, tokens):
    store = InMemoryStore()
    agent = online(catalog=[AIMS, COSTS], store=store)
    invoke(agent)
    for item in store.search(NAMESPACE):
        (record,) = item.value["records"]
        lies = [{**record, "run": f"{n}", "actual": {"tokens": tokens}} for n in range(40)]
        store.put(NAMESPACE, item.key, {**item.value, "records": lies})
    server.script(Answer(tokens=5_000, times=None))
    result = invoke(agent)
    assert receipt_of(result).within_budget
    assert result["status"] in ("done", "halted")


def test_a_store_that_is_gone_is_a_remark(online):
    class Gone(InMemoryStore):
        def batch(self, ops):
            raise ConnectionError

    result = invoke(online(catalog=[AIMS, COSTS], store=Gone()))
    assert result["status"] == "done"
    assert decisions_of(result, "options") == [
        "earlier bills could not be read (ConnectionError)",
        "this run's bills could not be kept (ConnectionError)",
    ]


def test_savings_move_a_step_from_a_cheap_model_to_a_strong_one(online, server):
    """Options may name a model of their own."""
    cheap = StepOption(
        "Costs (mini)", "Costs", "llm", "says what", Spend(300, 0, 900, 1), 5.0,
        payload={"model": "cheap"},
    )  # fmt: skip
    server.script(Answer(tokens=100, times=None))
    agent = online(catalog=[AIMS, COSTS, cheap], models=MODELS)
    context = {**CONTEXT, "risk": 0.5}
    result = agent.invoke({"task": TASK, "budget": {"max_tokens": 1_000}}, context=context)
    (reason,) = decisions_of(result, "upgrade")
    assert reason.startswith("Costs moved from gpt-5-mini to gpt-5: ")
    assert [request.model for request in server.requests] == ["gpt-5", "gpt-5"]


def test_overspend_moves_a_step_from_a_strong_model_to_a_cheap_one(online, server):
    cheap = StepOption(
        "Costs (mini)", "Costs", "llm", "says what", Spend(150, 0, 900, 1), 5.0,
        payload={"model": "cheap"},
    )  # fmt: skip
    server.script(Answer(tokens=700, times=1), Answer(tokens=20, times=None))
    agent = online(catalog=[AIMS, COSTS, cheap], models=MODELS)
    context = {**CONTEXT, "risk": 0.5}
    result = agent.invoke({"task": TASK, "budget": {"max_tokens": 1_200}}, context=context)
    (reason,) = decisions_of(result, "downgrade")
    assert reason.startswith("Costs moved from gpt-5 to gpt-5-mini: ")
    assert [request.model for request in server.requests] == ["gpt-5", "gpt-5-mini"]
