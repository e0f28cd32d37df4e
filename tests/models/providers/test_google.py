"""A request to Google alone: what it asks, how large it is, and what is refused of it."""

import asyncio
import base64
import json
import subprocess
import sys
from typing import Any

import httpx
import pytest
from google.genai import types
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_google_genai import ChatGoogleGenerativeAI

from thrifty import Budget, InvalidInput, Model, Settings
from thrifty.models.costs.input_bound import TEMPLATE_TOKENS, TOOLS_TOKENS
from thrifty.models.providers import google_client
from thrifty.models.providers.google import GoogleModel
from thrifty.models.providers.vendor_request import CallBounds, VendorRequest
from thrifty.models.providers.vendors import is_cut, vendor_model
from thrifty.models.roles.model_roles import ModelRoles

ADDRESS = "http://127.0.0.1:9"
LIMITED = Budget(max_tokens=10_000)
BOUNDS = CallBounds(5_000)
SAID = [{"role": "user", "parts": [{"text": "four"}]}]
TOOL = {"name": "f", "description": "Does it.", "parameters": {"type": "object", "properties": {}}}


def gemini(model: str = "gemini-2.5-flash", **options: Any) -> Any:
    given = {"base_url": ADDRESS, "api_key": "AIza-test", **options}
    return ChatGoogleGenerativeAI(model=model, **given)


def request(
    *messages: Any, bounds: CallBounds = BOUNDS, made: Any = None, **options: Any
) -> VendorRequest:
    model = GoogleModel(gemini(**(made or {})))
    return model.request([*messages] or [HumanMessage("four")], None, options, bounds)


