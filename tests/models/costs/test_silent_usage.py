"""Of a server that never tells what its answers use it is said, once, what each of them costs."""

import pytest
from langchain_core.messages import AIMessage

from thrifty.models.costs.silent_usage import SilentServers

TOLD = (
    "does not say what its answers use: each call costs its reservation; have the server report "
    "usage, in streams as well, or keep reservations small with max_output_tokens"
)


def answer(**told):
    return AIMessage("Tea.", response_metadata=told)


@pytest.mark.parametrize("end", ["finish_reason", "status", "stop_reason", "done_reason"])
def test_it_is_said_once_of_each_model_of_each_server(caplog, end):
    seen, whole = SilentServers(), answer(**{end: "stop"})
    for provider, model in [("a", "m"), ("a", "m"), ("a", "n"), ("b", "m")]:
        seen.note(provider, model, whole, is_told=False)
    assert caplog.messages == [f"{model} {TOLD}" for model in ("m", "n", "m")]


def test_nothing_is_said_of_who_has_told_before(caplog):
    seen = SilentServers()
    seen.note("a", "m", answer(), is_told=True)
    seen.note("a", "m", answer(finish_reason="stop"), is_told=False)
    assert not caplog.messages


def test_of_an_answer_that_broke_off_nobody_expects_a_count(caplog):
    seen = SilentServers()
    seen.note("a", "m", answer(finish_reason=None), is_told=False)
    assert not caplog.messages
    seen.note("a", "m", answer(finish_reason="stop"), is_told=False)
    assert len(caplog.messages) == 1
