"""What stands below the lines while a run is at work."""

import io

import pytest
from rich.console import Console

from tests.cli.samples import HOSTILE
from thrifty.budget import Budget, Spend
from thrifty.cli.view.live_status import GAUGE_CELLS, LiveStatus

PLAN = {"chosen": [{"name": "Outline", "executor": "llm"}, {"name": "Risks", "executor": "local"}]}


class Clock:
    now_s = 0.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def board(clock):
    return LiveStatus(clock)


def shown(board, width=100):
    screen = io.StringIO()
    Console(file=screen, width=width, force_terminal=False).print(board.render())
    return screen.getvalue()


def balance(spent, reserved, left):
    parts = {"spent": spent.to_state(), "reserved": reserved.to_state(), "left": left.to_state()}
    return {"event": "spend_changed", **parts}


def started(option="Outline", executor="llm"):
    return {"event": "step_started", "option": option, "executor": executor}


def finished(option="Outline"):
    return {"event": "step_finished", "option": option}


def test_before_anything_happens_it_says_so(board):
    assert "getting ready" in shown(board)


def test_steps_stand_with_their_state_and_executor_until_they_end(board, clock):
    board.update({"event": "plan_made", "plan": PLAN})
    board.update(started())
    clock.now_s = 3.2
    first, second = shown(board).splitlines()
    assert first.endswith("Outline  llm  3 s")
    assert second == "· Risks  local"
    board.update(finished())
    assert [line.split(" ", 1)[1] for line in shown(board).splitlines()] == [
        "deciding",
        "Risks  local",
    ]


def test_a_new_plan_replaces_the_steps(board):
    board.update({"event": "plan_made", "plan": PLAN})
    board.update({"event": "replanned", "plan": {"chosen": PLAN["chosen"][1:]}})
    assert "Outline" not in shown(board)


def test_a_step_that_no_plan_named_stands_there_too(board):
    board.update(started("Downgraded", "local"))
    assert "Downgraded  local" in shown(board)


def test_a_gauge_for_each_limit_has_three_parts(board):
    left = Budget(max_tokens=500, max_cost_usd=1, max_tool_calls=0)
    board.update(balance(Spend(250, 10**9, 0, 2), Spend(250, 0, 0, 0), left))
    tokens, cost, calls = shown(board).splitlines()[2:]
    bar = "█" * 3 + "▒" * 3 + "░" * 6
    assert " ".join(tokens.split()) == f"tokens {bar} 250 spent 250 reserved 500 left"
    assert "$1.00 spent" in cost
    assert "reserved" not in cost
    assert "█" * GAUGE_CELLS in calls


def test_time_goes_on_between_events(board, clock):
    board.update(balance(Spend(0, 0, 1_000), Spend(), Budget(max_latency_ms=9_000)))
    clock.now_s = 2.0
    (latency,) = shown(board).splitlines()[2:]
    assert "3,000 ms spent" in latency
    assert "7,000 ms left" in latency
    clock.now_s = 1_000.0
    assert "0 ms left" in shown(board)


def test_what_nobody_limits_has_no_gauge(board):
    board.update(balance(Spend(250), Spend(), Budget(max_tool_calls=3)))
    assert "tokens" not in shown(board)


def test_a_narrow_window_cuts_and_does_not_break(board):
    board.update({"event": "plan_made", "plan": PLAN})
    board.update(balance(Spend(10), Spend(), Budget(max_tokens=10)))
    assert all(len(line) <= 30 for line in shown(board, width=30).splitlines())


def test_hostile_names_are_harmless(board):
    board.update(started(f"{HOSTILE}\n{HOSTILE}", HOSTILE))
    (line,) = shown(board, width=1_000).splitlines()
    assert line.isprintable()
