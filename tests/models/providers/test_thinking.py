"""How hard a model is to think: what each vendor's client is told, and what is known of a client.

That it is said so on the wire is asked in `roles/test_vendor_thinking.py`.
"""

from typing import Any

import pytest

from tests.models.vendors import deepseek, google, groq, mistral, ollama, openai, openrouter, xai
from thrifty import InvalidInput
from thrifty.models.providers.thinking import Thinking
from thrifty.models.providers.vendors import named_vendors, vendor_model

NOBODY: Any = type("Nobody", (), {"root_url": "http://127.0.0.1:9", "base_url": "http://127.0.0.1"})
UNTOLD = Thinking()


def word(effort: str) -> Thinking:
    return Thinking(effort, {"reasoning_effort": effort})


def yes_or_no(effort: str) -> Thinking:
    return Thinking(effort, {"reasoning": effort != "none"})


def tokens(effort: str, count: int) -> Thinking:
    return Thinking(effort, {"thinking_budget": count}, count)


ALWAYS = "use low: {} cannot be told not to think"
BY_ITSELF = "leave it out: {} thinks by itself"
NONE_HERE = "leave it out: {} takes none here"

TOLD: dict[str, dict[str, Thinking | str]] = {
    "groq:openai/gpt-oss-20b": {
        "auto": word("low"),
        "minimal": word("low"),
        "medium": word("medium"),
        "none": ALWAYS,
    },
    "groq:qwen/qwen3-32b": {
        "auto": Thinking("medium"),
        "none": word("none"),
        "low": NONE_HERE.format("Groq"),
    },
    "groq:llama-3.3-70b": {"auto": UNTOLD, "none": UNTOLD, "low": NONE_HERE.format("Groq")},
    "ollama:qwen3:8b": {
        "auto": Thinking("medium"),
        "none": yes_or_no("none"),
        "low": yes_or_no("low"),
    },
    "ollama:gpt-oss:20b": {
        "auto": Thinking("medium"),
        "minimal": Thinking("low", {"reasoning": "low"}),
        "high": Thinking("high", {"reasoning": "high"}),
        "none": ALWAYS,
    },
    "ollama:llama3.2": {"auto": UNTOLD, "high": NONE_HERE.format("Ollama")},
    "mistralai:magistral-small": {"auto": Thinking("medium"), "none": BY_ITSELF},
    "mistralai:mistral-small": {"none": UNTOLD, "low": NONE_HERE.format("Mistral")},
    "deepseek:deepseek-reasoner": {"auto": Thinking("high"), "low": BY_ITSELF},
    "deepseek:deepseek-chat": {"auto": UNTOLD, "low": NONE_HERE.format("DeepSeek")},
    "xai:grok-3-mini": {
        "auto": word("low"),
        "minimal": word("low"),
        "medium": word("high"),
        "high": word("high"),
        "none": ALWAYS,
    },
    "xai:grok-4": {"auto": Thinking("medium"), "none": BY_ITSELF},
    "xai:grok-4-non-reasoning": {"auto": UNTOLD, "low": NONE_HERE.format("xAI")},
    "xai:grok-3": {"none": UNTOLD, "high": NONE_HERE.format("xAI")},
    "openrouter:x/y": {"auto": UNTOLD, "low": Thinking("low", {"reasoning": {"effort": "low"}})},
    "openai:gpt-5": {"auto": word("low"), "high": word("high"), "none": word("none")},
    "openai:gpt-4o": {"auto": UNTOLD, "low": word("low")},
    "google_genai:gemini-2.5-pro": {
        "auto": tokens("low", 1_024),
        "medium": tokens("medium", 8_192),
        "none": ALWAYS,
    },
    "google_genai:gemini-2.5-flash": {"none": tokens("none", 0), "high": tokens("high", 24_576)},
    "google_genai:gemini-2.5-flash-lite": {"auto": tokens("none", 0), "low": tokens("low", 1_024)},
    "google_genai:gemini-3-pro-preview": {
        "auto": word("low"),
        "minimal": word("low"),
        "high": word("high"),
        "none": ALWAYS,
    },
    "google_genai:gemini-3.1-flash": {
        "minimal": word("minimal"),
        "none": "use minimal: {} cannot be told not to think",
    },
    "google_genai:gemini-flash-latest": {"auto": word("low")},
    "google_genai:gemini-2.0-flash": {"auto": UNTOLD, "low": NONE_HERE.format("Google")},
}

