"""Two users of one server over HTTP: what either writes, the other's money stays as it is."""

import shutil
from contextlib import closing
from typing import Any, NamedTuple

import httpx
import pytest
from langgraph.pregel.remote import RemoteException, RemoteGraph
from langgraph_sdk import get_sync_client
from langgraph_sdk.errors import APIError, ConflictError, NotFoundError

from tests.harness.dev_server import ROOT, DevServer
from tests.harness.llm_server import LLMServer
from tests.long_cases import long_but
from tests.studio.conftest import BUDGET, TASK
from thrifty import Budget, Spend, SqliteLedger

pytestmark = pytest.mark.studio

FOLDER = ROOT / "tests" / "studio" / "two_users"
A_YEAR = Budget(max_tokens=400_000, max_tool_calls=400)
OWN_STEP = "a step of one's own"
NODES = (
    *("generate_options", "plan", "route", "run_llm", "run_local"),
    *("check_spend", "approve", "finish"),
)
WAITS: dict[str, Any] = {"approve_plan": True, "learn": False}
REFUSED = NotFoundError, ConflictError, httpx.HTTPStatusError


class Deployment(NamedTuple):
    """A running server, its ledger and its models."""

    server: DevServer
    ledger: SqliteLedger
    models: LLMServer

    def client(self, user: str, **headers: str) -> Any:
        named = {"authorization": f"Bearer {user}"} if user else {}
        return closing(get_sync_client(url=self.server.url, headers={**named, **headers}))


class Victim(NamedTuple):
    """A user with a run that waits, and one that has ended."""

    user: str
    waits: str
    ended: str

    def run(self, thread: str) -> str:
        return f"run:user={self.user}/account=user%3A{self.user}/thread={thread}/run=1"

    def books(self, ledger: SqliteLedger) -> list[Any]:
        """All that the ledger says of this user."""
        accounts = (f"user:{self.user}", self.run(self.waits), self.run(self.ended))
        return [(ledger.balance(name), ledger.entries(name, below=True)) for name in accounts]


@pytest.fixture(scope="module")
def deployment(tmp_path_factory):
    yield from running(tmp_path_factory.mktemp("two"), "langgraph.json")


@pytest.fixture(scope="module")
def without_users(tmp_path_factory):
    yield from running(tmp_path_factory.mktemp("none"), "without_users.json")


def running(folder, config):
    shutil.copytree(FOLDER, folder, dirs_exist_ok=True)  # the server writes beside its files
    file = str(folder / "ledger.sqlite")
    ledger = SqliteLedger(file)
    for user in ("ann", "bob", "studio"):
        ledger.open(f"user:{user}", A_YEAR)
    with LLMServer() as models:
        found = {
            "LEDGER_FILE": file,
            "OPENAI_BASE_URL": models.base_url,
            "OPENAI_API_KEY": "sk-of-the-deployment",
        }
        with DevServer(folder, found, folder / config) as server:
            yield Deployment(server, ledger, models)
            assert "BlockingError" not in server.log
    ledger.disconnect()


ASKED = {"task": TASK, "budget": BUDGET}


@pytest.fixture(scope="module")
def ended(deployment):
    """A thread of Bob's whose run has ended."""
    with deployment.client("bob") as client:
        thread = client.threads.create()["thread_id"]
        client.runs.wait(thread, "thrifty", input=ASKED, context={"learn": False})
    return thread


@pytest.fixture
def bob(deployment, ended):
    """For each test, a run of his that waits and has spent nothing yet."""
    with deployment.client("bob") as client:
        waits = client.threads.create()["thread_id"]
        client.runs.wait(waits, "thrifty", input=ASKED, context=WAITS)
    return Victim("bob", waits, ended)


@pytest.fixture
def ann(deployment, bob):
    """Ann's client. In the end Bob has what he had, and Ann has paid what the models billed."""
    before, billed = bob.books(deployment.ledger), deployment.models.bill.total_tokens
    paid = deployment.ledger.balance("user:ann").spent
    with deployment.client("ann") as client:
        yield client
    assert bob.books(deployment.ledger) == before
    balance = deployment.ledger.balance("user:ann")
    assert balance.budget == A_YEAR
    assert A_YEAR.covers(balance.spent + balance.reserved)
    assert balance.spent.tokens - paid.tokens == deployment.models.bill.total_tokens - billed


