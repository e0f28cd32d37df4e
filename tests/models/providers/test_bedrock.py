"""A request to Bedrock alone: what it asks, how large it is, and what is refused of it."""

import json
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage

from tests.models.vendors.bedrock import HAIKU, client
from thrifty import Budget, InvalidInput, Settings
from thrifty.models.costs.input_bound import TEMPLATE_TOKENS, TOOLS_TOKENS, has_standard_tier
from thrifty.models.costs.prices import PriceList
from thrifty.models.failures.server_words import sent_secrets
from thrifty.models.providers.bedrock import MORE, SIGNED, BedrockModel
from thrifty.models.providers.thinking import Thinking
from thrifty.models.providers.vendor_facts import Server
from thrifty.models.providers.vendor_request import CallBounds, VendorRequest
from thrifty.models.providers.vendors import is_cut, vendor_model
from thrifty.models.roles.model_roles import ModelRoles

NOBODY: Any = SimpleNamespace(root_url="http://127.0.0.1:9")
LIMITED = Budget(max_tokens=10_000)
BOUNDS = CallBounds(5_000)
SAID = [{"role": "user", "content": [{"text": "four"}]}]
TOOL = {"type": "function", "function": {"name": "f", "description": "Does it.", "parameters": {}}}


def request(
    *messages: Any, bounds: CallBounds = BOUNDS, made: Any = None, **options: Any
) -> VendorRequest:
    model = BedrockModel(client(NOBODY, **(made or {})))
    return model.request([*messages] or [HumanMessage("four")], None, options, bounds)


def size(**read: Any) -> int:
    """The bytes of what is read."""
    given = {"system": [], **read}
    written = json.dumps(given, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return len(written.encode()) + TEMPLATE_TOKENS


def test_it_knows_whom_it_asks_and_what_the_price_list_calls_them():
    one = request()
    assert (one.model, one.provider, one.listed_as) == (HAIKU, "amazon_bedrock", "aws")
    assert (one.cap_wanted, one.cap_min, one.tier, one.is_watched) == (None, 1, "", True)
    model = BedrockModel(client(NOBODY))
    assert (model.address, model.output_tokens_max) == ("http://127.0.0.1:9", 64_000)
    assert type(vendor_model(client(NOBODY))) is BedrockModel


@pytest.mark.parametrize("name", [HAIKU, f"us.{HAIKU}", f"global.{HAIKU}", "amazon.nova-lite-v1:0"])
def test_names_of_regions_and_profiles_have_prices(name):
    assert PriceList({}, vendor="aws").knows(request(made={"model": name}).model)


def test_a_profile_has_the_price_of_the_model_behind_it_where_that_is_named():
    arn = "arn:aws:bedrock:us-east-1:1:application-inference-profile/x"
    made = {"model": arn, "provider": "anthropic", "base_model_id": HAIKU}
    assert request(made=made).model == HAIKU
    assert request(modelId="amazon.nova-lite-v1:0").model == "amazon.nova-lite-v1:0"


def test_the_input_is_bounded_by_the_bytes_of_all_that_is_read():
    said = [{"role": "user", "content": [{"text": "vier Äpfel"}]}]
    assert request(HumanMessage("vier Äpfel")).input_tokens == size(messages=said)
    briefed = request(SystemMessage("Be brief."), HumanMessage("vier Äpfel"))
    assert briefed.input_tokens == size(messages=said, system=[{"text": "Be brief."}])
    more = {"top_k": 5, "x": "y" * 100}
    further = request(additional_model_request_fields=more)
    assert further.input_tokens == size(messages=SAID, additionalModelRequestFields=more)


def test_what_no_model_reads_is_no_input():
    known = {
        "temperature": 0.123456,
        "top_p": 0.1234567,
        "stop_sequences": ["y" * 100],
        "service_tier": "flex",
        "performance_config": {"latency": "optimized"},
        "request_metadata": {"team": "x" * 100},
        "additional_model_response_field_paths": ["/usage" * 20],
    }
    assert request(**known).input_tokens == size(messages=SAID)


def test_tools_and_schemas_have_room_for_what_the_vendor_adds():
    tooled = request(tools=[TOOL])
    config = tooled.body["toolConfig"]
    assert tooled.input_tokens == size(messages=SAID, toolConfig=config) + TOOLS_TOKENS
    shape = {"textFormat": {"type": "json_schema"}}
    shaped = request(output_config=shape)
    assert shaped.input_tokens == size(messages=SAID, outputConfig=shape) + TOOLS_TOKENS


def block(kind: str, mime: str) -> dict[str, Any]:
    return {"type": kind, "base64": "QUFB" * 1_000, "mime_type": mime, "name": "x"}


@pytest.mark.parametrize(
    "file", [block("image", "image/png"), block("file", "application/pdf")], ids=["image", "pdf"]
)
@pytest.mark.parametrize("from_tool", [False, True])
def test_an_image_or_a_file_has_a_bound_where_one_was_given(file, from_tool):
    messages: list[Any] = [HumanMessage([file])]
    if from_tool:
        call = AIMessage("", tool_calls=[{"name": "f", "args": {}, "id": "1"}])
        messages = [HumanMessage("Go."), call, ToolMessage([file], tool_call_id="1")]
    tools = {"tools": [TOOL]} if from_tool else {}
    with pytest.raises(InvalidInput, match=r"tokens_per_attachment=1_500") as refused:
        request(*messages, **tools).check_bounded(LIMITED)
    assert refused.value.value == "1 images or files"
    bounded = request(*messages, bounds=CallBounds(5_000, 1_000), **tools)
    bounded.check_bounded(LIMITED)
    assert 1_000 + TEMPLATE_TOKENS < bounded.input_tokens < 2_500


def test_of_a_file_what_is_around_it_is_text():
    image = {"image": {"format": "png", "source": {"bytes": ""}}}
    text = size(messages=[{"role": "user", "content": [image]}])
    for bound in (None, 1_000):
        one = request(HumanMessage([block("image", "image/png")]), bounds=CallBounds(5_000, bound))
        assert one.input_tokens == text + (bound or 0)


S3 = {"image": {"format": "png", "source": {"s3Location": {"uri": "s3://b/x.png"}}}}
UNBOUNDED: dict[str, dict[str, Any]] = {
    "guardrailConfig: each text that it reads has a fee": {
        "guardrail_config": {"guardrailIdentifier": "g", "guardrailVersion": "1"}
    },
    "modelId: Amazon adds the prompt that it has stored": {
        "modelId": "arn:aws:bedrock:us-east-1:1:prompt/X"
    },
    "tools: 'systemTool' runs at Amazon, or adds what nobody counted": {
        "tool_config": {"tools": [{"systemTool": {"name": "nova_grounding"}}]}
    },
    f"{MORE}.tools: they run at the provider, or add what nobody counted": {
        "additional_model_request_fields": {"tools": [{"type": "bash_20250124"}]}
    },
}


@pytest.mark.parametrize("told", UNBOUNDED)
@pytest.mark.parametrize("limits", [{"max_tokens": 10}, {"max_cost_usd": 1}])
def test_what_is_billed_beyond_the_request_is_refused(told, limits):
    one = request(**UNBOUNDED[told])
    with pytest.raises(InvalidInput) as refused:
        one.check_bounded(Budget(**limits))
    assert refused.value.value == told
    one.check_bounded(Budget(max_tool_calls=1))


def test_a_file_that_stands_elsewhere_is_refused():
    one = request(HumanMessage([S3]), bounds=CallBounds(5_000, 1_000))
    with pytest.raises(InvalidInput) as refused:
        one.check_bounded(LIMITED)
    assert refused.value.value == "s3Location: Amazon reads what nobody here has seen"


NOVA = {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "high"}}


