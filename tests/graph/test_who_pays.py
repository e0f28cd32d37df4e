"""Nobody pays for another: whatever stands in a run's state, its own user's account pays."""

from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.store.memory import InMemoryStore
from langgraph.types import Command, Send

from tests.graph.conftest import TASK, receipt_of
from thrifty import (
    Budget,
    InvalidInput,
    LedgerUnavailable,
    Result,
    Spend,
    Step,
    StepOption,
    authenticated_user,
)
from thrifty.graph.control import finish_now, prepare_resume
from thrifty.models.roles.asked import Asked

NODES = ("generate_options", "plan", "route", "run_llm", "run_local", "check_spend", "approve")
WAITS: dict[str, Any] = {"context": {"approve_plan": True}}
ASKED: Any = {"task": TASK, "budget": {"max_tokens": 100, "max_tool_calls": 3}}
WORK = Spend(40, 0, 0, 1)
OPTION = StepOption("A (mine)", "A", "mine", "does A", Spend(60, 0, 9, 1), 5.0)


def pays(config):
    return f"user:{authenticated_user(config)}"


def of(user: str, thread: str) -> Any:
    return {"configurable": {"langgraph_auth_user_id": user, "thread_id": thread}}


ANN, BOB = of("ann", "of-ann"), of("bob", "of-bob")


@pytest.fixture
def agent(offline, ledger):
    """Of a deployment with two users, in which a run of Bob's has ended."""
    for user in ("ann", "bob"):
        ledger.open(f"user:{user}", Budget(max_tokens=500, max_tool_calls=9))
    agent = offline(
        catalog=[Step("A", (OPTION,))],
        executors={"mine": lambda work: Result("text", spend=WORK)},
        account=pays,
        checkpointer=InMemorySaver(),
        store=InMemoryStore(),
    )
    agent.invoke(ASKED, BOB)
    return agent


def forged(agent) -> dict[str, Any]:
    """The state that a client would like to have: another user's run, and nothing costs."""
    bobs = receipt_of(agent.get_state(BOB).values).run_id
    free = OPTION.to_state() | {"estimate": Spend().to_state(), "payload": {"account": "user:bob"}}
    endless = Budget(max_tokens=10**9).to_state()
    run = {"id": bobs, "common": "user:bob", "name": "", "number": 1, "task": TASK}
    run |= {
        "recipe": "own",
        "conversation": [],
        "decomposition": None,
        "words": 0,
        "asked": Asked(0).to_state(),
        "documents": [],
    }
    assignment = {
        "option": free,
        "key": f"{bobs}/steps/A (mine)",
        "reserved": Spend().to_state(),
        "reads": [],
        "absent": [],
        "answers": False,
        "revises": False,
        "revised_parts": 0,
        "kept_ms": 0,
        "charged_before": Spend(10**6, 10**6, 0, 10**6).to_state(),
    }
    return {
        "run": {**run, "budget": endless},
        "run_id": bobs,
        "budget": {"max_tokens": 10**9},
        "spend": Spend().to_state(),
        "assignments": [assignment],
        "proposed": [{**Step("A", (OPTION,)).to_state(), "options": [free]}],
        "is_approved": True,
        "direction": "route",
    }


def books(ledger, user: str) -> tuple[Any, ...]:
    """All that the ledger says of a user and its runs: limits, what was spent, every entry."""
    account = f"user:{user}"
    below = [each.name for each in ledger.accounts() if each.parent == account]
    balances = [ledger.balance(name) for name in (account, *below)]
    return *balances, ledger.entries(account, below=True)


def test_a_state_that_names_anothers_run_charges_its_own_user(agent, ledger):
    """It charged the other user's account 2,006 tokens and 4 calls, and its own nothing."""
    agent.invoke(ASKED, ANN, **WAITS)
    before = books(ledger, "bob")
    run = agent.get_state(ANN).values["run"]
    bobs = receipt_of(agent.get_state(BOB).values).run_id
    agent.update_state(ANN, {"run": {**run, "id": bobs, "common": "user:bob"}}, as_node="plan")
    agent.invoke(Command(resume="go"), ANN)
    assert books(ledger, "bob") == before
    assert ledger.balance("user:ann").spent == WORK


@pytest.mark.parametrize("node", NODES)
def test_whatever_a_client_writes_as_any_node_its_own_account_pays(agent, ledger, node):
    agent.invoke(ASKED, ANN, **WAITS)
    before = books(ledger, "bob")
    for given in (None, Command(resume="go"), Command(resume="go", update=forged(agent))):
        agent.update_state(ANN, forged(agent), as_node=node)
        try:
            agent.invoke(given, ANN)
        except (InvalidInput, KeyError, LedgerUnavailable):
            continue  # a state that makes no sense ends its own run
    assert books(ledger, "bob") == before
    check_own(ledger)


