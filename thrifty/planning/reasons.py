"""Why an option is not in a plan, in plain words; the same words whichever engine planned."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from operator import add, gt, sub

from thrifty.budget.plan import LeftOut
from thrifty.budget.resources import told
from thrifty.budget.step import Step
from thrifty.planning import risk
from thrifty.planning.measure import Amounts, Figures, Measure
from thrifty.planning.model import MICRO, Item, Model
from thrifty.planning.problem import Problem


def shortfall(missing: Mapping[str, int]) -> str:
    """What is missing, for a person: "412 tokens, 1 call short"."""
    return f"{told(missing)} short"


def over(excess: Mapping[str, int]) -> str:
    """What is too much, for a person: "412 tokens over the limit"."""
    return f"{told(excess)} over the limit"


def left_out(
    problem: Problem,
    measure: Measure,
    model: Model,
    chosen: Mapping[str, Item],
    *,
    is_plan: bool,
) -> tuple[LeftOut, ...]:
    """Every option that was not chosen, with what kept it out, in the order of the steps.

    Args:
        problem: what was planned.
        measure: the problem's measure.
        model: the problem's model.
        chosen: the plan, by the names of its steps.
        is_plan: whether there is a plan at all.
    """
    asking = _Asking(problem, measure, model, chosen, is_plan)
    return tuple(
        [
            LeftOut(name, step.name, reason)
            for step, offers in zip(problem.steps, measure.offers, strict=True)
            for name, reason in asking.reasons(step, offers)
        ]
    )


class _Asking:
    """A plan, added up once for the questions of every option."""

    def __init__(
        self,
        problem: Problem,
        measure: Measure,
        model: Model,
        chosen: Mapping[str, Item],
        is_plan: bool,
    ) -> None:
        self.problem = problem
        self.measure = measure
        self.model = model
        self.chosen = chosen
        self.is_plan = is_plan
        self.done = {step.name for step in problem.done}
        self.possible = self.done | {step.name for step in problem.steps}
        self.present = self.done | chosen.keys()
        items = chosen.values()
        used = [sum(amounts) for amounts in zip(*[i.amounts for i in items], strict=True)]
        self.rooms = tuple(map(sub, measure.capacities, used)) if used else measure.capacities
        rows = range(len(measure.names))
        self.variances = tuple([sum([i.variances[r] for i in items if i.variances]) for r in rows])
        present = [step for step in problem.steps if step.name in chosen]
        self.topics = Counter([step.topic for step in (*problem.done, *present)])
        self.shows = [resource.show for resource in measure.resources]
        count = problem.max_steps
        steps = "step" if count == 1 else "steps"
        self.full = f"the plan has its {count} {steps}" if len(chosen) >= count else ""
        self.penalty_micro = round(problem.diversity_penalty * MICRO)
        timed = model.items if model.clock else ()
        # Where a schedule counts, no option is left out of the model for being dominated.
        self.items = {item.name: item for group in timed for item in group}

    def reasons(self, step: Step, offers: Sequence[Figures]) -> Iterator[tuple[str, str]]:
        """The names of a step's options that were not chosen, each with the first condition that
        speaks against it."""
        rival = self.chosen.get(step.name)
        everywhere = self._of_all(step)
        barred = () if step.name in self.done else self.measure.barred
        rooms, variances = self._beside(rival)
        for offer in offers:
            name = offer[2]
            if name in barred:
                alone = shortfall(self.measure.missing_alone(offer))
                yield name, f"does not fit even alone: {alone}"
            elif everywhere:
                yield name, everywhere
            elif rival and name == rival.name:
                continue
            elif missing := self._missing(offer, rival, rooms, variances):
                yield name, f"does not fit beside the rest: {missing} short"
            elif rival:
                yield name, f"{rival.name!r} was chosen for this step"
            else:
                yield name, self._outdone(step, offer)

    def _of_all(self, step: Step) -> str:
        """What speaks against every option of a step."""
        if step.name in self.done:
            return "the step is done"
        if not self.is_plan:
            return "no plan has all that is required"
        return self._absent(step)

    def _absent(self, step: Step) -> str:
        """The first requirement that is not in the plan."""
        for name in step.requires:
            if name not in self.present:
                is_known = name in self.possible
                known = "which is not in the plan" if is_known else "which nobody offers"
                return f"requires {name!r}, {known}"
        return ""

    def _outdone(self, step: Step, offer: Figures) -> str:
        """Why an option of a step that is not in the plan was not added to it."""
        if self.full:
            return self.full
        if -offer[0] <= self.topics[step.topic] * self.penalty_micro:
            repeats = f"repeats the topic {step.topic!r} of steps that are in the plan"
            return repeats if self.topics[step.topic] else "adds no value"
        return "would fit, and this search did not come to it"

    def _beside(self, rival: Item | None) -> tuple[Amounts, Amounts]:
        """The room and the variances of the plan without a rival."""
        if not rival:
            return self.rooms, self.variances
        rooms = tuple(map(add, self.rooms, rival.amounts))
        if not rival.variances:
            return rooms, self.variances
        return rooms, tuple(map(sub, self.variances, rival.variances))

    def _missing(
        self, offer: Figures, rival: Item | None, rooms: Amounts, variances: Amounts
    ) -> str:
        """What is missing for an option beside the rest of the plan, as `told` would tell it.

        Args:
            offer: the option.
            rival: the option of its step that was chosen.
            rooms: what the plan leaves of each row without the rival.
            variances: the plan's, without the rival.
        """
        if self.model.clock:
            return self._told(self._lacks_by_clock(offer, rival, rooms, variances))
        if not self.measure.has_margin and not any(map(gt, offer[3], rooms)):
            return ""  # as for most options of a long list, and at once
        return self._told(_lacks(offer, rooms, variances))

    def _lacks_by_clock(
        self, offer: Figures, rival: Item | None, rooms: Amounts, variances: Amounts
    ) -> list[int]:
        """What is missing of each row where time is that of the schedule."""
        clock, item = self.model.clock, self.items.get(offer[2])
        if clock is None or item is None:
            return []  # its step needs more steps than a plan may have: no limit is at fault
        lacks = _lacks(offer, rooms, variances)
        # The row has the work of all places together; what is late is the end of the schedule.
        others = [other for other in self.chosen.values() if other is not rival]
        lacks[clock.row] = -self.model.time_left([*others, item])
        return lacks

    def _told(self, lacks: Sequence[int]) -> str:
        return ", ".join(
            [show(lack) for show, lack in zip(self.shows, lacks, strict=False) if lack > 0]
        )


def _lacks(offer: Figures, rooms: Amounts, variances: Amounts) -> list[int]:
    """By how much each row is short with an option, its margin included; less than nothing where
    it fits."""
    _, _, _, amounts, more = offer
    together = map(add, variances, more) if more else variances
    parts = zip(amounts, rooms, together, strict=True)
    return [amount - room + risk.reserve(variance) for amount, room, variance in parts]