@pytest.mark.parametrize(
    "options",
    [
        {"inferenceConfig": {"temperature": 0.5}},
        {"inference_config": {"maxTokens": 9_999}},
        {"additional_model_request_fields": NOVA},
        {"additional_model_request_fields": {"max_tokens": 9_999}},
    ],
)
def test_what_takes_the_cap_out_of_a_request_is_refused(options):
    with pytest.raises(InvalidInput) as refused:
        request(**options)
    assert str(refused.value) == (
        "request: got 'an output cap that does not reach the model'; leave out inference_config, "
        "high effort of Nova, and caps among further fields"
    )


def test_it_is_asked_without_a_cap_of_its_own_and_told_where_to_stop():
    model = BedrockModel(client(NOBODY, max_tokens=70))
    one = model.request([HumanMessage("four")], ["x"], {}, BOUNDS)
    assert one.connected._model.max_tokens is None
    asked = {"messages": SAID, "system": [], "modelId": HAIKU, "model": HAIKU}
    assert one.body == {**asked, "inferenceConfig": {"stopSequences": ["x"]}}


def test_thought_has_to_fit_under_the_cap():
    thinking = {"thinking": {"type": "enabled", "budget_tokens": 2_000}}
    assert request(additional_model_request_fields=thinking).cap_min == 2_001
    adaptive = {"thinking": {"type": "adaptive"}}
    assert request(additional_model_request_fields=adaptive).cap_min == 1


@pytest.mark.parametrize(
    ("options", "tier"),
    [
        ({"service_tier": "priority"}, "priority"),
        ({"service_tier": "default"}, ""),
        ({"performance_config": {"latency": "standard"}}, ""),
        (
            {"performance_config": {"latency": "optimized"}, "service_tier": "flex"},
            "flex optimized",
        ),
    ],
)
def test_a_tier_is_whatever_has_another_price(options, tier):
    assert request(**options).tier == tier