def check_own(ledger):
    """What Ann had done is on her bill, and she is within her limits."""
    balance = ledger.balance("user:ann")
    assert balance.budget == Budget(max_tokens=500, max_tool_calls=9)
    assert balance.budget.covers(balance.spent + balance.reserved)


def test_a_step_that_a_client_sends_itself_has_nothing_reserved(agent, ledger):
    """`Send` starts any node with any input. What `route` did not reserve is not done."""
    agent.invoke(ASKED, ANN)
    before, mine, made = books(ledger, "bob"), books(ledger, "ann"), forged(agent)
    (assignment,) = made["assignments"]
    assignment["option"] |= {"name": "another (mine)"}
    sent = {"run": made["run"], "spend": made["spend"], "assignment": assignment}
    sent["conversation"] = []
    agent.invoke(Command(goto=Send("run_local", sent)), ANN)
    reasons = [outcome["reason"] for outcome in agent.get_state(ANN).values["outcomes"]]
    assert "nothing was reserved for it" in reasons
    assert books(ledger, "bob") == before
    assert books(ledger, "ann") == mine


def test_a_step_costs_what_its_catalog_says_and_not_what_a_state_says(offline, ledger):
    """An executor that says nothing of its bill is charged what was declared."""
    ledger.open("user:ann", Budget(max_tokens=500, max_tool_calls=9))
    handed = []

    def work(work):
        handed.append(work.option)
        return "text"

    agent = offline(
        catalog=[Step("A", (OPTION,))],
        executors={"mine": work},
        account=pays,
        checkpointer=InMemorySaver(),
    )
    agent.invoke(ASKED, ANN, interrupt_before=["run_local"])
    (task,) = agent.get_state(ANN).tasks
    assert task.name == "run_local"
    values = agent.get_state(ANN).values
    free = {**values["assignments"][0], "reserved": Spend().to_state()}
    free["option"] = {**free["option"], "estimate": Spend().to_state(), "payload": {"x": 1}}
    agent.update_state(ANN, {"assignments": [free]}, as_node="route")
    agent.invoke(None, ANN)
    (option,) = handed
    assert (option.estimate, option.payload) == (OPTION.estimate, {})
    spent = ledger.balance("user:ann").spent
    assert (spent.tokens, spent.tool_calls) == (60, 1)


def test_a_proposed_step_is_held_to_its_catalog_wherever_it_comes_from(offline, ledger):
    handed = []

    def work(work):
        handed.append(work.option)
        return "text"

    agent = offline(
        catalog=[Step("A", (OPTION,))], executors={"mine": work}, checkpointer=InMemorySaver()
    )
    free = StepOption("B (mine)", "B", "mine", "b", Spend(), 9.0, payload={"drop": "tables"})
    cheaper = StepOption("A (mine)", "A", "mine", "a", Spend(), 9.0)
    roomy: Any = {**ASKED, "budget": {"max_tokens": 500}}
    agent.invoke(roomy, ANN, interrupt_after=["generate_options"])
    proposed = [Step("B", (free,)).to_state(), Step("A", (cheaper,)).to_state()]
    agent.update_state(ANN, {"proposed": proposed}, as_node="generate_options")
    agent.invoke(None, ANN)
    by_step = {option.step: option for option in handed}
    assert by_step["A"] == OPTION
    assert (by_step["B"].estimate, by_step["B"].payload) == (OPTION.estimate, {})
    assert by_step["B"].value == OPTION.value


def test_other_runs_learn_from_what_the_ledger_was_charged(agent, ledger):
    """Outcomes are written by whoever writes the state; bills are learned by everybody."""
    agent.invoke(ASKED, ANN, interrupt_before=["finish"])
    outcome = agent.get_state(ANN).values["outcomes"][-1]
    much = Spend(10**9, 0, 10**6, 10**6).to_state()
    claimed = {**outcome, "actual": much, "option": {**outcome["option"], "estimate": much}}
    direct = {"outcomes": [claimed], "direction": "finish"}
    agent.update_state(ANN, direct, as_node="check_spend")
    agent.invoke(None, ANN)
    records = [r for item in agent.store.search(("thrifty",)) for r in item.value["records"]]
    assert len(records) == 2  # Bob's and Ann's
    assert {record["actual"]["tokens"] for record in records} == {WORK.tokens}
    assert {record["estimate"]["tokens"] for record in records} == {OPTION.estimate.tokens}


def test_a_run_named_like_anothers_is_a_run_of_ones_own(agent, ledger):
    before = books(ledger, "bob")
    bobs = receipt_of(agent.get_state(BOB).values).run_id
    for config in (ANN, of("ann", "")):
        named: Any = {**ASKED, "budget": {"max_tokens": 300}, "run_id": bobs[:100]}
        assert receipt_of(agent.invoke(named, config)).run_id.startswith("run:user=ann/")
    assert books(ledger, "bob") == before
    check_own(ledger)


