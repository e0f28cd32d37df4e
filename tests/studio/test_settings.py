"""The context changes what a run does, and cannot change what is the deployment's."""

import pytest

from tests.harness.llm_server import Answer, LLMServer
from tests.studio.conftest import BUDGET, TASK
from thrifty import Budget, Context, Receipt

pytestmark = pytest.mark.studio

DEPLOYMENTS_KEY = "Bearer sk-of-the-deployment"


def test_steps_model_and_prompt_do_what_they_say(run, models):
    prompt = Context().outline_prompt + "\nEnd with the word FINIS."
    context = {"max_steps": 2, "model": "cheap", "outline_prompt": prompt}
    receipt = Receipt.from_state(
        run(input={"task": TASK, "budget": BUDGET}, context=context)["receipt"]
    )
    assert sum(line.status == "done" for line in receipt.lines) == 2
    assert {request.model for request in models.requests} == {"gpt-5-mini"}
    outlines = [request for request in models.requests if "its outline" in request.prompt]
    assert outlines
    assert all("End with the word FINIS." in request.prompt for request in outlines)


def test_an_assistant_keeps_settings_and_a_budget(client, run, models):
    context = {"max_tokens": 900, "max_tool_calls": 1}
    assistant = client.assistants.create("thrifty", context=context, name="small")
    result = run(assistant=assistant["assistant_id"], input={"task": TASK})
    receipt = Receipt.from_state(result["receipt"])
    assert receipt.budget == Budget(max_tokens=900, max_tool_calls=1)
    assert receipt.within_budget
    assert models.bill.total_tokens <= 900


@pytest.mark.parametrize("way", ["context", "configurable"])
def test_an_address_or_a_key_from_a_client_reaches_nothing(run, models, way):
    """The server takes out settings that are no fields of the context; the graph knows none."""
    with LLMServer() as decoy:
        hostile = {"base_url": decoy.base_url, "api_key": "sk-hostile", "openai_api_base": "x"}
        given = {"context": hostile} if way == "context" else {"config": {"configurable": hostile}}
        run(input={"task": TASK, "budget": BUDGET}, **given)
        assert not decoy.requests
    assert models.requests
    assert {request.headers["authorization"] for request in models.requests} == {DEPLOYMENTS_KEY}


def test_naming_somebody_elses_run_gets_none_of_its_text(run, thread, models):
    models.script(Answer("Known to Alice alone.", when="alice", times=None))
    run(thread, input={"task": "Draft a project plan for Alice", "budget": BUDGET})
    budget = {"max_tokens": 4000, "max_tool_calls": 5}
    stolen = {
        "task": "Draft a project plan",
        "budget": budget,
        "run_id": f"run:local/thread={thread}/run=1",
    }
    assert "Known to Alice alone" not in str(run(input=stolen, raise_error=False))
