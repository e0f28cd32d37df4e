"""How hard a model is to think, as its vendor's client says it: looked at on the wire.

Which efforts a vendor takes at all is asked in `providers/test_thinking.py`.
"""

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
        ("groq:qwen/qwen3-32b", "none", {"reasoning_effort": "none"}, 1.0),
        ("ollama:qwen3:8b", "none", {"think": False}, 1.0),
        ("ollama:gpt-oss:20b", "minimal", {"think": "low"}, 1.5),
        ("mistralai:magistral-small-2509", "auto", {}, 2.5),
        ("deepseek:deepseek-reasoner", "auto", {}, 5.0),
        ("xai:grok-3-mini", "minimal", {"reasoning_effort": "low"}, 1.5),
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


def test_an_effort_that_a_model_cannot_be_told_is_refused_where_it_is_named():
    model = Model("groq:openai/gpt-oss-20b", effort="none")
    with pytest.raises(InvalidInput, match="cannot be told not to think") as refused:
        ModelRoles(Settings(models={"strong": model}))
    assert refused.value.field == "models.strong.effort"