@pytest.fixture
def thread(ann):
    return ann.threads.create()["thread_id"]


@pytest.fixture
def waiting(ann, thread):
    """A thread of Ann's whose run waits for her to approve its plan."""
    ann.runs.wait(thread, "thrifty", input=ASKED, context=WAITS)
    return thread


def forged(state: Any, bob: Victim) -> dict[str, Any]:
    """A state as Ann would like to have it: Bob's run, and nothing costs."""
    free, endless = Spend().to_state(), Budget(max_tokens=10**9).to_state()
    chosen = [{**option, "estimate": free} for option in state.get("plan", {}).get("chosen", [])]
    his = bob.run(bob.waits)
    named = {"id": his, "common": "user:bob", "user": "bob", "thread_id": bob.waits}
    assignments = [
        {
            "option": option,
            "key": f"{his}/steps/{option['name']}",
            "reserved": Spend(10**6, 0, 0, 10).to_state(),
            "reads": [],
            "absent": [],
            "answers": False,
            "revises": False,
            "revised_parts": 0,
            "kept_ms": 0,
            "charged_before": free,
        }
        for option in chosen
    ]
    return {
        "run": {
            **{**named, "name": "", "number": 1, "task": TASK, "budget": endless},
            **{"recipe": "proposal", "conversation": [], "documents": []},
            "decomposition": None,
            "words": 0,
            "asked": {"tokens": 0, "attachments": 0, "bytes": 0, "json_bytes": 0},
        },
        "run_id": his[:100],
        "budget": {"max_tokens": 10**9},
        "plan": {**state["plan"], "chosen": chosen} if "plan" in state else None,
        "assignments": assignments,
        "outcomes": [],
        "spend": free,
        "is_approved": True,
        "direction": "route",
        "left_out": [],
        "user": "bob",
        "langgraph_auth_user_id": "bob",
    }


def attempt(act: Any) -> Any:
    """What comes of an act, which may be refused, or end its own run."""
    try:
        return act()
    except (APIError, RemoteException, httpx.HTTPError) as refused:
        return refused
    except Exception as error:
        if type(error) is not Exception:  # the SDK's own for a run that failed
            raise
        return error


def test_what_was_once_charged_to_another(ann, deployment, bob, waiting):
    """`update_state` with Bob's run as what `approve` wrote: he paid 2,006 tokens, Ann nothing."""
    run = ann.threads.get_state(waiting)["values"]["run"]
    his = {**run, "id": bob.run(bob.waits), "common": "user:bob"}
    wanted = {"run": his, "direction": "route", "is_approved": True}
    ann.threads.update_state(waiting, wanted, as_node="approve")
    before = deployment.ledger.balance("user:ann").spent
    result = ann.runs.wait(waiting, "thrifty", input=None, context={"learn": False})
    assert result["status"] == "done"
    assert result["receipt"]["run_id"].startswith("run:user=ann/")
    assert deployment.ledger.balance("user:ann").spent.tokens > before.tokens


@pytest.mark.parametrize("node", long_but(NODES, "approve"))
def test_an_update_as_any_node(ann, bob, waiting, node):
    state = ann.threads.get_state(waiting)["values"]
    for then in ({"input": None}, {"command": {"resume": "go"}}):
        attempt(lambda: ann.threads.update_state(waiting, forged(state, bob), as_node=node))
        attempt(lambda given=then: ann.runs.wait(waiting, "thrifty", **given))


@pytest.mark.parametrize("goto", long_but([None, *NODES, OWN_STEP], OWN_STEP))
def test_a_command(ann, bob, waiting, goto):
    state = forged(ann.threads.get_state(waiting)["values"], bob)
    command = {"resume": "go", "update": state}
    if goto in NODES:
        command["goto"] = goto
    elif goto:
        (first, *_) = state["assignments"]
        sent = {"run": state["run"], "spend": state["spend"], "assignment": first}
        command["goto"] = {"node": "run_llm", "input": sent}
    attempt(lambda: ann.runs.wait(waiting, "thrifty", command=command))
    attempt(lambda: ann.runs.wait(waiting, "thrifty", input=None))