def size(**read: Any) -> int:
    """The bytes of what is read."""
    given = {"generationConfig": {}, **read}
    written = json.dumps(given, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return len(written.encode()) + TEMPLATE_TOKENS


def test_it_knows_whom_it_asks_and_what_the_price_list_calls_them():
    one = request(made={"model": "models/gemini-2.5-flash"})
    assert (one.model, one.provider, one.listed_as) == (
        "gemini-2.5-flash",
        "google_genai",
        "google",
    )
    assert (one.cap_wanted, one.cap_min, one.tier, one.is_watched) == (None, 1, "", True)
    model = GoogleModel(gemini())
    assert (model.address, model.output_tokens_max) == (ADDRESS, 65_536)
    assert type(vendor_model(gemini())) is GoogleModel


def test_the_input_is_bounded_by_the_bytes_of_all_that_is_read():
    said = [{"role": "user", "parts": [{"text": "vier Äpfel"}]}]
    assert request(HumanMessage("vier Äpfel")).input_tokens == size(contents=said)
    briefed = request(SystemMessage("Be brief."), HumanMessage("vier Äpfel"))
    system = {"parts": [{"text": "Be brief."}]}
    assert briefed.input_tokens == size(contents=said, systemInstruction=system)


def test_what_no_model_reads_is_no_input():
    known = {
        "labels": {"team": "x" * 60},
        "safety_settings": {"HARM_CATEGORY_HARASSMENT": "BLOCK_NONE"},
        "service_tier": "flex",
        "temperature": 0.123456789,
        "top_p": 0.1234567,
        "top_k": 3,
        "seed": 123_456_789,
        "stop_sequences": ["y" * 100],
        "thinking_budget": 1_234_567,
        "response_modalities": None,
        "presence_penalty": 0.1234567,
        "frequency_penalty": 0.1234567,
        "response_logprobs": True,
        "logprobs": 5,
        "media_resolution": "MEDIA_RESOLUTION_LOW",
    }
    assert request(**known).input_tokens == size(contents=SAID)


def test_tools_and_schemas_have_room_for_what_the_vendor_adds():
    tooled = request(tools=[{"type": "function", "function": TOOL}])
    (tool,) = tooled.body["tools"]
    assert [each["name"] for each in tool["functionDeclarations"]] == ["f"]
    assert tooled.input_tokens == size(contents=SAID, tools=[tool]) + TOOLS_TOKENS
    shape = {"type": "object", "description": "A shape."}
    shaped = request(response_mime_type="application/json", response_json_schema=shape)
    read = {"responseJsonSchema": shape}
    assert shaped.input_tokens == size(contents=SAID, generationConfig=read) + TOOLS_TOKENS


def test_what_a_tool_was_called_with_is_text():
    call = AIMessage("", tool_calls=[{"name": "f", "args": {"x": "x" * 5_000}, "id": "1"}])
    one = request(HumanMessage("Go."), call, ToolMessage("Done.", tool_call_id="1"))
    assert one.input_tokens > 5_000
    one.check_bounded(LIMITED)


def test_thought_that_is_sent_back_is_input():
    signed = {"type": "text", "text": "Yes", "extras": {"signature": "QUFB" * 1_000}}
    metadata = {"response_metadata": {"model_provider": "google_genai"}}
    assert request(HumanMessage("So?"), AIMessage([signed], **metadata)).input_tokens > 4_000


DATA = base64.b64encode(b"\x89PNG" * 1_000).decode()
PICTURE = {"type": "image", "base64": DATA, "mime_type": "image/png"}
PAPER = {"type": "file", "base64": DATA, "mime_type": "application/pdf"}
SOUND = {"type": "audio", "base64": DATA, "mime_type": "audio/mp3"}
FILM = {"type": "video", "base64": DATA, "mime_type": "video/mp4"}


@pytest.mark.parametrize(
    ("file", "is_sound"), [(PICTURE, False), (PAPER, False), (SOUND, True), (FILM, True)]
)
@pytest.mark.parametrize("from_tool", [False, True])
def test_an_image_or_a_file_has_a_bound_where_one_was_given(file, is_sound, from_tool):
    messages: list[Any] = [HumanMessage([file])]
    if from_tool:
        call = AIMessage("", tool_calls=[{"name": "f", "args": {}, "id": "1"}])
        messages = [HumanMessage("Go."), call, ToolMessage([file], tool_call_id="1")]
    with pytest.raises(InvalidInput, match=r"tokens_per_attachment=1_500") as refused:
        request(*messages).check_bounded(LIMITED)
    assert refused.value.value == "1 images or files"
    assert request(*messages).audio_tokens == 0
    bounded = request(*messages, bounds=CallBounds(5_000, 1_000))
    bounded.check_bounded(LIMITED)
    assert 1_000 + TEMPLATE_TOKENS < bounded.input_tokens < 1_500
    assert bounded.audio_tokens == (1_000 if is_sound else 0)


UNBOUNDED: dict[str, dict[str, Any]] = {
    "cachedContent: Google adds what it has stored": {"cached_content": "cachedContents/1"},
    "continuationToken": {"continuation_token": b"x"},
    "'googleSearch' runs at Google": {"tools": [{"google_search": {}}]},
    "'codeExecution' runs at Google": {"tools": [{"code_execution": {}}]},
    "'urlContext' runs at Google": {"tools": [{"url_context": {}}]},
    "responseModalities: sound": {"generation_config": {"response_modalities": ["IMAGE"]}},
}


@pytest.mark.parametrize("told", UNBOUNDED)
@pytest.mark.parametrize("limits", [{"max_tokens": 10}, {"max_cost_usd": 1}])
def test_what_is_billed_beyond_the_request_is_refused(told, limits):
    one = request(**UNBOUNDED[told])
    with pytest.raises(InvalidInput, match=told):
        one.check_bounded(Budget(**limits))
    one.check_bounded(Budget(max_tool_calls=1))


@pytest.mark.parametrize("name", ["gemini-2.5-flash-image", "gemini-3.8-flash-tts"])
def test_a_model_that_draws_or_speaks_is_refused_unless_it_is_to_write(name):
    with pytest.raises(InvalidInput, match="responseModalities"):
        request(made={"model": name}).check_bounded(LIMITED)
    only_text = {"generation_config": {"response_modalities": ["TEXT"]}}
    request(made={"model": name}, **only_text).check_bounded(LIMITED)


def test_a_file_that_stands_elsewhere_is_refused():
    film = {"type": "media", "file_uri": "https://youtu.be/x", "mime_type": "video/mp4"}
    with pytest.raises(InvalidInput, match="fileData: Google reads what nobody here has seen"):
        request(HumanMessage([film]), bounds=CallBounds(5_000, 1_000)).check_bounded(LIMITED)


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": "https://x.invalid/a.png"}},
        {"type": "image_url", "image_url": "http://x.invalid/a.png"},
        {"type": "image", "url": "https://x.invalid/a.png"},
        {"type": "image", "source_type": "url", "url": "https://x.invalid/a.png"},
    ],
)
def test_nothing_is_fetched_for_a_request(part):
    with pytest.raises(InvalidInput) as refused:
        request(HumanMessage([part]))
    told = refused.value
    remedy = "send its bytes: a part with base64= and mime_type="
    assert (told.field, told.value, told.remedy) == ("messages", "a file by its address", remedy)


