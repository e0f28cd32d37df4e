"""Why an option is not in a plan, in plain words; the same words whichever engine planned."""

from collections.abc import Iterable, Mapping, Sequence
from operator import add, sub

from thrifty.budget.option import StepOption
from thrifty.budget.plan import LeftOut
from thrifty.budget.resources import told
from thrifty.budget.step import Step
from thrifty.planning import risk
from thrifty.planning.measure import Measure
from thrifty.planning.model import Item, Model
from thrifty.planning.problem import Problem


def shortfall(missing: Mapping[str, int]) -> str:
    """What is missing, for a person: "412 tokens, 1 call short"."""
    return f"{told(missing)} short"


def over(excess: Mapping[str, int]) -> str:
    """What is too much, for a person: "412 tokens over the limit"."""
    return f"{told(excess)} over the limit"


def left_out(
    problem: Problem, chosen: Sequence[StepOption], model: Model, measure: Measure
) -> tuple[LeftOut, ...]:
    """Every option that was not chosen, with what kept it out, in the order of the steps.

    Args:
        problem: what was planned.
        chosen: the plan.
        model: the problem's model.
        measure: the problem's measure.
    """
    names = {option.name for option in chosen}
    asking = _Asking(problem, chosen, model, measure)
    return tuple(
        [
            LeftOut(option.name, step.name, asking.reason(step, option))
            for step in problem.steps
            for option in step.options
            if option.name not in names
        ]
    )


class _Asking:
    """A plan, added up once for the questions of every option."""

    def __init__(
        self, problem: Problem, chosen: Sequence[StepOption], model: Model, measure: Measure
    ) -> None:
        self.problem = problem
        self.measure = measure
        self.fitting = {item.name: item for group in model.items for item in group}
        self.rivals = {option.step: self.fitting[option.name] for option in chosen}
        self.done = {step.name for step in problem.done}
        self.possible = self.done | {step.name for step in problem.steps}
        self.present = self.done | self.rivals.keys()
        rivals = self.rivals.values()
        used = [sum(amounts) for amounts in zip(*[i.amounts for i in rivals], strict=True)]
        self.rooms = tuple(map(sub, measure.capacities, used)) if used else measure.capacities
        rows = range(len(measure.names))
        self.variances = [sum([i.variances[row] for i in rivals if i.variances]) for row in rows]
        self.topics = [s.topic for s in (*problem.done, *problem.steps) if s.name in self.present]

    def reason(self, step: Step, option: StepOption) -> str:
        """The first condition that speaks against an option."""
        if step.name in self.done:
            return "the step is done"
        item = self.fitting.get(option.name)
        if item is None:
            item = self.measure.item(option)
            if not self.measure.fits(item):
                return f"does not fit even alone: {self._missing_alone(item)}"
        if step.requires and (
            absent := [name for name in step.requires if name not in self.present]
        ):
            known = (
                "which is not in the plan" if absent[0] in self.possible else "which nobody offers"
            )
            return f"requires {absent[0]!r}, {known}"
        rival = self.rivals.get(step.name)
        if missing := self._missing_beside(item, rival):
            return f"does not fit beside the rest: {shortfall(missing)}"
        if rival:
            return f"{rival.name!r} was chosen for this step"
        if len(self.rivals) >= self.problem.max_steps:
            return f"the plan has its {self.problem.max_steps} steps"
        if option.value <= self.topics.count(step.topic) * self.problem.diversity_penalty:
            return f"repeats the topic {step.topic!r} of steps that are in the plan"
        return "the chosen options are worth more together without it"

    def _missing_alone(self, item: Item) -> str:
        room = self.measure.room(item)
        return shortfall({name: -left for name, left in room.items() if left < 0})

    def _missing_beside(self, item: Item, rival: Item | None) -> dict[str, int]:
        """What is missing for an option in the place of its rival."""
        rooms: Iterable[int] = map(sub, self.rooms, item.amounts)
        if rival:
            rooms = map(add, rooms, rival.amounts)
        names = self.measure.names
        if not self.measure.has_margin:
            return {name: -room for name, room in zip(names, rooms, strict=True) if room < 0}
        variances: Iterable[int] = self.variances
        if item.variances:
            variances = map(add, variances, item.variances)
        if rival and rival.variances:
            variances = map(sub, variances, rival.variances)
        return {
            name: risk.reserve(variance) - room
            for name, room, variance in zip(names, rooms, variances, strict=True)
            if room < 0 or (variance and not risk.within(room, variance))
        }
