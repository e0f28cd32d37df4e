"""What the roles of steps ask of a plan: one answer or else sections, and material for readers.

    n·y[answer] + Σ y[section] ≤ n         an answer is the whole result; it takes the place of done
                                           sections, too
    y[answer] + y[required section] ≥ 1    beside it nothing is required that it excludes
    y[material] ≤ Σ y[reader]              material is done for somebody who reads it

No engine knows these rows. A problem is taken apart into cases in which they hold by themselves,
or are soon seen to be broken: see `best_case`.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from thrifty.budget.step import Step
from thrifty.planning.problem import Problem
from thrifty.planning.solver.build_knapsack import with_requirements

Names = frozenset[str]
NOBODY: Names = frozenset()


@dataclass(frozen=True, slots=True)
class Case:
    """Some of the plans of a problem: those that have certain steps and lack others."""

    has: Names = NOBODY
    lacks: Names = NOBODY

    def holds(self, chosen: Collection[str]) -> bool:
        """Whether a plan of these steps is one of them."""
        return self.has.issubset(chosen) and self.lacks.isdisjoint(chosen)


class RoleRows:
    """The rows of one problem."""

    def __init__(
        self, steps: Iterable[Step], done: Sequence[Step], lost: Iterable[Step] = ()
    ) -> None:
        """Reads them off steps.

        Args:
            steps: those that may be chosen.
            done: those that are done.
            lost: those that nobody can do.
        """
        self.done = {step.name for step in done}
        self.open = {step.name: step for step in steps if step.name not in self.done}
        self.lost = {step.name: step for step in lost if step.name not in self.done}
        roles = {step.role for step in self.open.values()}
        self.done_answers = [step.name for step in done if step.role == "answer"]
        self.answers = (
            sorted(name for name, step in self.open.items() if step.role == "answer")
            if "answer" in roles
            else []
        )
        """The answers that are open, by name."""
        self.readers = self._list_readers(done) if "material" in roles else {}
        """Of each material that somebody reads and nobody requires to be there, the open steps
        that read or require it."""

    @classmethod
    def of(cls, problem: Problem) -> "RoleRows":
        """The rows of a problem."""
        return cls(problem.steps, problem.done, problem.lost)

    def _list_readers(self, done: Sequence[Step]) -> dict[str, tuple[str, ...]]:
        gone = (*done, *self.lost.values())
        followed_by_gone = {name for step in gone for name in step.follows}
        readers: dict[str, list[str]] = {}
        for name in sorted(self.open):
            for source in self.open[name].follows:
                if source != name:
                    readers.setdefault(source, []).append(name)
        return {
            name: tuple(dict.fromkeys(readers.get(name, ())))
            for name, step in self.open.items()
            if step.role == "material" and not step.required
            # What nobody ever reads may be there for what it does outside.
            if name in readers or name in followed_by_gone
        }

    def cases(self) -> list[Case]:
        """Cases that have every plan between them: one for each answer, and one without any.

        None where no plan can have all the answers that are required, or do without what is lost.
        """
        if self.done_answers:
            cases = [Case(lacks=self._excluded_by(self.done_answers))]
        elif not (any(self.exclusions.values()) or self.missed_steps):
            cases = [Case()]
        else:
            cases = [Case(lacks=frozenset(self.answers))]
            cases += [Case(frozenset((name,)), lost) for name, lost in self.exclusions.items()]
        wanted = () if self.done_answers else self.answers
        required = {name for name in wanted if self.open[name].required}
        return [c for c in cases if not required & c.lacks and not self._is_missed(c)]

    @cached_property
    def missed_steps(self) -> list[Step]:
        """What is required, and lost."""
        return [step for step in self.lost.values() if step.required]

    def _is_missed(self, case: Case) -> bool:
        """Whether the plans of a case have no answer that makes up for what is lost."""
        answers = {*self.done_answers, *case.has.intersection(self.answers)}
        # Of two answers that are required, one that may yet be chosen does not excuse the other.
        return any(
            not answers
            or not _is_excluded(step, answers)
            or (step.role == "answer" and not self.done_answers)
            for step in self.missed_steps
        )

    def conflict(self) -> str:
        """Why there is no plan: what is lost, or which answers are required in vain."""
        if self.missed_steps:
            names = ", ".join(repr(step.name) for step in self.missed_steps)
            return f"nobody can do what is required: {names}"
        required = [name for name in self.answers if self.open[name].required]
        names = ", ".join(map(repr, required))
        return f"a plan has one answer, and {len(required)} are required: {names}"

    @cached_property
    def exclusions(self) -> dict[str, Names]:
        """Of each open answer, the open steps that no plan has beside it."""
        return {name: self._excluded_by((name,)) - {name} for name in self.answers}

    def _excluded_by(self, answers: Collection[str]) -> Names:
        return frozenset(name for name, step in self.open.items() if _is_excluded(step, answers))

    def case_of(self, chosen: Collection[str]) -> Case:
        """The case that these steps belong to, without the material that none of them reads."""
        case = next((case for case in self.cases() if case.holds(chosen)), Case())
        unread = {
            name for name in self.readers if name not in chosen and self._is_unread(name, chosen)
        }
        return replace(case, lacks=case.lacks | unread)

    def steps_of(self, case: Case) -> Names:
        """The steps that plans of a case can have, as far as the rows and requirements say."""
        left = {*self.open} - case.lacks
        # Again and again, as material is lost with its last reader, and a step with what it needs.
        while lost := {name for name in left if self._is_lost(name, case, left)}:
            left -= lost
        return frozenset(left)

    def read_by_nobody(self) -> Names:
        """The open material that nobody is left to read."""
        left = {*self.open}
        while lost := {name for name in left if self._is_unread(name, left)}:
            left -= lost
        return frozenset(self.open.keys() - left)

    def _is_lost(self, name: str, case: Case, left: Collection[str]) -> bool:
        step = self.open[name]
        if step.required or name in case.has:  # what is lost of these, the whole case is lost by
            return False
        if not all(each in left or each in self.done for each in step.requires):
            return True
        return self._is_unread(name, left)

    def _is_unread(self, name: str, among: Collection[str]) -> bool:
        """Whether a material has readers, and none among these."""
        readers = self.readers.get(name)
        return readers is not None and not any(reader in among for reader in readers)

    def choosable(self) -> Names:
        """The open steps that some plan can have beside what is done."""
        return NOBODY.union(*map(self.steps_of, self.cases()))

    def count_required(self, names: Collection[str]) -> int:
        """How many steps a plan with these steps has at least: they, and all that they require."""
        return len(with_requirements(names, self._requires) & self.open.keys())

    @cached_property
    def _requires(self) -> dict[str, tuple[str, ...]]:
        return {name: step.requires for name, step in self.open.items()}

    def narrow(self, problem: Problem, case: Case) -> Problem:
        """The problem whose plans are those of a case, with broken rows for material maybe."""
        if not (case.has or case.lacks or self.readers):
            return problem
        left = self.steps_of(case)
        steps = (step for step in problem.steps if step.name in left)
        return replace(
            problem,
            steps=tuple(
                replace(step, required=True) if step.name in case.has else step for step in steps
            ),
        )

    def unread(self, chosen: Collection[str]) -> str:
        """The first material among these steps that none of them reads; empty without any."""
        unread = (n for n in self.readers if n in chosen and self._is_unread(n, chosen))
        return min(unread, default="")

    def split(self, case: Case, material: str) -> Iterator[Case]:
        """Splits a case by who reads a material: nobody, so that it is not done, or whom first."""
        if material not in case.has:
            yield replace(case, lacks=case.lacks | {material})
        earlier: list[str] = []
        for reader in self.readers[material]:
            if reader not in case.lacks:
                yield Case(case.has | {material, reader}, case.lacks | {*earlier})
                earlier.append(reader)


def _is_excluded(step: Step, answers: Collection[str]) -> bool:
    """Whether an answer leaves a step no place: all but material, and what revises the answer."""
    if step.role == "revision":
        return {*answers}.isdisjoint(step.follows)
    return step.role != "material"


def has_result(steps: Iterable[Step], done: Collection[str]) -> bool:
    """Whether an answer or a section is among what is done, or none is to be made."""
    makers = [step.name for step in steps if step.role in ("answer", "section")]
    return not makers or any(name in done for name in makers)


def excused_beside(answers: Collection[str], steps: Iterable[Step]) -> Names:
    """The steps that nobody needs, required or not, where one of these answers is."""
    exclusions = RoleRows(steps, ()).exclusions
    return NOBODY.union(*(lost for name, lost in exclusions.items() if name in answers))
