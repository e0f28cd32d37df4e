"""What a plan expects to be sent is what the call counts, or a little more, whoever is asked."""

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage

from thrifty import Model, Settings
from thrifty.models.providers.vendor_request import CallBounds
from thrifty.models.providers.vendors import named_vendors
from thrifty.models.roles.agent_models import ModelPrompt, Models, as_shape
from thrifty.models.roles.asked import Asked
from thrifty.options.proposals import PROPOSAL_TOOL

AT = "http://127.0.0.1:9"
TEXT = 'Say "why" tea\nis better — 茶は\n' * 20
PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "iVBO" * 500}}
CALL = {"name": "look_up", "args": {"topic": 'a "cup"\n'}, "id": "call_1"}
CONVERSATION = [
    SystemMessage("Be brief."),
    HumanMessage([{"type": "text", "text": TEXT}, PICTURE]),
    AIMessage("Let me look.", tool_calls=[CALL]),
    ToolMessage("Nothing new.", tool_call_id="call_1"),
    AIMessage("It is."),
    HumanMessage("Why?"),
]
PROMPTS = {
    "a text": ModelPrompt("strong", TEXT),
    "a text and a shape": ModelPrompt("strong", TEXT, tool=PROPOSAL_TOOL),
    "a conversation": ModelPrompt("strong", messages=tuple(CONVERSATION)),
    "many short turns": ModelPrompt("strong", messages=(HumanMessage("a"), AIMessage("b")) * 30),
}
SLACK_TOKENS = 24
"""For each message, and for a tool: what stands around it in one protocol and not in another."""


@pytest.mark.filterwarnings("ignore:Tool messages were passed without toolConfig")
@pytest.mark.parametrize("vendor", sorted({each.names[0] for each in named_vendors().values()}))
@pytest.mark.parametrize("prompt", PROMPTS)
def test_what_is_planned_is_what_is_counted(vendor, prompt, monkeypatch):
    for variable in ("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "AWS_ACCESS_KEY_ID"):
        monkeypatch.setenv(variable, AT)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    asked = PROMPTS[prompt]
    at = "" if vendor == "bedrock" else AT  # which takes an address of AWS's own variables alone
    model = Model("model-1", vendor=vendor, base_url=at, tokens_per_attachment=900)
    models = Models(Settings(models={"strong": model}))
    role = models.roles["strong"]
    counted = count(models, asked)
    planned = asked.input_tokens(role)
    turns = len(asked.messages) or 1
    most = counted + SLACK_TOKENS * (2 + turns + 8 * (asked.tool is not None))
    assert counted <= planned <= most
    if asked.messages and asked.tool is None:
        from langchain_core.messages import convert_to_openai_messages

        said = Asked.of({"messages": convert_to_openai_messages([*asked.messages])})
        beside = ModelPrompt("strong").input_tokens(role)
        assert counted <= said.tokens_for(role) + beside


def count(models: Models, asked: ModelPrompt) -> int:
    """What the call itself counts, on the body that its vendor's client would send."""
    client = models.client("strong")
    messages = [*asked.messages] or [HumanMessage(asked.text)]
    options = {}
    if asked.tool is not None:
        tool = asked.tool
        options = dict(client.tool_options([tool], tool_choice=tool["title"], **as_shape(tool)))
        options.pop("ls_structured_output_format", None)  # LangChain takes it out
    return client.request(messages, None, options, CallBounds(4_000, 900)).input_tokens
