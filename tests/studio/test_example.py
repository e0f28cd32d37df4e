"""The examples that are clients of a server, against the running one."""

import pytest

from tests.harness.llm_server import Answer

pytestmark = pytest.mark.studio


@pytest.mark.parametrize("drifts", [False, True])
def test_the_client_streams_a_run_and_answers_its_question(models, printed_by, drifts):
    if drifts:
        models.script(Answer(tokens=1500, times=None))
    printed = printed_by("studio_client")
    assert "   generate_options" in printed
    assert "## Outline plan" in printed
    assert ("Raise it, or finish?" in printed) == drifts
    limit = 9000 if drifts else 2200
    assert f"done: {models.bill.total_tokens} of {limit} tokens" in printed


def test_the_agent_on_a_server_is_a_node_of_another_graph(models, printed_by):
    assert "book" in printed_by("remote_graph")
    assert models.bill.total_tokens > 0
