"""What the roles of steps ask of a plan: one answer or else sections, and material for readers.

    n·y[answer] + Σ y[section] ≤ n         an answer is the whole result
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

    def __init__(self, steps: Iterable[Step], done: Sequence[Step]) -> None:
        """Reads them off the steps that may be chosen, and off those that are done."""
        self.done = {step.name for step in done}
        self.open = {step.name: step for step in steps if step.name not in self.done}
        roles = {step.role for step in self.open.values()}
        self.done_answers = [step.name for step in done if step.role == "answer"]
        self.done_section = next((step.name for step in done if step.role == "section"), "")
        """One of the sections that are done; empty without any."""
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
        return cls(problem.steps, problem.done)

    def _list_readers(self, done: Sequence[Step]) -> dict[str, tuple[str, ...]]:
        followed_by_done = {name for step in done for name in step.follows}
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
            if name in readers or name in followed_by_done
        }

    def cases(self) -> list[Case]:
        """Cases that have every plan between them: one for each answer, and one without any.

        None where no plan can have all the answers that are required.
        """
        if self.done_answers:
            return [Case(lacks=self._excluded_by(self.done_answers))]
        cases = [Case(lacks=frozenset(self.answers))]
        if not self.done_section:
            if not any(self.exclusions.values()):
                return [Case()]
            cases += [Case(frozenset((name,)), lost) for name, lost in self.exclusions.items()]
        required = {name for name in self.answers if self.open[name].required}
        return [case for case in cases if not required & case.lacks]

    def conflict(self) -> str:
        """Why there is no case: which answer is required in vain."""
        required = [name for name in self.answers if self.open[name].required]
        if self.done_section:
            return f"the answer {required[0]!r} is required, and {self.done_section!r} is done"
        names = ", ".join(map(repr, required))
        return f"a plan has one answer, and {len(required)} are required: {names}"

    @cached_property
    def exclusions(self) -> dict[str, Names]:
        """Of each open answer, the open steps that no plan has beside it."""
        return {name: self._excluded_by((name,)) - {name} for name in self.answers}

    def _excluded_by(self, answers: Collection[str]) -> Names:
        """All but material, and revisions that name one of the answers."""
        return frozenset(
            name
            for name, step in self.open.items()
            if step.role != "material"
            and (step.role != "revision" or {*answers}.isdisjoint(step.follows))
        )

    def case_of(self, chosen: Collection[str]) -> Case:
        """The case that these steps belong to, without the material that none of them reads."""
        case = next((case for case in self.cases() if case.holds(chosen)), Case())
        unread = {
            name
            for name, readers in self.readers.items()
            if name not in chosen and not any(reader in chosen for reader in readers)
        }
        return replace(case, lacks=case.lacks | unread)

    def steps_of(self, case: Case) -> Names:
        """The steps that plans of a case can have, as far as the rows and requirements say."""
        left = {*self.open} - case.lacks
        # Again and again, as material is lost with its last reader, and a step with what it needs.
        while lost := {name for name in left if self._is_lost(name, case, left)}:
            left -= lost
        return frozenset(left)

    def _is_lost(self, name: str, case: Case, left: Collection[str]) -> bool:
        step = self.open[name]
        if step.required or name in case.has:  # what is lost of these, the whole case is lost by
            return False
        if not all(each in left or each in self.done for each in step.requires):
            return True
        readers = self.readers.get(name)
        return readers is not None and not any(reader in left for reader in readers)

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
        return min((name for name in self._iterate_unread(chosen)), default="")

    def _iterate_unread(self, chosen: Collection[str]) -> Iterator[str]:
        for name, readers in self.readers.items():
            if name in chosen and not any(reader in chosen for reader in readers):
                yield name

    def split(self, case: Case, material: str) -> Iterator[Case]:
        """Splits a case by who reads a material: nobody, so that it is not done, or whom first."""
        if material not in case.has:
            yield replace(case, lacks=case.lacks | {material})
        earlier: list[str] = []
        for reader in self.readers[material]:
            if reader not in case.lacks:
                yield Case(case.has | {material, reader}, case.lacks | {*earlier})
                earlier.append(reader)


def excused_beside(answers: Collection[str], steps: Iterable[Step]) -> Names:
    """The steps that nobody needs, required or not, where one of these answers is."""
    exclusions = RoleRows(steps, ()).exclusions
    return NOBODY.union(*(lost for name, lost in exclusions.items() if name in answers))
