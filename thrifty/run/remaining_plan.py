"""What is still to be done of the plan in force."""

from thrifty.budget import Plan
from thrifty.run.all_steps import steps_by_name
from thrifty.run.choices import choices_of
from thrifty.run.facts import PlannedFacts
from thrifty.run.run_settings import RunSettings
from thrifty.run.services import Services
from thrifty.steering.remaining import RemainingPlan


def remaining_plan(facts: PlannedFacts, settings: RunSettings, services: Services) -> RemainingPlan:
    """What is still to be done of the plan in force, estimated like the current problem."""
    cache = services.cache_of(facts)
    choices = choices_of(facts, settings, services)
    observed = choices.observed_bills(cache)
    plan = cache.read(Plan, facts["plan"])
    limits = services.limits(facts["run"]["id"])
    # A limit on a schedule wants the order in which it was planned.
    is_timed = settings.max_concurrency > 1 and limits.max_latency_ms is not None
    # Only a limit asks for the makespan, which costs a look at all that remains.
    concurrency = settings.max_concurrency if is_timed else 1
    waits_for_savings = settings.on_drift == "replan" and not is_timed

    def compute() -> RemainingPlan:
        open_steps, done = choices.open_and_done(cache)
        return RemainingPlan(
            plan.chosen,
            open_steps,
            done,
            max_steps=settings.max_steps,
            diversity_penalty=settings.diversity_penalty,
            forecaster=observed,
            executor_model_of=choices.terms.executor_model,
            defer_upgradable=waits_for_savings,
            concurrency=concurrency,
        )

    steps, _ = steps_by_name(facts, services)
    return cache.remaining_plan((plan, choices, waits_for_savings, concurrency), compute, steps)