def test_anothers_thread_is_not_gone_on_with_and_not_paid(agent, ledger):
    """Who opens a thread of Bob's is not Bob: Ann's ledger knows nothing of the run."""
    agent.invoke(ASKED, of("bob", "waits"), **WAITS)
    before = books(ledger, "bob")
    with pytest.raises(LedgerUnavailable, match=r"the run 'run:user=ann/.*go on with the user"):
        agent.invoke(Command(resume="go"), of("ann", "waits"))
    assert books(ledger, "bob") == before
    assert ledger.balance("user:ann").spent == Spend()


@pytest.mark.parametrize("more", ["go", {"budget": {"max_tokens": 400}}])
def test_who_steers_a_run_from_outside_is_known_by_the_configuration(agent, ledger, more):
    before = books(ledger, "bob")
    agent.invoke(ASKED, ANN)
    agent.update_state(ANN, forged(agent), as_node="finish")
    with pytest.raises(InvalidInput, match=r"run: got 'run:user=eve/.*its user and its thread"):
        prepare_resume(agent, of("eve", "of-ann"), more)
    with pytest.raises(InvalidInput, match=r"run: got 'run:user=eve/"):
        finish_now(agent, of("eve", "of-ann"), "enough")
    agent.update_state(ANN, {"direction": "finish"}, as_node="check_spend")
    assert receipt_of(finish_now(agent, ANN, "enough")).run_id.startswith("run:user=ann/")
    assert books(ledger, "bob") == before
    check_own(ledger)


def test_on_a_server_a_function_sees_what_no_client_can_write(offline, ledger):
    ledger.open("team", Budget(max_tokens=500))
    seen: list[Any] = []

    def look(config):
        seen.append(config)
        return "team"

    agent = offline(account=look)
    written = {"user_id": "bob", "account": "user:bob", "graph_id": "thrifty"}
    agent.invoke(ASKED, {"configurable": written, "metadata": {"user": "bob"}, "tags": ["bob"]})
    assert "bob" not in str(seen)
    assert set(seen[0]["configurable"]) == {"graph_id"}
    careless = offline(account=lambda config: config["configurable"]["user_id"])
    with pytest.raises(InvalidInput, match=r"account: got 'user_id'; on an Agent Server a client"):
        careless.invoke(ASKED, {"configurable": written})
    assert receipt_of(agent.invoke(ASKED, {"configurable": {"user_id": "bob"}})).spent
    assert seen[-1]["configurable"]["user_id"] == "bob"  # there is no server, and no client


@pytest.mark.parametrize(
    ("account", "config", "told"),
    [
        (pays, {}, "account: got ''; a user has to be authenticated"),
        (pays, of("", "t"), "account: got ''; a user has to be authenticated"),
        (pays, of("langgraph-studio-user", "t"), "account: got 'langgraph-studio-user'; log in"),
        (pays, of("eve", "t"), "account: got 'user:eve'; open it first"),
        (lambda config: "", {}, "account: got ''; return the name of an account that is open"),
        (lambda config: None, {}, "account: got None; return the name of an account"),
    ],
)
def test_nobody_pays_where_nobody_is_known(offline, account, config, told):
    agent = offline(account=account, checkpointer=InMemorySaver())
    config = {"configurable": {"thread_id": "t"}, **config}
    with pytest.raises(InvalidInput, match=told.replace("(", r"\(")):
        agent.invoke(ASKED, config)


def test_studio_has_an_account_where_the_deployment_names_one(offline, ledger):
    ledger.open("user:the studio", Budget(max_tokens=500))
    agent = offline(account=lambda c: f"user:{authenticated_user(c, studio='the studio')}")
    result = agent.invoke(ASKED, of("langgraph-studio-user", ""))
    assert receipt_of(result).run_id.startswith("run:user=langgraph-studio-user/")


def test_a_node_that_starts_an_agent_on_a_thread_of_its_own_is_the_same_user(offline, ledger):
    """LangGraph drops the configuration around a run that names its thread."""
    ledger.open("user:ann", Budget(max_tokens=500))
    inner = offline(account=pays, checkpointer=InMemorySaver())
    receipts = []

    def work(work):
        receipts.append(receipt_of(inner.invoke(ASKED, {"configurable": {"thread_id": "inner"}})))
        receipts.append(receipt_of(inner.invoke(ASKED, of("bob", "another"))))
        return "text"

    outer = offline(
        catalog=[Step("A", (OPTION,))], executors={"mine": work}, checkpointer=InMemorySaver()
    )
    assert outer.invoke(ASKED, ANN)["status"] == "done"
    assert [r.run_id.split("/")[0] for r in receipts] == ["run:user=ann"] * 2
