"""What a run has brought, by the estimates of its options, and what would have brought more."""

from collections.abc import Iterator

from thrifty.budget import Outcome, Plan, StepOption
from thrifty.planning.problem import count_topic_pairs
from thrifty.planning.role_rows import RoleRows
from thrifty.run.current_run import CurrentRun
from thrifty.run.second_attempts import value_of_failed


def values_done(run: CurrentRun, plan: Plan) -> dict[str, float]:
    """By option, what each step is worth that is done: together, that is what the result is worth.

    An option counts for itself: what material brings is not counted once more with who reads it,
    and not at all where nobody has read it. An answer that was cut is worth no more than as long
    a one as was planned, and what it took the place of is worth nothing any more.

    Args:
        run: that has ended.
        plan: the last one.
    """
    own = _own_values(run) | _failed_values(run)
    planned = {option.name: option.value for option in plan.chosen}
    rows, read = RoleRows(run.steps(), ()), run.cache.finished - {*replaced_steps(run)}
    while unread := rows.unread(read):
        read.remove(unread)
    values: dict[str, float] = {}
    for outcome in run.cache.texts.values():
        name = outcome.option.name
        value = own.get(name, outcome.option.value)
        if outcome.status == "cut":
            value = min(value, planned.get(name, value))
        values[name] = value if outcome.step in read else 0.0
    return values


def replaced_steps(run: CurrentRun) -> tuple[str, ...]:
    """The steps that a direct answer took the place of."""
    steps = run.steps_by_name()
    has_answer = any(steps[name].role == "answer" for name in run.cache.finished)
    return run.replaceable_steps() if has_answer else ()


def repeated_value(run: CurrentRun) -> float:
    """What steps on one topic take off the value of what is done."""
    steps = run.steps_by_name()
    topics = [steps[name].topic for name in run.cache.finished - {*replaced_steps(run)}]
    return run.diversity_penalty * count_topic_pairs(topics, ())


def missed_options(run: CurrentRun) -> Iterator[StepOption]:
    """The options that could have been had, and would have been worth more than what was done."""
    achieved = _values_achieved(run)
    for step in run.choices().offered:
        for option in step.options:
            if option.value > achieved.get(step.name, 0.0):
                yield option


def lost_attempts(run: CurrentRun) -> Iterator[Outcome]:
    """The attempts in vain at what would have been worth more than what was done."""
    achieved, own = _values_achieved(run), _own_values(run)
    for outcome in run.cache.failures:
        option = outcome.option
        if own.get(option.name, option.value) > achieved.get(outcome.step, 0.0):
            yield outcome


def _values_achieved(run: CurrentRun) -> dict[str, float]:
    """By step, what it is worth by itself that it is done."""
    own = _own_values(run) | _failed_values(run)
    texts = run.cache.texts.values()
    return {each.step: own.get(each.option.name, each.option.value) for each in texts}


def _own_values(run: CurrentRun) -> dict[str, float]:
    """By option, what it is worth by itself, whatever is there for it to read."""
    return {option.name: option.value for step in run.choices().steps for option in step.options}


def _failed_values(run: CurrentRun) -> dict[str, float]:
    """By option, what its result is worth that has failed a check."""
    steps = {step.name: step for step in run.choices().steps}
    return {
        outcome.option.name: value_of_failed(outcome, steps[outcome.step], run.chances)
        for outcome in run.cache.texts.values()
        if outcome.failed_checks
    }
