"""The spend check alone: what it reads of state and ledger, and what it hands on."""

from dataclasses import replace

import pytest
from langgraph.runtime import Runtime

from thrifty import Budget, MemoryLedger, Outcome, Plan, Settings, Spend, Step, StepOption
from thrifty.estimates.learned import NOTHING_LEARNED
from thrifty.executors.registry import ExecutorRegistry
from thrifty.ledger.active_runs import ActiveRuns
from thrifty.models.guard.can_interrupt import CHECKPOINTER
from thrifty.models.roles.agent_models import Models
from thrifty.models.roles.asked import Asked
from thrifty.nodes.check_spend import check_spend
from thrifty.nodes.context import Context
from thrifty.options.direct_answer import DirectAnswer
from thrifty.options.recipes import Recipes
from thrifty.run.services import Services

WAITING = {"configurable": {CHECKPOINTER: object()}}
"""The configuration of a run that is kept, so that it can wait for a person."""


def option(step: str, executor: str = "local", tokens: int = 10, value: float = 5.0) -> StepOption:
    return StepOption(f"{step} ({executor})", step, executor, "does it", Spend(tokens), value)


A, B, B_DEAR = option("A"), option("B"), option("B", "mine", 100, 9.0)
STEPS = (Step("A", (A,)), Step("B", (B, B_DEAR)))
DONE_A = Outcome(A, "done", "text", Spend(10))
FAILED_A = Outcome(A, "failed", reason="it raised")
AIM = Plan("feasible", "exact", (A, B))
FOLLOWS = {
    "recipe": "own",
    "decomposition": None,
    "words": 0,
    "asked": Asked(0).to_state(),
    "documents": [],
}


class CheckedRun:
    """A run with 110 tokens, and what its state says."""

    def __init__(self, **limits: object) -> None:
        self.ledger = MemoryLedger()
        self.ledger.open("run", Budget(**{"max_tokens": 110, **limits}))
        self.services = Services(
            recipes=Recipes.of(STEPS, DirectAnswer()),
            executors=ExecutorRegistry.of({"mine": lambda work: "text"}),
            models=Models(Settings()),
            ledger=self.ledger,
            runs=ActiveRuns(self.ledger),
            budget=Budget(),
        )
        self.state = {
            "run": {"name": "", "number": 1, "task": "t", **FOLLOWS},
            "proposed": [],
            "outcomes": [],
            "spend": Spend(latency_ms=40).to_state(),
            "revision": 1,
            "left_out": [],
            "learned": NOTHING_LEARNED.to_state(),
            "remaining_steps": 100,
            "plan": AIM.to_state(),
            "seen": 0,
        }

    def charge(self, key: str, reserved: Spend, actual: Spend) -> None:
        self.ledger.reserve("run", key, key, reserved)
        self.ledger.settle("run", key, actual)

    def check(self, *outcomes: Outcome, config=None, context=None, **state: object):
        budget = self.ledger.balance("run").budget.to_state()
        run = {**self.state["run"], "budget": budget}
        told = {"outcomes": [outcome.to_state() for outcome in outcomes], "run": run, **state}
        settings = Context(**{"risk": 0.5, **(context or {})})
        return check_spend(
            {**self.state, **told},
            Runtime(context=settings),
            config or {},
            run_id="run",
            services=self.services,
        )


@pytest.fixture
def run():
    return CheckedRun()


def test_as_planned_it_goes_on_and_has_nothing_to_say(run):
    run.charge("a", Spend(10), Spend(10, 0, 0, 1))
    run.ledger.set_limits("run", Budget(max_tokens=30))
    assert run.check(DONE_A) == {
        "direction": "route",
        "halt_reason": "",
        "seen": 1,
        "spend": Spend(10, 0, 40, 1).to_state(),
    }


def test_when_all_is_done_it_finishes(run):
    checked = run.check(DONE_A, Outcome(B, "done", "text"))
    assert (checked["direction"], checked["halt_reason"], checked["seen"]) == ("finish", "", 2)
    assert "decisions" not in checked


def test_a_new_plan_is_a_decision_with_its_reason_and_time(run):
    checked = run.check(DONE_A)
    assert (checked["direction"], checked["halt_reason"]) == ("plan", "")
    reason = "what is left buys a better rest, worth +4.0"
    assert checked["decisions"] == [{"kind": "replan", "reason": reason, "at_ms": 40}]


def test_what_earlier_checks_have_seen_is_no_news(run):
    assert run.check(DONE_A, seen=1)["direction"] == "route"
    two = run.check(DONE_A, FAILED_A, seen=1)["decisions"][0]["reason"]
    assert two.startswith("'A (local)' did not work out: it raised")


@pytest.mark.parametrize(
    ("revision", "max_replans", "direction"), [(3, 3, "plan"), (4, 3, "route"), (1, 0, "route")]
)
def test_new_plans_are_counted_by_their_revision(run, revision, max_replans, direction):
    checked = run.check(DONE_A, revision=revision, context={"max_replans": max_replans})
    assert checked["direction"] == direction


