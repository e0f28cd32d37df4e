"""The APIs of Groq, Mistral, Ollama, DeepSeek and xAI as the server speaks them.

Each is asked by the vendor's own client or, where there is none, by LangChain's.
"""

import groq
import ollama
import openai
import pytest
from langchain_mistralai import ChatMistralAI

from tests.harness.llm_server import Answer, ErrorStatus, LLMServer, ToolCall
from tests.harness.llm_server.mistral import SAFE_TOKENS, THINKING_TOKENS, TOOLS_TOKENS

ASKED = [{"role": "user", "content": "Plan a bakery"}]
TOOL = {
    "type": "function",
    "function": {
        "name": "plan",
        "description": "Makes a plan.",
        "parameters": {"type": "object", "properties": {"steps": {"type": "string"}}},
    },
}


@pytest.fixture
def server():
    with LLMServer() as running:
        yield running


@pytest.fixture
def groq_client(server):
    with groq.Groq(base_url=server.root_url, api_key="k", max_retries=0) as asking:
        yield asking


@pytest.fixture
def ollama_client(server):
    with ollama.Client(host=server.root_url) as asking:
        yield asking


def like_openai(server, path):
    address = f"{server.root_url}/{path}"
    return openai.OpenAI(base_url=address, api_key="k", max_retries=0)


def test_groqs_count_is_what_the_bill_says_whole_and_in_pieces(server, groq_client):
    server.script(Answer("Two words", reasoning_tokens=7, cached_input_tokens=2, times=2))
    asked = {"model": "openai/gpt-oss-20b", "messages": ASKED}
    whole = groq_client.chat.completions.create(**asked)
    *_, last = groq_client.chat.completions.create(**asked, stream=True)
    assert whole.choices[0].message.reasoning
    assert whole.choices[0].finish_reason == last.choices[0].finish_reason == "stop"
    for usage, request in zip((whole.usage, last.x_groq.usage), server.requests, strict=True):
        assert usage.total_tokens == request.bill.total_tokens
        assert usage.prompt_tokens_details.cached_tokens == 2
        assert usage.completion_tokens_details.reasoning_tokens == 7


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_groq_obeys_a_cap_by_either_name_and_refuses_a_tier_that_there_is_not(
    server, groq_client, name
):
    server.script(Answer(tokens=90))
    asked = {"model": "m", "messages": ASKED}
    answer = groq_client.chat.completions.create(**asked, **{name: 5})
    assert (answer.choices[0].finish_reason, server.bill.output_tokens) == ("length", 5)
    with pytest.raises(groq.BadRequestError, match="service_tier"):
        groq_client.chat.completions.create(**asked, extra_body={"service_tier": "gold"})


def test_groqs_errors_have_its_shape(server, groq_client):
    server.script(ErrorStatus(status=429, kind="tokens", code="rate_limit_exceeded", message="No."))
    with pytest.raises(groq.RateLimitError) as refused:
        groq_client.chat.completions.create(model="m", messages=ASKED)
    told = {"message": "No.", "type": "tokens", "code": "rate_limit_exceeded"}
    assert refused.value.body == {"error": told}


def test_ollamas_count_is_in_its_last_line(server, ollama_client):
    server.script(Answer("Two words", reasoning_tokens=7, times=2))
    whole = ollama_client.chat("qwen3", ASKED)
    *pieces, last = ollama_client.chat("qwen3", ASKED, stream=True)
    assert (whole.message.content, whole.done_reason) == ("Two words", "stop")
    assert pieces[0].message.thinking
    assert "".join(piece.message.content for piece in pieces) == "Two words"
    for told, request in zip((whole, last), server.requests, strict=True):
        assert told.prompt_eval_count == request.bill.input_tokens
        assert told.eval_count == request.bill.output_tokens > 7


