"""Names that say that what they name is secret, and names that only look like it."""

import pytest

from thrifty import InvalidInput
from thrifty.budget.secret_names import is_secret


@pytest.mark.parametrize(
    "name",
    [
        "api_key",
        "OPENAI_API_KEY",
        "signing-key",
        "github_token",
        "Authorization",
        "x-auth",
        "auth_token",
        "password",
        "client_secret",
        "credentials",
        "bearer",
        "cookie",
    ],
)
def test_a_text_under_such_a_name_is_secret(name):
    assert is_secret(name, "hush")
    assert "hush" not in str(InvalidInput(name, "hush", "leave it out"))


@pytest.mark.parametrize(
    "name",
    [
        "max_tokens",
        "max_token",
        "tokens",
        "author",
        "langgraph_auth_user_id",
        "langgraph_auth_permissions",
        "thread_id",
        "keyword",
        "monkey",
    ],
)
def test_other_names_hide_nothing(name):
    assert not is_secret(name, "plain")


def test_a_number_is_no_secret():
    assert "got 600" in str(InvalidInput("options[0].token", 600, "did you mean tokens?"))