def client_of(one: VendorRequest, body: str = "{}") -> Any:
    """Google's client as it is called, at a server that answers with this."""
    models = one.connected.client.aio.models

    async def answer(*asked: Any) -> Any:
        return types.HttpResponse(headers={}, body=body)

    models._api.async_request = answer
    return models


def asked_of(one: VendorRequest) -> dict[str, Any]:
    return one.connected._prepare_request(one.messages, stop=None)


def test_what_is_no_answer_is_none():
    one = request()
    counted = '{"usageMetadata": {"totalTokenCount": 5}}'

    async def counts() -> list[Any]:
        await client_of(one, counted).generate_content(**asked_of(one))
        first = google_client.last_count()
        with pytest.raises(ValueError, match=r"^nothing that is an answer$"):
            await client_of(one).generate_content(**asked_of(one))
        return [first.total_token_count, google_client.last_count()]

    assert asyncio.run(counts()) == [5, None]


def test_what_would_ask_others_first_is_refused(monkeypatch):
    class Waiting:
        async def generate_content(self, **asked: Any) -> None:
            await asyncio.sleep(0)

    monkeypatch.setattr(google_client, "_models", lambda api: Waiting())
    with pytest.raises(InvalidInput) as refused:
        request()
    told = refused.value
    assert (told.field, told.value, told.remedy) == ("tools", "a session of MCP", "bind its tools")


@pytest.mark.parametrize(
    "content",
    [
        "https://x.invalid/a.png",
        ["https://x.invalid/a.png", {"type": "text", "text": "https://x.invalid"}],
        [{"type": "image_url", "image_url": {"url": f"data:image/png;base64,{DATA}"}}],
        [{"type": "image_url", "image_url": f"data:image/png;base64,{DATA}"}],
    ],
)
def test_what_is_sent_along_needs_no_fetching(content):
    request(HumanMessage(content), bounds=CallBounds(5_000, 700)).check_bounded(LIMITED)


COUNTED = types.GenerateContentResponseUsageMetadata(
    prompt_token_count=20,
    tool_use_prompt_token_count=5,
    cached_content_token_count=4,
    candidates_token_count=7,
    thoughts_token_count=3,
    total_token_count=35,
    prompt_tokens_details=[
        {"modality": "TEXT", "token_count": 14},
        {"modality": "AUDIO", "token_count": 6},
        {"token_count": 1},
    ],
    candidates_tokens_details=[
        {"modality": "TEXT", "token_count": 5},
        {"modality": "IMAGE", "token_count": 2},
        {"modality": "VIDEO"},
    ],
)
USAGE = {
    "input_tokens": 25,
    "output_tokens": 10,
    "total_tokens": 35,
    "input_token_details": {"cache_read": 4, "audio": 6},
    "output_token_details": {"reasoning": 3, "image": 2, "video": 0},
}
NONE = {
    "input_tokens": 0,
    "output_tokens": 0,
    "total_tokens": 0,
    "input_token_details": {"cache_read": 0, "audio": 0},
    "output_token_details": {"reasoning": 0},
}
LANGCHAINS = {"input_tokens": 20, "output_tokens": 7, "total_tokens": 27}


