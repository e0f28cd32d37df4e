"""How hard a model is to think, as its vendor's client says it: looked at on the wire."""

from urllib.parse import urlsplit

import pytest

from tests.harness.llm_server import LLMServer
from thrifty import InvalidInput, MemoryLedger, Model, Settings
from thrifty.models.providers.vendors import named_vendors
from thrifty.models.roles.model_roles import ModelRoles
from thrifty.models.roles.trial import try_model

SAID = ("think", "reasoning", "reasoning_effort", "thinking", "output_config")


@pytest.mark.parametrize(
    ("model", "effort", "sent", "factor"),
    [
        ("groq:openai/gpt-oss-20b", "auto", {"reasoning_effort": "low"}, 1.5),
        ("groq:openai/gpt-oss-20b", "high", {"reasoning_effort": "high"}, 5.0),
        ("groq:qwen/qwen3-32b", "auto", {}, 2.5),
        ("groq:qwen/qwen3-32b", "none", {"reasoning_effort": "none"}, 1.0),
        ("groq:llama-3.3-70b-versatile", "auto", {}, 1.0),
        ("ollama:qwen3:8b", "auto", {}, 2.5),
        ("ollama:qwen3:8b", "none", {"think": False}, 1.0),
        ("ollama:qwen3:8b", "low", {"think": True}, 1.5),
        ("ollama:gpt-oss:20b", "minimal", {"think": "low"}, 1.5),
        ("ollama:llama3.2", "auto", {}, 1.0),
        ("mistralai:magistral-small-2509", "auto", {}, 2.5),
        ("mistralai:mistral-small-2506", "auto", {}, 1.0),
        ("deepseek:deepseek-reasoner", "auto", {}, 5.0),
        ("deepseek:deepseek-chat", "none", {}, 1.0),
        ("xai:grok-3-mini", "minimal", {"reasoning_effort": "low"}, 1.5),
        ("xai:grok-4", "auto", {}, 2.5),
        ("xai:grok-4-fast-non-reasoning", "auto", {}, 1.0),
    ],
)
def test_an_effort_is_said_as_the_vendor_takes_it(model, effort, sent, factor):
    given = Model(model, effort=effort)
    path = urlsplit(named_vendors()[given.vendor].home).path
    with LLMServer() as server:
        at = Model(model, effort=effort, base_url=server.root_url + path)
        (role,) = ModelRoles(Settings(models={"strong": at}))
        trial = try_model(role, MemoryLedger(), "trial")
        assert trial.error is None
        (request,) = server.requests
    said = {name: request.body[name] for name in SAID if request.body.get(name) is not None}
    assert (said, role.reasoning_factor) == (sent, factor)


@pytest.mark.parametrize(
    ("model", "effort", "told"),
    [
        ("groq:openai/gpt-oss-20b", "none", "cannot be told not to think"),
        ("groq:llama-3.3-70b-versatile", "low", "Groq takes none here"),
        ("ollama:gpt-oss:20b", "none", "cannot be told not to think"),
        ("ollama:llama3.2", "high", "Ollama takes none here"),
        ("mistralai:magistral-small-2509", "none", "thinks by itself"),
        ("deepseek:deepseek-reasoner", "low", "thinks by itself"),
        ("xai:grok-3-mini", "none", "cannot be told not to think"),
        ("xai:grok-4", "none", "thinks by itself"),
    ],
)
def test_an_effort_that_a_model_cannot_be_told_is_refused(model, effort, told):
    with pytest.raises(InvalidInput, match=told) as refused:
        ModelRoles(Settings(models={"strong": Model(model, effort=effort)}))
    assert refused.value.field == "models.strong.effort"
