"""What a step reads is part of its estimate once its sources are done."""

from tests.graph.conftest import TASK, decisions_of, receipt_of
from thrifty import Spend, Step, StepOption

NO_PROPOSALS = {"propose_options": False}
FACTS = "\n".join(f"- Depot {number} reports {number * 3} late parcels." for number in range(400))
"""Some 5,000 tokens."""


def look_up(work) -> str:
    return FACTS


def steps() -> list[Step]:
    find = StepOption("Facts (mine)", "Facts", "mine", "finds facts", Spend(0, 0, 10, 0), 5.0)
    write = StepOption("Summary (LLM)", "Summary", "llm", "sums up", Spend(600, 0, 900, 1), 10.0)
    instead = StepOption("Summary (local)", "Summary", "local", "lists", Spend(0, 0, 20, 0), 2.0)
    return [
        Step("Facts", (find,), role="material"),
        Step("Summary", (write, instead), requires=("Facts",), reads=("Facts",)),
    ]


def invoke(online, tokens: int, **context):
    agent = online(catalog=steps(), executors={"mine": look_up})
    task = {"task": TASK, "budget": {"max_tokens": tokens}}
    return agent.invoke(task, context={**NO_PROPOSALS, **context})


def test_a_reader_is_reserved_what_it_reads_and_room_for_its_answer(online, server, ledger):
    result = invoke(online, 50_000)
    assert result["status"] == "done"
    (request,) = server.requests
    assert "Depot 399" in request.prompt
    entry = next(e for e in ledger.entries(receipt_of(result).run_id) if "Summary" in e.label)
    assert request.input_tokens > 4_000
    assert entry.reserved.tokens < request.input_tokens + 2_000
    (outcome,) = (line for line in receipt_of(result).lines if line.label == "Summary (LLM)")
    assert outcome.actual.tokens <= entry.reserved.tokens


def test_a_reader_that_no_longer_fits_is_planned_anew(online, server):
    result = invoke(online, 3_000)
    lines = {line.label: line for line in receipt_of(result).lines}
    assert lines["Summary (LLM)"].planned == Spend(600, 0, 900, 1)
    assert lines["Summary (local)"].status == "done"
    assert not server.requests
    (reason,) = decisions_of(result, "replan")
    assert "the rest of the plan is" in reason
    (change,) = decisions_of(result, "downgrade")
    assert "Summary moved from gpt-5 to the local template" in change


def test_what_a_reader_came_to_is_no_drift(online, server):
    result = invoke(online, 50_000)
    assert not [
        each for each in receipt_of(result).decisions if "times its estimates" in each.reason
    ]
    assert decisions_of(result, "replan") == []