CLAIMS = {"user_id": "bob", "user": "bob", "account": "user:bob", "payer": "bob", "owner": "bob"}
RESERVED = {"langgraph_auth_user_id": "bob", "langgraph_auth_user": {"identity": "bob"}}


@pytest.mark.parametrize(
    "given",
    long_but(
        [
            {"metadata": {**CLAIMS, **RESERVED}},
            {"config": {"configurable": CLAIMS, "metadata": RESERVED}},
            {"config": {"configurable": RESERVED}},
            {"config": {"configurable": {"thread_id": "bob's", "checkpoint_ns": "a|b"}}},
            {"config": {"configurable": {"__pregel_task_id": "x", "checkpoint_ns": "a|b"}}},
            {"context": {"max_tokens": 10**9, "learn": True}},
            {"context": CLAIMS},
            {"checkpoint": {"checkpoint_ns": "writer:1|plan:2", "thread_id": "bob's"}},
            {
                "headers": {
                    "x-user": "bob",
                    "x-langgraph-auth-user-id": "bob",
                    **{"x-account": "bob"},
                }
            },
        ],
        {"metadata": {**CLAIMS, **RESERVED}},
        {"config": {"configurable": RESERVED}},
        {"context": CLAIMS},
    ),
    ids=lambda given: "-".join(given),
)
def test_what_stands_beside_the_input(ann, bob, thread, given):
    given = {**given}
    for place in ("checkpoint", "config"):
        inner = given.get(place, {})
        known = inner.get("configurable", inner)
        if known.get("thread_id") == "bob's":
            known["thread_id"] = bob.waits
    result = attempt(lambda: ann.runs.wait(thread, "thrifty", input=ASKED, **given))
    if not isinstance(result, Exception):
        # Of the place in a parent's graph a client may say what it likes: it is a run of its own.
        told = result["receipt"]["run_id"]
        assert told.startswith(f"run:user=ann/account=user%3Aann/thread={thread}/")


def test_an_input_with_all_of_it(ann, bob, thread):
    given = {"task": TASK, **forged({}, bob)}
    result = ann.runs.wait(thread, "thrifty", input=given, context={"learn": False})
    assert result["receipt"]["run_id"].startswith("run:user=ann/")
    named = ann.runs.wait(None, "thrifty", input={**given, "budget": BUDGET, "run_id": "bob/1"})
    assert named["receipt"]["run_id"].endswith("/named=bob%2F1")


@pytest.mark.parametrize("graph", long_but(["parent", "shared"], "shared"))
def test_in_a_parents_graph(ann, bob, thread, graph):
    asked = {"task": TASK, "budget": BUDGET} if graph == "shared" else {
        "question": TASK, "limits": BUDGET
    }  # fmt: skip
    context = {"context": WAITS} if graph == "shared" else {}
    ann.runs.wait(thread, graph, input=asked, **context)
    at = ann.threads.get_state(thread, subgraphs=True)
    assert at["next"] == ["writer"]
    inner = at["tasks"][0]["state"]
    values = inner["values"] if inner else {}
    made = forged(values, bob)
    if inner:
        where = inner["checkpoint"]
        attempt(lambda: ann.threads.update_state(thread, made, as_node="approve", checkpoint=where))
    command = {"resume": "go", "update": {**made, "limits": {"max_tokens": 10**9}}}
    result = attempt(lambda: ann.runs.wait(thread, graph, command=command))
    attempt(lambda: ann.runs.wait(thread, graph, input=None))
    assert not isinstance(result, Exception), result


def test_through_a_remote_graph(ann, bob, thread):
    remote = RemoteGraph("thrifty", sync_client=ann)
    config = {"configurable": {"thread_id": thread, **CLAIMS}}
    first = remote.invoke({"task": TASK, **forged({}, bob), "budget": BUDGET}, config)
    assert first["receipt"]["run_id"].startswith("run:user=ann/")
    state = remote.get_state({"configurable": {"thread_id": thread}})
    made = forged(state.values, bob)
    attempt(lambda: remote.update_state(config, made, as_node="approve"))
    attempt(lambda: remote.invoke(None, config))