def test_a_plan_that_no_longer_fits_is_decided_on_by_policy(run):
    run.charge("a", Spend(110), Spend(105))
    reason = "the rest of the plan is 5 tokens short"
    for policy, kind, direction, halt in [
        ("replan", "replan", "plan", ""),
        ("ask", "ask", "approve", ""),
        ("halt", "halt", "finish", reason),
    ]:
        checked = run.check(DONE_A, config=WAITING, context={"on_drift": policy})
        assert (checked["direction"], checked["halt_reason"]) == (direction, halt)
        assert checked["decisions"] == [{"kind": kind, "reason": reason, "at_ms": 40}]


@pytest.mark.parametrize("config", [{}, {"configurable": {"thread_id": "1"}}])
def test_where_nobody_can_be_asked_the_run_ends(run, config):
    run.charge("a", Spend(110), Spend(105))
    checked = run.check(DONE_A, config=config, context={"on_drift": "ask"})
    reason = "the rest of the plan is 5 tokens short, and nobody can be asked"
    assert (checked["direction"], checked["halt_reason"]) == ("finish", reason)
    assert checked["decisions"] == [{"kind": "halt", "reason": reason, "at_ms": 40}]


def test_whose_bills_were_wrong_is_part_of_the_reason(run):
    run.charge("a", Spend(110), Spend(105))
    dear = replace(DONE_A, actual=Spend(105))
    reason = run.check(dear)["decisions"][0]["reason"]
    assert reason.endswith("tokens short; local came to 10.5 times its estimates")


def test_what_is_reserved_elsewhere_is_not_left(run):
    run.ledger.reserve("run", "held", "held", Spend(105))
    checked = run.check(DONE_A, context={"on_drift": "halt"})
    assert checked["halt_reason"] == "the rest of the plan is 5 tokens short"


def test_the_limits_are_those_of_the_ledger(run):
    run.charge("a", Spend(110), Spend(105))
    run.ledger.set_limits("run", Budget(max_tokens=100))
    checked = run.check(DONE_A, context={"on_drift": "halt"})
    assert checked["halt_reason"] == "overrun: 5 tokens over the limit"


def test_time_that_has_run_out_is_no_overrun():
    run = CheckedRun(max_latency_ms=30)
    checked = run.check(DONE_A, context={"on_drift": "replan"})
    assert not checked["halt_reason"].startswith("overrun")


def test_who_used_more_of_a_limited_resource_than_it_had_is_not_used_again(run):
    run.charge(B_DEAR.name, Spend(30, 5, 7, 1), Spend(30, 500, 700, 9))
    done = Outcome(B_DEAR, "done", "text", Spend(30))
    unlimited = run.check(done, plan=Plan("feasible", "exact", (B_DEAR, A)).to_state())
    assert (unlimited["direction"], "decisions" in unlimited) == ("route", False)
    over = CheckedRun(max_tokens=300)
    over.charge(A.name, Spend(10), Spend(11))
    checked = over.check(DONE_A)
    reason = "local is not used again: 'A (local)' used 1 token more than it was allowed"
    assert (checked["direction"], checked["halt_reason"]) == ("plan", "")
    assert checked["decisions"] == [
        {"kind": "overrun", "reason": reason, "at_ms": 40},
        {"kind": "replan", "reason": reason, "at_ms": 40},
    ]


def test_a_bill_that_was_too_high_is_told_once_and_moves_nothing_that_others_do(run):
    run = CheckedRun(max_tokens=300)
    run.charge(A.name, Spend(10), Spend(11))
    plan = Plan("feasible", "exact", (A, B_DEAR)).to_state()
    checked = run.check(DONE_A, plan=plan)
    assert [each["kind"] for each in checked["decisions"]] == ["overrun"]
    assert checked["direction"] == "route"
    assert "decisions" not in run.check(DONE_A, plan=plan, seen=1)


def test_a_call_beside_the_steps_that_took_too_much_is_told_by_the_first_check(run):
    run.charge("proposals", Spend(10), Spend(11))
    first, later = run.check(DONE_A), run.check(DONE_A, Outcome(B, "done", "text"), seen=1)
    assert first["decisions"][0]["kind"] == "overrun"
    assert "decisions" not in later


def test_a_bill_that_passes_the_limit_of_an_account_above_ends_the_run():
    run = CheckedRun()
    run.ledger.open("team", Budget(max_tokens=60))
    run.ledger.move("run", "team")
    run.charge(A.name, Spend(10), Spend(70))
    checked = run.check(DONE_A)
    assert checked["halt_reason"] == "overrun: 10 tokens over the limit of team"


def test_it_plans_with_the_engine_that_was_asked_for(run, monkeypatch):
    from thrifty.run import plan_run as module

    asked = []
    real = module.make_best_plan
    note = lambda *given: asked.append(given[1]) or real(*given)  # noqa: E731
    monkeypatch.setattr(module, "make_best_plan", note)
    for engine in ("beam", "exact"):
        assert run.check(DONE_A, context={"engine": engine})["direction"] == "plan"
    assert set(asked) == {"beam", "exact"}
