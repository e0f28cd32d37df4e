"""The settings of a deployment, as its environment gives them."""

import pytest

from thrifty import InvalidInput, Settings, TokenPrice


def test_settings_come_from_the_environment():
    assert Settings.from_environment({}).is_offline
    openai = Settings.from_environment({"OPENAI_API_KEY": "sk-1"})
    assert (openai.api, openai.is_offline) == ("responses", False)
    own = Settings.from_environment(
        {
            "OPENAI_BASE_URL": "http://127.0.0.1:1/v1",
            "THRIFTY_CAP": "max_tokens",
            "THRIFTY_PRICES": '{"llama3": {"input": 0, "output": 0.5}}',
        }
    )
    assert (own.api, own.cap_field) == ("chat", "max_tokens")
    assert own.prices == {"llama3": TokenPrice(0, own.prices["llama3"].output_usd)}
    assert "sk-1" not in repr(openai)


@pytest.mark.parametrize(
    ("environ", "field"),
    [
        ({"OPENAI_BASE_URL": "file:///etc/passwd"}, "base_url"),
        ({"THRIFTY_API": "grpc"}, "api"),
        ({"THRIFTY_CAP": "max_words"}, "cap_field"),
        ({"THRIFTY_CAP": "max_tokens"}, "cap_field"),
        ({"THRIFTY_PRICES": "{"}, "THRIFTY_PRICES"),
        ({"THRIFTY_PRICES": "[]"}, "THRIFTY_PRICES"),
        ({"THRIFTY_PRICES": '{"m": {"input": -1, "output": 0}}'}, "THRIFTY_PRICES.m.input"),
        ({"THRIFTY_PRICES": '{"m": {"input": NaN, "output": 0}}'}, "THRIFTY_PRICES.m.input"),
        ({"THRIFTY_PRICES": '{"m": {"in": 1}}'}, "THRIFTY_PRICES.m.in"),
        ({"THRIFTY_PRICES": "[" * 100_000}, "THRIFTY_PRICES"),
    ],
)
def test_a_setting_that_cannot_be_used_is_refused(environ, field):
    with pytest.raises(InvalidInput) as refused:
        Settings.from_environment(environ)
    assert refused.value.field == field