def test_anothers_thread_and_run_are_not_there(ann, bob):
    for act in (
        lambda: ann.threads.get_state(bob.waits),
        lambda: ann.threads.update_state(bob.waits, {"direction": "route"}, as_node="approve"),
        lambda: ann.threads.copy(bob.waits),
        lambda: ann.runs.wait(bob.waits, "thrifty", command={"resume": "go"}),
        lambda: ann.runs.wait(bob.waits, "thrifty", input=ASKED),
    ):
        assert isinstance(attempt(act), REFUSED)


def test_an_assistant_that_claims_to_be_another(ann, thread):
    config = {"configurable": {**RESERVED, **CLAIMS}}
    made = ann.assistants.create("thrifty", metadata={**CLAIMS}, name="bob's", config=config)
    result = ann.runs.wait(thread, made["assistant_id"], input=ASKED)
    assert result["receipt"]["run_id"].startswith("run:user=ann/")


def test_an_account_by_what_a_client_writes_is_refused(ann, thread):
    refused = attempt(
        lambda: ann.runs.wait(
            thread, "careless", input=ASKED, config={"configurable": {"payer": "bob"}}
        )
    )
    assert "account: got 'payer'; on an Agent Server a client can write it" in str(refused)


def test_the_middleware_asks_who_is_authenticated(ann, deployment, thread):
    before = deployment.ledger.balance("user:ann").spent
    said = [{"role": "user", "content": "What is tea?"}]
    config = {"configurable": CLAIMS, "metadata": CLAIMS}
    ann.runs.wait(thread, "chat", input={"messages": said}, config=config)
    spent = deployment.ledger.balance("user:ann").spent
    assert spent.tool_calls == before.tool_calls + 1


def test_a_user_without_an_account_spends_nothing(deployment, ann):
    with deployment.client("eve") as eve:
        refused = attempt(lambda: eve.runs.wait(None, "thrifty", input=ASKED))
    assert "account: got 'user:eve'; open it first, with ledger.open" in str(refused)


def test_nobody_is_let_in_without_a_user(deployment, ann):
    with deployment.client("") as nobody:
        refused = attempt(lambda: nobody.runs.wait(None, "thrifty", input={"task": TASK}))
    assert "401" in str(refused) or "log in" in str(refused)


def test_studios_pass_is_nobodys_account(deployment, ann):
    """A development server lets in whoever sends this header, as one user for all."""
    with deployment.client("", **{"x-auth-scheme": "langsmith"}) as browser:
        refused = attempt(lambda: browser.runs.wait(None, "thrifty", input=ASKED))
        assert "account: got 'langgraph-studio-user'; log in as a user" in str(refused)


def test_studio_has_an_account_where_the_deployment_names_one(deployment, bob):
    before = deployment.models.bill.total_tokens
    with deployment.client("", **{"x-auth-scheme": "langsmith"}) as browser:
        result = browser.runs.wait(None, "studio", input=ASKED)
    assert result["receipt"]["run_id"].startswith("run:user=langgraph-studio-user/")
    spent = deployment.ledger.balance("user:studio").spent
    assert spent.tokens == deployment.models.bill.total_tokens - before > 0


@pytest.mark.parametrize("header", long_but([{}, {"x-auth-scheme": "langsmith"}], {}))
def test_without_authentication_there_is_one_local_user(without_users, header):
    with without_users.client("", **header) as client:
        thread = client.threads.create()["thread_id"]
        result = client.runs.wait(thread, "local", input=ASKED)
    assert result["receipt"]["run_id"] == f"run:local/thread={thread}/run=1"


@pytest.mark.parametrize("graph", ["thrifty", "chat"])
@pytest.mark.parametrize("claims", long_but([{}, CLAIMS], CLAIMS))
def test_without_authentication_an_account_that_needs_a_user_is_refused(
    without_users, graph, claims
):
    asked = {"task": TASK, "messages": [{"role": "user", "content": "What is tea?"}]}
    before = without_users.models.bill.total_tokens
    with without_users.client("ann") as client:
        refused = attempt(
            lambda: client.runs.wait(None, graph, input=asked, config={"configurable": {**claims}})
        )
    assert "account: got ''; a user has to be authenticated for this account" in str(refused)
    assert without_users.models.bill.total_tokens == before
