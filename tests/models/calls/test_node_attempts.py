"""What a node's attempts know of the invocation that they run for."""

from thrifty.ledger.owner import end_owner, new_owner_name
from thrifty.models.calls.node_attempts import BRINGS_ANSWER, brings_answer


def test_of_an_invocation_that_has_ended_nothing_is_known():
    """A Ctrl-C may leave its driver behind, and a later graph would take no answer for one."""
    token = BRINGS_ANSWER.set((driver := new_owner_name(), False))
    try:
        assert brings_answer() is False
        end_owner(driver)
        assert brings_answer() is None
    finally:
        BRINGS_ANSWER.reset(token)
    assert brings_answer() is None