def test_who_asks_the_same_asks_it_under_the_same_digest():
    first = request().digest
    for same in ({"request_metadata": {"team": "x"}}, {"max_tokens": 50}, {"maxTokens": 60}):
        assert request(**same).digest == first
    assert request(made={"max_tokens": 70}).digest == first
    assert request(temperature=0.5).digest != first
    assert request(made={"model": f"us.{HAIKU}"}).digest != first


@pytest.mark.parametrize("word", ["max_tokens", "model_context_window_exceeded"])
def test_it_is_known_which_words_say_that_an_answer_was_cut(word):
    assert is_cut(AIMessage("", response_metadata={"stopReason": word}))
    assert not is_cut(AIMessage("", response_metadata={"stopReason": "end_turn"}))


def test_of_a_signed_request_the_key_and_the_signature_are_secret_and_no_known_word():
    said = "AWS4-HMAC-SHA256 Credential=AKIA1234/20261130/us-east-1/bedrock/aws4_request, "
    said += "SignedHeaders=content-type;host, Signature=0123456789abcdef"
    sent = SimpleNamespace(headers={"authorization": said, "x-amz-date": "20261130T000000Z"})
    assert sent_secrets(sent) == ("AKIA1234", "0123456789abcdef")


def test_a_model_of_its_owners_making_has_a_role():
    (role,) = ModelRoles(Settings(models={"strong": client(NOBODY)}))
    assert (role.vendor, role.model, role.is_offline) == (BedrockModel, HAIKU, False)
    assert role.prices.quote(HAIKU, 1_000_000, 0) == 1_100_000_000


def test_at_amazons_own_address_no_tier_is_the_standard_one():
    assert has_standard_tier("https://bedrock-runtime.us-east-1.amazonaws.com")
    assert not has_standard_tier("https://gateway.example")


@pytest.mark.parametrize(
    ("environment", "address"),
    [
        ({}, "https://bedrock-runtime.amazonaws.com"),
        ({"AWS_REGION": "eu-west-1"}, "https://bedrock-runtime.eu-west-1.amazonaws.com"),
        ({"AWS_DEFAULT_REGION": "eu-west-1"}, "https://bedrock-runtime.eu-west-1.amazonaws.com"),
        (
            {"AWS_REGION": "eu-west-1", "AWS_ENDPOINT_URL": "https://a.invalid"},
            "https://a.invalid",
        ),
    ],
)
def test_it_is_asked_where_awss_own_settings_say(monkeypatch, environment, address):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert BedrockModel.usual_server(Settings()) == Server(address, "")


@pytest.mark.parametrize(
    ("given", "field", "value"),
    [
        (("https://a.invalid", ""), "base_url", "https://a.invalid"),
        (("", "OTHER_KEY"), "key_variable", "OTHER_KEY"),
    ],
)
def test_a_role_names_neither_address_nor_key(given, field, value):
    with pytest.raises(InvalidInput) as refused:
        BedrockModel.check_described(*given)
    assert (refused.value.field, refused.value.value) == (field, value)
    assert refused.value.remedy == SIGNED
    BedrockModel.check_described("", "")


def test_the_model_of_a_role_is_made_of_its_name_and_how_it_thinks(monkeypatch):
    monkeypatch.setattr("langchain_aws.ChatBedrockConverse", dict)
    role: Any = SimpleNamespace(model=HAIKU, thinking=Thinking("low", {"x": 5}))
    assert BedrockModel.make(role) == {"model": HAIKU, "x": 5}


def test_a_client_certificate_is_refused():
    model = client(NOBODY)
    model.client.meta.config.client_cert = "cert.pem"
    told = "^model: got 'a client certificate'; make its client without one$"
    with pytest.raises(InvalidInput, match=told):
        BedrockModel(model)


def test_nothing_of_amazons_is_loaded_before_a_model_of_theirs_is_metered():
    code = "import sys, thrifty; print([m for m in sys.modules if m.startswith('boto')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("model", "choice"),
    [
        (HAIKU, {"tool": {"name": "f"}}),
        ("mistral.mistral-large-2407-v1:0", {"any": {}}),
        ("amazon.titan-text-express-v1", None),
    ],
)
def test_the_shape_of_an_answer_is_asked_as_firmly_as_the_model_takes_it(model, choice):
    metered = BedrockModel(client(NOBODY, model))
    shape = {"ls_structured_output_format": {"kwargs": {}, "schema": {}}}
    assert metered.tool_options([TOOL], tool_choice="f", **shape).get("tool_choice") == choice
