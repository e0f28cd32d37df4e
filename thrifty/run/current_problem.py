"""The planning problem of what is left to do and to spend."""

from dataclasses import replace

from thrifty.budget import Budget, LeftOut
from thrifty.planning.problem import Problem
from thrifty.run.choices import choices_of
from thrifty.run.facts import RunFacts
from thrifty.run.run_settings import RunSettings
from thrifty.run.services import Services


def current_problem(
    facts: RunFacts, settings: RunSettings, services: Services
) -> tuple[Problem, tuple[LeftOut, ...]]:
    """The problem that a plan made now would solve, and the options that are out of the question.

    Only what is done is settled: everything else may be chosen anew, and is estimated by what
    this run's bills, and earlier ones, came to so far.
    """
    problem, excluded = services.cache_of(facts).compute_once(
        "problem",
        # Estimates move with outcomes, limits and exclusions with a person's answer.
        (len(facts["outcomes"]), facts["left_out"], facts["run"]["budget"]),
        lambda: _problem(facts, settings, services),
    )
    left = services.remaining_budget(facts["run"]["id"], facts["spend"]["latency_ms"])
    return replace(problem, left=left), excluded


def _problem(
    facts: RunFacts, settings: RunSettings, services: Services
) -> tuple[Problem, tuple[LeftOut, ...]]:
    """The problem but for what is left, which is another at every moment."""
    cache = services.cache_of(facts)
    choices = choices_of(facts, settings, services)
    open_steps, done = choices.open_and_done(cache)
    problem = Problem(
        steps=choices.observed_bills(cache).forecast_steps(
            open_steps, choices.terms.executor_model
        ),
        left=cache.read(Budget, facts["run"]["budget"]),
        max_steps=max(0, settings.max_steps - len(done)),
        diversity_penalty=settings.diversity_penalty,
        done=done,
        concurrency=settings.max_concurrency,
        schedule="waves",
        risk=settings.risk,
        residuals=choices.learned.residuals,
    )
    return problem, tuple([left for left in choices.excluded if left.step not in cache.finished])