@pytest.mark.parametrize(
    ("counted", "usage", "said", "completed"),
    [
        (COUNTED, LANGCHAINS, {}, USAGE),
        (COUNTED, None, {"prompt_feedback": {"block_reason": "SAFETY"}}, USAGE),
        (COUNTED, None, {"prompt_feedback": {"block_reason": None}}, None),
        (COUNTED, None, {}, None),
        (None, LANGCHAINS, {}, LANGCHAINS),
        (types.GenerateContentResponseUsageMetadata(), LANGCHAINS, {}, NONE),
    ],
)
def test_an_answer_has_the_whole_count_of_what_google_says(counted, usage, said, completed):
    google_client._count.set(counted)
    message = AIMessage("Yes.", usage_metadata=usage, response_metadata=said)
    GoogleModel(gemini()).complete_usage(message, {})
    assert message.usage_metadata == completed


def test_the_cap_of_a_call_goes_by_its_name():
    one = request(made={"max_output_tokens": 300})
    assert one.cap_wanted == 300
    assert "maxOutputTokens" not in one.body["generationConfig"]
    assert one.vendor.cap_options(one, 77) == {"max_output_tokens": 77}
    with pytest.raises(InvalidInput, match="max_output_tokens: got 9999"):
        request(generation_config=[("maxOutputTokens", 9_999)])  # in no form that is known


@pytest.mark.parametrize(
    ("tier", "read"),
    [("priority", "priority"), ("FLEX", "flex"), ("standard", ""), ("unspecified", "")],
)
def test_a_tier_is_the_one_that_is_asked_for(tier, read):
    assert request(service_tier=tier).tier == read


def test_who_asks_the_same_asks_it_under_the_same_digest():
    first = request().digest
    assert request(labels={"team": "x"}).digest == first
    assert request(max_output_tokens=50, generation_config={"maxOutputTokens": 9}).digest == first
    assert request(made={"max_tokens": 70}).digest == first
    for other in ({"temperature": 1.5}, {"service_tier": "flex"}):
        assert request(**other).digest != first
    assert request(made={"model": "gemini-2.5-pro"}).digest != first


@pytest.mark.parametrize("word", ["MAX_TOKENS", "CONTINUATION"])
def test_it_is_known_which_words_say_that_an_answer_was_cut(word):
    assert is_cut(AIMessage("", response_metadata={"finish_reason": word}))
    assert not is_cut(AIMessage("", response_metadata={"finish_reason": "STOP"}))


def test_a_transport_of_ones_own_is_not_watched():
    transport = httpx.MockTransport(lambda request: httpx.Response(200))
    assert not request(made={"client_args": {"transport": transport}}).is_watched
    assert request(made={"client_args": {"headers": {"x-team": "7"}}}).is_watched


def test_nothing_of_googles_is_loaded_before_a_model_of_theirs_is_metered():
    code = "import sys, thrifty; print([m for m in sys.modules if m.startswith('google.genai')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_role_is_never_asked_at_vertex_because_the_environment_says_so(monkeypatch):
    monkeypatch.setenv("GOOGLE_API_KEY", "AIza-test")
    named = Model("google_genai:gemini-2.5-flash", effort="medium")
    (role,) = ModelRoles(Settings(models={"strong": named}))
    assert GoogleModel.of_role(role).given.thinking_budget == 8_192
    monkeypatch.setenv("GOOGLE_GENAI_USE_VERTEXAI", "true")
    with pytest.raises(InvalidInput, match="unset GOOGLE_GENAI_USE_VERTEXAI"):
        GoogleModel.of_role(role)
