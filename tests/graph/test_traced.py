"""What OpenTelemetry and LangSmith are told: which step, what was reserved, what it came to."""

import json
import subprocess
import sys

import pytest
from langchain_core.tracers import BaseTracer
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from tests.graph.conftest import TASK, TUTORIAL_BUDGET
from tests.harness.llm_server import Answer, MissingUsage, ServerError, TooManyRequests
from tests.models.conftest import client
from thrifty import Budget, BudgetExceeded, ModelUnavailable, Receipt, metered

SECRET = "sk-test"


@pytest.fixture
def spans(monkeypatch):
    """Records spans, without being the provider of the whole process."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr("opentelemetry.trace.get_tracer", provider.get_tracer)
    yield exporter
    provider.shutdown()


class Recorder(BaseTracer):
    """Keeps every run as it was when it ended, as LangSmith would be sent it."""

    def __init__(self):
        super().__init__()
        self.runs = []

    def _persist_run(self, run):
        pass

    def _end_trace(self, run):
        self.runs.append(run)
        super()._end_trace(run)


def of_calls(spans):
    return [span for span in spans.get_finished_spans() if span.name.startswith("chat ")]


def of_steps(spans):
    return [span for span in spans.get_finished_spans() if span.name.startswith("step ")]


@pytest.fixture
def model(server, ledger):
    def make(budget, label="question", **terms):
        ledger.open("team", budget)
        return metered(client(server), ledger, "team", label=label, **terms)

    return make


def test_a_call_has_a_span_by_the_conventions_and_its_line_on_the_bill(
    spans, server, ledger, model
):
    server.script(Answer("Yes.", reasoning_tokens=30, cached_input_tokens=8))
    model(Budget(max_tokens=500, max_cost_usd=0.01)).invoke("Is tea better than coffee? " * 3)
    (span,) = of_calls(spans)
    (request,) = server.requests
    (entry,) = ledger.entries("team")
    bill = server.bill
    assert (span.name, span.kind, span.status.status_code) == (
        "chat gpt-4o",
        SpanKind.CLIENT,
        StatusCode.UNSET,
    )
    assert dict(span.attributes) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.request.max_tokens": request.output_cap,
        "gen_ai.response.model": "gpt-4o",
        "gen_ai.response.id": span.attributes["gen_ai.response.id"],
        "gen_ai.usage.input_tokens": bill.input_tokens,
        "gen_ai.usage.output_tokens": bill.output_tokens,
        "gen_ai.usage.cache_read.input_tokens": 8,
        "gen_ai.usage.reasoning.output_tokens": 30,
        "thrifty.step": "question",
        "thrifty.run_id": "team",
        "thrifty.key": entry.key,
        "thrifty.status": "settled",
        "thrifty.reserved.tokens": entry.reserved.tokens,
        "thrifty.reserved.cost_nano_usd": entry.reserved.cost_nano_usd,
        "thrifty.reserved.tool_calls": 1,
        "thrifty.settled.tokens": entry.charged.tokens,
        "thrifty.settled.cost_nano_usd": entry.charged.cost_nano_usd,
        "thrifty.settled.latency_ms": entry.charged.latency_ms,
        "thrifty.settled.tool_calls": 1,
    }


@pytest.mark.parametrize("way", ["invoke", "stream"])
def test_a_call_is_a_child_of_what_the_program_has_open(spans, model, way):
    from opentelemetry import trace

    with trace.get_tracer("theirs").start_as_current_span("theirs") as theirs:
        list(getattr(model(Budget(max_tokens=500)), way)("Hi"))
    (span,) = of_calls(spans)
    assert span.parent.span_id == theirs.get_span_context().span_id


def test_each_attempt_has_a_span_and_a_failed_one_says_so(spans, server, ledger, model):
    server.script(TooManyRequests(retry_after_s=0), Answer("Yes."))
    model(Budget(max_tokens=500)).invoke("Hi")
    failed, answered = of_calls(spans)
    assert failed.status.status_code is StatusCode.ERROR
    assert failed.attributes["thrifty.reason"] == f"too many requests {TooManyRequests().told}"
    assert failed.attributes["thrifty.status"] == "released"
    assert failed.attributes["thrifty.settled.tokens"] == 0
    assert answered.attributes["thrifty.settled.tokens"] == server.bill.total_tokens
    spans.clear()
    server.script(ServerError(times=2))
    with pytest.raises(ModelUnavailable):
        model(Budget(max_tokens=5000), max_output_tokens=50).invoke("Hi")
    assert [span.attributes["thrifty.status"] for span in of_calls(spans)] == ["in_doubt"] * 2


def test_what_is_refused_has_a_span_that_says_why(spans, model):
    with pytest.raises(BudgetExceeded):
        model(Budget(max_tokens=20)).invoke("Tell me all.")
    (span,) = of_calls(spans)
    assert span.attributes["error.type"] == "BudgetExceeded"
    assert span.attributes["thrifty.step"] == "question"
    assert "tokens short" in span.status.description
    assert not any(name.startswith("thrifty.reserved") for name in span.attributes)
    assert not span.events


def test_without_a_count_the_span_says_what_was_charged(spans, server, model):
    server.script(MissingUsage())
    model(Budget(max_tokens=400)).invoke("Hi")
    (span,) = of_calls(spans)
    assert span.attributes["thrifty.status"] == "in_doubt"
    assert span.attributes["thrifty.settled.tokens"] == span.attributes["thrifty.reserved.tokens"]
    assert "gen_ai.usage.input_tokens" not in span.attributes


def test_an_answer_from_the_journal_is_not_counted_again(spans, server, ledger, model):
    for _ in range(2):
        model(Budget(max_tokens=400), run="once").invoke("Hi")
    paid, replayed = of_calls(spans)
    assert len(server.requests) == 1
    assert "thrifty.replayed" not in paid.attributes
    assert replayed.attributes["thrifty.replayed"] is True
    assert not any(name.startswith("gen_ai.usage") for name in replayed.attributes)


@pytest.mark.parametrize("api", ["chat"], indirect=True)
def test_a_run_has_a_span_for_each_step_and_its_calls_within(spans, online, server, api):
    result = online(api).invoke({"task": TASK, "budget": TUTORIAL_BUDGET, "run_id": "r-1"})
    receipt = Receipt.from_state(result["receipt"])
    steps = {span.attributes["thrifty.step"]: span for span in of_steps(spans)}
    done = {line.label: line for line in receipt.lines if line.status == "done"}
    assert done.keys() <= steps.keys()
    for name, span in steps.items():
        assert span.attributes["thrifty.run_id"] == "run:local/named=r-1"
        assert span.attributes["thrifty.executor"] in ("llm", "local")
        assert span.attributes["thrifty.settled.tokens"] == done[name].actual.tokens
    by_id = {span.context.span_id: span for span in of_steps(spans)}
    of_step = [span for span in of_calls(spans) if span.parent]
    assert of_step
    for call in of_step:
        step = by_id[call.parent.span_id]
        assert call.attributes["thrifty.step"] == step.attributes["thrifty.step"]
        assert call.attributes["thrifty.run_id"] == "run:local/named=r-1"
        assert call.attributes["thrifty.settled.tokens"] > 0


def test_a_traced_run_has_the_same_in_its_metadata(online, server, api):
    recorder = Recorder()
    given = {"task": TASK, "budget": TUTORIAL_BUDGET, "run_id": "r-1"}
    online(api).invoke(given, {"callbacks": [recorder]})
    calls = [run for run in recorder.runs if run.run_type in ("llm", "chat_model")]
    nodes = [run for run in recorder.runs if run.name in ("run_llm", "run_local")]
    told = [run.extra["metadata"] for run in calls]
    assert sum(each["thrifty.settled.tokens"] for each in told) == server.bill.total_tokens > 0
    assert {each["thrifty.status"] for each in told} == {"settled"}
    steps = {run.extra["metadata"]["thrifty.step"] for run in nodes}
    assert {each["thrifty.step"] for each in told} & steps
    assert all(run.extra["metadata"]["thrifty.run_id"] == "run:local/named=r-1" for run in nodes)
    others = [run for run in recorder.runs if run.name in ("plan", "route", "check_spend")]
    assert others
    assert not any("thrifty.step" in run.extra.get("metadata", {}) for run in others)


@pytest.mark.parametrize("api", ["chat"], indirect=True)
def test_no_text_and_no_secret_is_told(spans, online, api):
    online(api).invoke({"task": f"{TASK} Mind the walrus.", "budget": TUTORIAL_BUDGET})
    told = json.dumps([span.to_json() for span in spans.get_finished_spans()])
    assert "walrus" not in told
    assert SECRET not in told
    assert "Clarify deliverables (local)" in told


def test_nobody_who_does_not_use_opentelemetry_loads_it():
    code = (
        "import sys, thrifty.models.calls.metered_call; print('opentelemetry.trace' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