TAKE_A_WORD = {
    *("groq:openai/gpt-oss-20b", "ollama:qwen3:8b", "ollama:gpt-oss:20b", "xai:grok-3-mini"),
    *("openrouter:x/y", "openai:gpt-5", "openai:gpt-4o"),
    *(named for named in TOLD if named.startswith("google_genai") and "2.0" not in named),
}
"""Those of them that can be told how hard to think."""


@pytest.mark.parametrize("named", TOLD)
def test_an_effort_is_told_as_the_vendor_takes_it_or_refused(named):
    name, _, model = named.partition(":")
    vendor = named_vendors()[name]
    for effort, told in TOLD[named].items():
        if isinstance(told, Thinking):
            assert vendor.thinking(model, effort) == told
            continue
        with pytest.raises(InvalidInput) as refused:
            vendor.thinking(model, effort)
        said = refused.value
        assert (said.field, said.value, said.remedy) == ("effort", effort, told.format(model))
    assert vendor.takes_effort(model) == (named in TAKE_A_WORD)


GPT_OSS, GEMINI = {"model": "gpt-oss:20b"}, {"model": "gemini-3-pro-preview"}
LITE = {"model": "models/gemini-2.5-flash-lite"}


@pytest.mark.parametrize(
    ("vendor", "made", "thinks"),
    [
        (groq, {}, Thinking("medium")),
        (groq, {"model": "qwen/qwen3-32b"}, Thinking("medium")),
        (groq, {"model": "qwen/qwen3-32b", "reasoning_effort": "default"}, Thinking("medium")),
        (groq, {"reasoning_effort": "high"}, Thinking("high")),
        (groq, {"model": "llama-3.3-70b"}, UNTOLD),
        (ollama, {}, Thinking("medium")),
        (ollama, {"reasoning": False}, UNTOLD),
        (ollama, {**GPT_OSS, "reasoning": "high"}, Thinking("high")),
        (ollama, {"model": "llama3.2"}, UNTOLD),
        (ollama, {"model": "llama3.2", "reasoning": True}, Thinking("medium")),
        (mistral, {}, UNTOLD),
        (mistral, {"model": "magistral-small"}, Thinking("medium")),
        (deepseek, {"model": "deepseek-reasoner"}, Thinking("high")),
        (deepseek, {}, UNTOLD),
        (xai, {"reasoning_effort": "high"}, Thinking("high")),
        (xai, {"extra_body": {"reasoning_effort": "high"}}, Thinking("high")),
        (xai, {"model": "grok-4"}, Thinking("medium")),
        (openrouter, {}, UNTOLD),
        (openrouter, {"reasoning": {"effort": "high"}}, Thinking("high")),
        (openrouter, {"reasoning": {"max_tokens": 900}}, Thinking("medium", tokens=900)),
        (openai, {}, UNTOLD),
        (openai, {"model": "gpt-5"}, Thinking("medium")),
        (openai, {"model": "gpt-5", "reasoning_effort": "high"}, Thinking("high")),
        (openai, {"reasoning": {"effort": "low"}}, Thinking("low")),
        (google, {}, Thinking("high")),
        (google, {"thinking_budget": 900}, Thinking("high", tokens=900)),
        (google, {"thinking_budget": -1}, Thinking("high")),
        (google, {"thinking_budget": 0}, UNTOLD),
        (google, {"thinking_config": {"thinking_budget": 900}}, Thinking("high", tokens=900)),
        (google, LITE, UNTOLD),
        (google, {**LITE, "thinking_budget": 900}, Thinking("high", tokens=900)),
        (google, {**GEMINI, "thinking_config": {"thinking_level": "low"}}, Thinking("low")),
        (google, {**GEMINI, "reasoning_effort": "minimal"}, Thinking("minimal")),
        (google, {"model": "gemini-2.0-flash", "thinking_budget": 900}, UNTOLD),
    ],
)
def test_it_is_known_how_hard_a_client_thinks(vendor, made, thinks):
    given = vendor_model(vendor.client(NOBODY, **made))
    assert given.thinking_of(given.given) == thinks


def test_thought_takes_several_tokens_for_each_token_of_an_answer():
    efforts = (None, "none", "minimal", "low", "medium", "high", "xhigh")
    factors = [Thinking(effort).factor for effort in efforts]
    assert factors == [1.0, 1.0, 1.2, 1.5, 2.5, 5.0, 5.0]
