"""Why an option is not in a plan, in plain words; the same words whichever engine planned."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from operator import add, gt, sub

from thrifty.budget.plan import LeftOut
from thrifty.budget.resources import format_amounts
from thrifty.budget.step import Step
from thrifty.planning import risk
from thrifty.planning.problem import Problem
from thrifty.planning.solver.constraint_matrix import ConstraintMatrix, OptionColumn, RowAmounts
from thrifty.planning.solver.knapsack import MICRO, KnapsackModel
from thrifty.planning.solver.knapsack_item import KnapsackItem


def describe_shortfall(missing: Mapping[str, int]) -> str:
    """What is missing, for a person: "412 tokens, 1 call short"."""
    return f"{format_amounts(missing)} short"


def describe_excess(excess: Mapping[str, int]) -> str:
    """What is too much, for a person: "412 tokens over the limit"."""
    return f"{format_amounts(excess)} over the limit"


def explain_left_out(
    problem: Problem,
    matrix: ConstraintMatrix,
    model: KnapsackModel,
    chosen: Mapping[str, KnapsackItem],
    *,
    is_plan: bool,
) -> tuple[LeftOut, ...]:
    """Explains for every option that was not chosen what kept it out, in the order of the steps.

    Args:
        problem: what was planned.
        matrix: the problem's measure.
        model: the problem's model.
        chosen: the plan, by the names of its steps.
        is_plan: whether there is a plan at all.
    """
    asking = _LeftOutReasons(problem, matrix, model, chosen, is_plan)
    return tuple(
        [
            LeftOut(name, step.name, reason)
            for step, offers in zip(problem.steps, matrix.columns_by_step, strict=True)
            for name, reason in asking.option_reasons(step, offers)
        ]
    )


class _LeftOutReasons:
    """A plan, added up once, so that the reason of every option can be computed from its sums."""

    def __init__(
        self,
        problem: Problem,
        measure: ConstraintMatrix,
        model: KnapsackModel,
        chosen: Mapping[str, KnapsackItem],
        is_plan: bool,
    ) -> None:
        self.problem = problem
        self.measure = measure
        self.model = model
        self.chosen = chosen
        self.is_plan = is_plan
        self.done = {step.name for step in problem.done}
        self.possible_steps = self.done | {step.name for step in problem.steps}
        self.present_steps = self.done | chosen.keys()
        items = chosen.values()
        used = [sum(amounts) for amounts in zip(*[i.amounts for i in items], strict=True)]
        self.rooms = tuple(map(sub, measure.capacities, used)) if used else measure.capacities
        rows = range(len(measure.row_names))
        self.variances = tuple([sum([i.variances[r] for i in items if i.variances]) for r in rows])
        present = [step for step in problem.steps if step.name in chosen]
        self.topics = Counter([step.topic for step in (*problem.done, *present)])
        self.formatters = [resource.show for resource in measure.resources]
        count = problem.max_steps
        steps = "step" if count == 1 else "steps"
        self.full_reason = f"the plan has its {count} {steps}" if len(chosen) >= count else ""
        self.penalty_micro = round(problem.diversity_penalty * MICRO)
        timed = model.items if model.makespan_limit else ()
        # Where a schedule counts, no option is left out of the model for being dominated.
        self.items = {item.name: item for group in timed for item in group}

    def option_reasons(
        self, step: Step, offers: Sequence[OptionColumn]
    ) -> Iterator[tuple[str, str]]:
        """The names of a step's options that were not chosen, each with the first condition that
        speaks against it."""
        rival = self.chosen.get(step.name)
        everywhere = self._reason_for_step(step)
        barred = () if step.name in self.done else self.measure.oversized
        rooms, variances = self._room_without(rival)
        for offer in offers:
            name = offer[2]
            if name in barred:
                alone = describe_shortfall(self.measure.shortfall_alone(offer))
                yield name, f"does not fit even alone: {alone}"
            elif everywhere:
                yield name, everywhere
            elif rival and name == rival.name:
                continue
            elif missing := self._describe_missing(offer, rival, rooms, variances):
                yield name, f"does not fit beside the rest: {missing} short"
            elif rival:
                yield name, f"{rival.name!r} was chosen for this step"
            else:
                yield name, self._reason_not_added(step, offer)

    def _reason_for_step(self, step: Step) -> str:
        """The reason that rules out every option of a step; empty when there is none."""
        if step.name in self.done:
            return "the step is done"
        if not self.is_plan:
            return "no plan has all that is required"
        return self._missing_requirement(step)

    def _missing_requirement(self, step: Step) -> str:
        """The first requirement that is not in the plan."""
        for name in step.requires:
            if name not in self.present_steps:
                is_known = name in self.possible_steps
                known = "which is not in the plan" if is_known else "which nobody offers"
                return f"requires {name!r}, {known}"
        return ""

    def _reason_not_added(self, step: Step, offer: OptionColumn) -> str:
        """Why an option of a step that is not in the plan was not added to it."""
        if self.full_reason:
            return self.full_reason
        if -offer[0] <= self.topics[step.topic] * self.penalty_micro:
            repeats = f"repeats the topic {step.topic!r} of steps that are in the plan"
            return repeats if self.topics[step.topic] else "adds no value"
        return "would fit, and this search did not come to it"

    def _room_without(self, rival: KnapsackItem | None) -> tuple[RowAmounts, RowAmounts]:
        """The room and the variances of the plan without the chosen option of that step."""
        if not rival:
            return self.rooms, self.variances
        rooms = tuple(map(add, self.rooms, rival.amounts))
        if not rival.variances:
            return rooms, self.variances
        return rooms, tuple(map(sub, self.variances, rival.variances))

    def _describe_missing(
        self,
        offer: OptionColumn,
        rival: KnapsackItem | None,
        rooms: RowAmounts,
        variances: RowAmounts,
    ) -> str:
        """What is missing for an option beside the rest of the plan, as `told` would tell it.

        Args:
            offer: the option.
            rival: the option of its step that was chosen.
            rooms: what the plan leaves of each row without the rival.
            variances: the plan's, without the rival.
        """
        if self.model.makespan_limit:
            return self._told(self._lacks_by_clock(offer, rival, rooms, variances))
        if not self.measure.has_margin and not any(map(gt, offer[3], rooms)):
            return ""  # as for most options of a long list, and at once
        return self._told(_lacks(offer, rooms, variances))

    def _lacks_by_clock(
        self,
        offer: OptionColumn,
        rival: KnapsackItem | None,
        rooms: RowAmounts,
        variances: RowAmounts,
    ) -> list[int]:
        """What is missing of each row where time is that of the schedule."""
        clock, item = self.model.makespan_limit, self.items.get(offer[2])
        if clock is None or item is None:
            return []  # its step needs more steps than a plan may have: no limit is at fault
        lacks = _lacks(offer, rooms, variances)
        # The row has the work of all places together; what is late is the end of the schedule.
        others = [other for other in self.chosen.values() if other is not rival]
        lacks[clock.row] = -self.model.time_left([*others, item])
        return lacks

    def _told(self, lacks: Sequence[int]) -> str:
        return ", ".join(
            [show(lack) for show, lack in zip(self.formatters, lacks, strict=False) if lack > 0]
        )


def _lacks(offer: OptionColumn, rooms: RowAmounts, variances: RowAmounts) -> list[int]:
    """By how much each row is short with an option, its margin included; less than nothing where
    it fits."""
    _, _, _, amounts, more = offer
    together = map(add, variances, more) if more else variances
    parts = zip(amounts, rooms, together, strict=True)
    return [amount - room + risk.margin_amount(variance) for amount, room, variance in parts]
