"""Every step that a run could do: those of the catalog, and those that a model proposed."""

from thrifty.budget import Step, StepOption
from thrifty.budget.step_set import order_steps
from thrifty.run.facts import RunFacts
from thrifty.run.services import Services


def all_steps(facts: RunFacts, services: Services) -> tuple[Step, ...]:
    """The catalog's steps, then the proposed ones."""
    cache = services.cache(facts["run"]["id"])
    return (*services.steps, *(cache.read(Step, step) for step in facts["proposed"]))


def steps_in_order(facts: RunFacts, services: Services) -> tuple[Step, ...]:
    """The same in the order in which they would run, which is that of the draft."""
    return services.cache_of(facts).compute_once(
        "steps in order", None, lambda: order_steps(all_steps(facts, services))
    )


def steps_by_name(
    facts: RunFacts, services: Services
) -> tuple[dict[str, Step], dict[str, StepOption]]:
    """Every step by its name, and every option by its own, as declared."""
    steps = steps_in_order(facts, services)
    return services.cache_of(facts).compute_once(
        "steps by name",
        None,
        lambda: (
            {step.name: step for step in steps},
            {option.name: option for step in steps for option in step.options},
        ),
    )