@pytest.mark.parametrize(("cap", "cut"), [(5, True), (-1, False), (None, False)])
def test_ollama_obeys_its_cap_which_less_than_none_is_not(server, ollama_client, cap, cut):
    server.script(Answer(tokens=90))
    given = {} if cap is None else {"options": {"num_predict": cap}}
    answer = ollama_client.chat("qwen3", ASKED, **given)
    assert (answer.done_reason, answer.eval_count) == (("length", 5) if cut else ("stop", 90))


def test_ollama_calls_tools_and_says_what_is_wrong(server, ollama_client):
    server.script(
        Answer(ToolCall("plan", {"steps": "flour"})), ErrorStatus(status=404, message="?")
    )
    (call,) = ollama_client.chat("qwen3", ASKED, tools=[TOOL]).message.tool_calls
    assert (call.function.name, call.function.arguments) == ("plan", {"steps": "flour"})
    with pytest.raises(ollama.ResponseError) as refused:
        ollama_client.chat("qwen3", ASKED)
    assert (refused.value.error, refused.value.status_code) == ("?", 404)


def test_deepseek_passes_over_what_it_does_not_know_and_names_what_its_cache_had(server):
    server.script(Answer("Two words", reasoning_tokens=7, cached_input_tokens=2, times=2))
    with like_openai(server, "deepseek") as asking:
        asked = {"model": "deepseek-chat", "messages": ASKED}
        answer = asking.chat.completions.create(**asked, max_completion_tokens=1)
        capped = asking.chat.completions.create(**asked, max_tokens=8)
    first, second = server.requests
    assert (first.output_cap, second.output_cap) == (None, 8)
    assert answer.choices[0].message.reasoning_content
    assert answer.usage.prompt_cache_hit_tokens == 2
    assert answer.usage.total_tokens == first.bill.total_tokens
    assert capped.choices[0].finish_reason == "length"


def test_xai_counts_thought_beside_the_answer(server):
    server.script(Answer("Two words", reasoning_tokens=7))
    with like_openai(server, "xai/v1") as asking:
        usage = asking.chat.completions.create(model="grok-3-mini", messages=ASKED).usage
    assert usage.completion_tokens_details.reasoning_tokens == 7
    assert usage.completion_tokens == server.bill.output_tokens - 7
    assert usage.total_tokens == server.bill.total_tokens


def test_xais_errors_are_two_texts(server):
    server.script(ErrorStatus(status=400, message="Incorrect API key provided: no."))
    with like_openai(server, "xai/v1") as asking, pytest.raises(openai.BadRequestError) as refused:
        asking.chat.completions.create(model="grok-3-mini", messages=ASKED)
    told = refused.value.response.json()
    assert told["error"] == "Incorrect API key provided: no."


def mistral(server, **options):
    address = f"{server.root_url}/mistral/v1"
    return ChatMistralAI(**{"model": "m", "base_url": address, "api_key": "k", **options})


def test_mistral_reads_what_nobody_sends(server):
    plain = mistral(server)
    plain.invoke("Plan a bakery")
    mistral(server, safe_mode=True).invoke("Plan a bakery")
    mistral(server, model="magistral-small").invoke("Plan a bakery")
    plain.bind_tools([TOOL]).invoke("Plan a bakery")
    first, safe, thinking, tools = (request.input_tokens for request in server.requests)
    assert (safe - first, thinking - first) == (SAFE_TOKENS, THINKING_TOKENS)
    assert tools - first > TOOLS_TOKENS


def test_mistral_thinks_in_a_part_of_its_answer(server):
    server.script(Answer("Tea.", reasoning_tokens=9, times=2))
    model = mistral(server, model="magistral-small")
    whole, pieces = model.invoke("Tea?"), list(model.stream("Tea?"))
    assert [part["type"] for part in whole.content] == ["thinking", "text"]
    assert sum(pieces[1:], pieces[0]).text == whole.text == "Tea."
    assert whole.usage_metadata["output_tokens"] == server.requests[0].bill.output_tokens > 9


def test_mistral_refuses_what_it_does_not_know(server):
    with pytest.raises(Exception, match="Unknown parameter: 'max_completion_tokens'"):
        mistral(server).invoke("Tea?", max_completion_tokens=5)
