"""What a run can choose from: the steps at the prices of its models, without what is excluded."""

from typing import NamedTuple

from thrifty.budget import Budget, LeftOut, Step
from thrifty.estimates.learned import LearnedEstimates
from thrifty.executors.model_access import ModelAccess
from thrifty.options.availability import find_available_options, no_plan_reason, price_steps
from thrifty.run.all_steps import all_steps
from thrifty.run.exclusions import exclusion_rule
from thrifty.run.facts import Run, RunFacts
from thrifty.run.run_cache import RunCache
from thrifty.run.run_settings import RunSettings
from thrifty.run.services import Services
from thrifty.run.step_bills import bills_of
from thrifty.steering.forecast import Forecaster


class Choices(NamedTuple):
    """What there is to choose from, as it is declared; it changes with failures alone."""

    terms: ModelAccess
    learned: LearnedEstimates
    steps: tuple[Step, ...]
    """All that there are, done or not."""
    offered: tuple[Step, ...]
    """What of them can be had."""
    excluded: tuple[LeftOut, ...]
    """What cannot, and why."""

    def open_and_done(self, cache: RunCache) -> tuple[tuple[Step, ...], tuple[Step, ...]]:
        """The steps that may still be chosen, and those that are done."""
        finished = cache.finished
        return (
            tuple([step for step in self.offered if step.name not in finished]),
            tuple([step for step in self.steps if step.name in finished]),
        )

    def observed_bills(self, cache: RunCache) -> Forecaster:
        """What the bills so far, of this run and of earlier ones, say of the estimates."""
        return cache.observed_bills(lambda new: bills_of(new, self.terms), self.learned.summaries)


def terms_of(run: Run, settings: RunSettings, services: Services) -> ModelAccess:
    """What models the run can ask, and at what price."""
    budget = services.cache(run["id"]).read(Budget, run["budget"])
    return ModelAccess(
        model=settings.model,
        prices=services.models.prices,
        is_offline=services.models.is_offline,
        is_cost_limited=budget.max_cost_usd is not None,
    )


def choices_of(facts: RunFacts, settings: RunSettings, services: Services) -> Choices:
    """What a run can choose from now."""
    cache = services.cache_of(facts)
    terms = terms_of(facts["run"], settings, services)
    learned = cache.read(LearnedEstimates, facts["learned"])
    steps = cache.compute_once(
        "steps", terms, lambda: learned.apply_scores(price_steps(all_steps(facts, services), terms))
    )

    def compute() -> Choices:
        why_excluded = exclusion_rule(cache.failures, facts["left_out"])
        return Choices(terms, learned, steps, *find_available_options(steps, terms, why_excluded))

    return cache.compute_once("choices", (terms, facts["left_out"], len(cache.failures)), compute)


def why_no_plan(facts: RunFacts, settings: RunSettings, services: Services) -> str:
    """Why there is no plan any more, whatever is left to spend; empty as long as there may be."""
    cache = services.cache_of(facts)
    choices = choices_of(facts, settings, services)
    return cache.compute_once(
        "why no plan",
        choices,
        lambda: no_plan_reason(choices.steps, choices.offered, choices.excluded, cache.finished),
    )
