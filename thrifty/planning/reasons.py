"""Why an option is not in a plan, in plain words; the same words whichever engine planned."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from operator import add, gt, sub

from thrifty.budget.option import StepOption
from thrifty.budget.plan import LeftOut
from thrifty.budget.resources import format_amounts
from thrifty.budget.step import Step
from thrifty.planning import risk
from thrifty.planning.best_case import CasePlan, lay_out
from thrifty.planning.no_plan import describe_too_many
from thrifty.planning.problem import STEPS_LIMIT, Problem
from thrifty.planning.rivals import find_limits_of_rivals
from thrifty.planning.role_rows import NOBODY, RoleRows
from thrifty.planning.solver.constraint_matrix import OptionColumn, RowAmounts
from thrifty.planning.solver.knapsack import MICRO
from thrifty.planning.solver.knapsack_item import KnapsackItem
from thrifty.planning.solver.packed_rows import subtract_variances


class LeftOutReasons:
    """A plan, added up once, so that the reason of every option can be computed from its sums."""

    def __init__(
        self,
        problem: Problem,
        found: CasePlan,
        chosen: Sequence[StepOption],
        is_plan: bool,
    ) -> None:
        """Adds the plan up.

        Args:
            problem: what was planned.
            found: the plan, in the case that it was found in.
            chosen: its options.
            is_plan: whether there is a plan at all.
        """
        self.problem = problem
        self.rows = RoleRows.of(problem)
        whole = found if found.problem is problem else lay_out(problem)
        self.matrix, self.model = matrix, model = whole.matrix, whole.model
        named = {item.name: item for group in model.items for item in group}
        self.chosen = {option.step: named[option.name] for option in chosen}
        self.is_plan = is_plan
        self.value_micro = found.value_micro
        self.done = {step.name for step in problem.done}
        self.possible_steps = self.done | {step.name for step in problem.steps}
        self.present_steps = self.done | self.chosen.keys()
        items = self.chosen.values()
        used = [sum(amounts) for amounts in zip(*[i.amounts for i in items], strict=True)]
        self.rooms = tuple(map(sub, matrix.capacities, used)) if used else matrix.capacities
        rows = range(len(matrix.row_names))
        self.variances = tuple([sum([i.variances[r] for i in items if i.variances]) for r in rows])
        present = [step for step in problem.steps if step.name in self.chosen]
        self.topics = Counter([step.topic for step in (*problem.done, *present)])
        count = problem.max_steps
        steps = "step" if count == 1 else "steps"
        self.full_reason = f"the plan has its {count} {steps}" if len(chosen) >= count else ""
        self.penalty_micro = round(problem.diversity_penalty * MICRO)
        timed = model.items if model.makespan_limit else ()
        # Where a schedule counts, no option is left out of the model for being dominated.
        self.items = {item.name: item for group in timed for item in group}

    def explain(self) -> tuple[LeftOut, ...]:
        """What kept each option out that was not chosen, in the order of the steps."""
        offered = zip(self.problem.steps, self.matrix.columns_by_step, strict=True)
        return tuple(
            [
                LeftOut(name, step.name, reason, short_of)
                for step, offers in offered
                for name, reason, short_of in self.option_reasons(step, offers)
            ]
        )

    def option_reasons(
        self, step: Step, offers: Sequence[OptionColumn]
    ) -> Iterator[tuple[str, str, tuple[str, ...]]]:
        """The names of a step's options that were not chosen, each with the first condition that
        speaks against it, and the limits that do."""
        rival = self.chosen.get(step.name)
        everywhere = self._reason_for_step(step)
        oversized = () if step.name in self.done else self.matrix.oversized
        rooms, variances = self._room_without(rival)
        for offer in offers:
            name = offer[2]
            if name in oversized:
                alone = self.matrix.shortfall_alone(offer)
                told = f"does not fit even alone: {format_amounts(alone)} short"
                yield name, told, self._limits(alone, rival)
            elif everywhere:
                yield name, everywhere, self._limits_for_step(step, name)
            elif rival and name == rival.name:
                continue
            elif missing := self._missing(offer, rival, rooms, variances):
                told = f"does not fit beside the rest: {format_amounts(missing)} short"
                yield name, told, self._limits(missing, rival)
            elif rival:
                yield name, f"{rival.name!r} was chosen for this step", ()
            else:
                yield name, self._reason_not_added(step, offer), self._limits((), rival)

    def _limits(self, missing: Iterable[str], rival: KnapsackItem | None) -> tuple[str, ...]:
        """The limits that speak against an option: of resources, and of steps where it adds one."""
        is_full = self.full_reason and rival is None
        return (*missing, *((STEPS_LIMIT,) if is_full else ()))

    @cached_property
    def required_short_of(self) -> tuple[str, ...]:
        """The limits that keep the required steps out together. Empty where there is a plan."""
        if self.is_plan:
            return ()
        if not self.rows.cases():
            return ()  # no limit keeps two answers apart
        names = {name for name, step in self.rows.open.items() if step.required}
        pairs = zip(self.problem.steps, self.matrix.columns_by_step, strict=True)
        required = [offers for step, offers in pairs if step.name in names and offers]
        resources = self.matrix.resources
        least = {
            resource.name: (sum(min(o[3][row] for o in offers) for offers in required), capacity)
            for row, (resource, capacity) in enumerate(
                zip(resources, self.matrix.capacities, strict=True)
            )
        }
        over = [name for name, (amount, capacity) in least.items() if amount > capacity]
        if self.rows.count_required(names) > self.problem.max_steps:
            over.append(STEPS_LIMIT)
        # Each alone may hold them. Then no choice of options keeps all limits at once.
        return tuple(over or [name for name, (amount, _) in least.items() if amount])

    def _limits_for_step(self, step: Step, option: str) -> tuple[str, ...]:
        """The limits that speak against an option whose whole step is out of the question."""
        if not self.is_plan or step.name in self.done:
            return self.required_short_of
        if self._reason_of_role(step):
            return self.limits_of_rivals.get(option, ())
        return (STEPS_LIMIT,) if self._needs_too_many(step) else ()

    @cached_property
    def limits_of_rivals(self) -> Mapping[str, tuple[str, ...]]:
        """By option, the limits that keep a better plan out, of another answer or of sections."""
        rows, chosen, value_micro = self.rows, self.chosen, self.value_micro
        return find_limits_of_rivals(self.problem, self.matrix, rows, chosen, value_micro)

    def _reason_for_step(self, step: Step) -> str:
        """The reason that rules out every option of a step; empty when there is none."""
        if step.name in self.done:
            return "the step is done"
        if not self.is_plan:
            return "no plan has all that is required"
        return self._reason_of_role(step) or self._missing_requirement(step)

    def _reason_of_role(self, step: Step) -> str:
        """Why a step of its role has no place in the plan; empty when it has one."""
        rows, name = self.rows, step.name
        if name in self.chosen:
            return ""
        if name in rows.readers and self.chosen.keys().isdisjoint(rows.readers[name]):
            is_open = bool(rows.readers[name])
            return "nobody in the plan reads it" if is_open else "nobody is left to read it"
        if rows.done_answers and name in rows.cases()[0].lacks:
            return f"the answer {rows.done_answers[0]!r} is done, which is the whole result"
        for answer in rows.answers:
            if answer in self.chosen and name in rows.exclusions[answer]:
                return f"the plan has the answer {answer!r}, which is the whole result"
        others = sorted(rows.exclusions.get(name, NOBODY).intersection(self.chosen))
        if others:
            return f"an answer is the whole result, and the plan has {others[0]!r}"
        return ""

    def _needs_too_many(self, step: Step) -> str:
        """That a step needs more steps than a plan may have, with what it requires."""
        needed = self.rows.count_required((step.name,)) if step.requires else 1
        most = self.problem.max_steps
        return describe_too_many(needed, most) if needed > most > 0 else ""

    def _missing_requirement(self, step: Step) -> str:
        """The first requirement that is not in the plan."""
        for name in step.requires:
            if name not in self.present_steps:
                is_known = name in self.possible_steps
                if too_many := self._needs_too_many(step):
                    return too_many
                why = "which is not in the plan" if is_known else "which nobody offers"
                return f"requires {name!r}, {why}"
        return ""

    def _reason_not_added(self, step: Step, offer: OptionColumn) -> str:
        """Why an option of a step that is not in the plan was not added to it."""
        if self.full_reason:
            return self.full_reason
        if -offer[0] <= self.topics[step.topic] * self.penalty_micro:  # kept with a minus
            repeats = f"repeats the topic {step.topic!r} of steps that are in the plan"
            return repeats if self.topics[step.topic] else "adds no value"
        return "would fit, and this search did not come to it"

    def _room_without(self, rival: KnapsackItem | None) -> tuple[RowAmounts, RowAmounts]:
        """The room and the variances of the plan without the chosen option of that step."""
        if not rival:
            return self.rooms, self.variances
        rooms = tuple(map(add, self.rooms, rival.amounts))  # an option takes the place of its rival
        return rooms, subtract_variances(self.variances, rival)

    def _missing(
        self,
        offer: OptionColumn,
        rival: KnapsackItem | None,
        rooms: RowAmounts,
        variances: RowAmounts,
    ) -> dict[str, int]:
        """What is missing for an option beside the rest of the plan, which leaves this room and
        these variances without the option of its step that was chosen; empty when it fits."""
        limit = self.model.makespan_limit
        if not limit and not self.matrix.has_margin and not any(map(gt, offer[3], rooms)):
            return {}  # as for most options of a long list, and at once
        _, _, _, amounts, more = offer
        together = map(add, variances, more) if more else variances
        parts = zip(amounts, rooms, together, strict=True)
        # Less than nothing where the option fits, its margin included.
        lacks = [amount - room + risk.margin_amount(variance) for amount, room, variance in parts]
        if limit:
            item = self.items.get(offer[2])
            if item is None:
                return {}  # its step needs more steps than a plan may have
            # The row has the work of all places together; what is late is the end of the schedule.
            others = [other for other in self.chosen.values() if other is not rival]
            lacks[limit.row] = -self.model.time_left([*others, item])
        resources = self.matrix.resources
        return {r.name: lack for r, lack in zip(resources, lacks, strict=True) if lack > 0}
