"""Settles what each step of a decomposition reads: by id, name or number, and in no circle."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from thrifty.budget.name_folding import fold_name
from thrifty.executors.references import rename_references
from thrifty.options.decomposition import INSTRUCTION_MAX
from thrifty.options.step_fields import DraftStep, quote

Drafts = dict[int, DraftStep]
"""Steps by their numbers, in order."""

NOT_IN_KEYS = re.compile(r"[\W_]+")
STEP_NUMBER = re.compile(r"(?:step|s|e)?0*([1-9]\d{0,2})")
COMMAS = re.compile(r"[,;]")
LIKE_ID = re.compile(r"(?<![\w$])[^\W\d][\w-]{0,20}\d(?!\w)")
"""What may be an id in a sentence. One without a digit may be any word."""
NUMBER_ALONE = re.compile(r"\s*\$(?:\{(\d{1,3})\}|(\d{1,3}))\s*")


class Cited(NamedTuple):
    """What the input of a step refers to."""

    input: Any
    """The input, with references under new names."""
    places: tuple[int | str, ...]
    """The numbers of steps and the names of documents."""


class Labels:
    """By what a model may call the steps and documents of one decomposition.

    Args:
        drafts: all that say something, whatever becomes of them.
        twins: the steps that were dropped, with the one that stands for each.
        documents: the names of what there is to read.
    """

    def __init__(
        self, drafts: Sequence[DraftStep], twins: Mapping[int, int], documents: Iterable[str]
    ) -> None:
        self._ids: dict[str, int] = {}
        self._written: dict[str, int | str] = {}
        self._by_key: dict[str, int | str] = {}
        self._twins = twins
        self._count = max((draft.number for draft in drafts), default=0)
        for draft in drafts:
            for id_ in draft.ids:
                self._ids.setdefault(id_.casefold(), twins.get(draft.number, draft.number))
        # The first who has a label keeps it, and an id is meant before a name is.
        self._add((id_, draft.number) for draft in drafts for id_ in draft.ids)
        self._add((title, draft.number) for draft in drafts for title in draft.titles)
        self._add((name, name) for name in documents)

    def _add(self, labels: Iterable[tuple[str, int | str]]) -> None:
        for label, place in labels:
            settled = self._of_twin(place)
            self._written.setdefault(label.casefold(), settled)
            if key := _key(label):
                self._by_key.setdefault(key, settled)

    def _of_twin(self, place: int | str) -> int | str:
        return self._twins.get(place, place) if isinstance(place, int) else place

    def find(self, label: str) -> int | str | None:
        """The number of the step, or the name of the document, that a label means."""
        key = _key(label)
        for known, name in ((self._written, label.strip().casefold()), (self._by_key, key)):
            if name in known:
                return known[name]
        if (found := STEP_NUMBER.fullmatch(key)) and int(found[1]) <= self._count:
            return self._of_twin(int(found[1]))
        return None

    def find_told(self, instruction: str) -> list[int]:
        """The numbers of the steps that an instruction speaks of by their ids."""
        ids = [found[0].casefold() for found in LIKE_ID.finditer(instruction)]
        return [self._ids[id_] for id_ in ids if id_ in self._ids]

    def tell_names(self, instruction: str, names: Mapping[int | str, str]) -> str:
        """An instruction with names for ids: who does a step sees no ids."""

        def tell(found: re.Match[str]) -> str:
            name = names.get(self._ids.get(found[0].casefold(), 0))
            return found[0] if name is None else quote(name)

        told = LIKE_ID.sub(tell, instruction)
        return told if len(told) <= INSTRUCTION_MAX else instruction

    def find_cited(self, draft: DraftStep, new_names: Mapping[int | str, str]) -> Cited:
        """What the input of a step refers to.

        A bare number may be an amount of money. It is a reference where it stands alone, or where
        the step says that it reads what has that number.

        Args:
            draft: the step.
            new_names: what references are called from now on. What has none keeps its own.
        """
        texts = [text for text in _texts_in(draft.input) if "$" in text]
        if not texts or not draft.executor:
            return Cited(draft.input, ())
        written = "\n".join(texts).casefold()
        names = {name for name in self._written if name in written and not name.isdecimal()}
        numbers = [read.strip("${}") for read in draft.named_reads]
        numbers += [found[1] or found[2] for found in map(NUMBER_ALONE.fullmatch, texts) if found]
        names.update(filter(str.isdecimal, numbers))
        found: list[int | str] = []

        def rename(name: str) -> str:
            if (place := self.find(name)) is None:
                return name
            found.append(place)
            return new_names.get(place, place if isinstance(place, str) else name)

        return Cited(rename_references(draft.input, rename, names), tuple(dict.fromkeys(found)))


def settle_reads(drafts: Drafts, labels: Labels, remarks: list[str]) -> Drafts:
    """The steps with what they read, of themselves and each other, without a circle."""
    settled = {
        number: _with_reads(draft, labels, drafts, remarks) for number, draft in drafts.items()
    }
    return _cut_circles(settled, remarks)


def comes_after(drafts: Mapping[int, DraftStep], later: int, earlier: int) -> bool:
    """Whether a step reads another, perhaps by way of others, or is that step itself."""
    open_, seen = [later], {later}
    while open_:
        number = open_.pop()
        if number == earlier:
            return True
        fresh = [read for read in drafts[number].reads if read not in seen]
        seen.update(fresh)
        open_ += fresh
    return False


def without_steps(drafts: Mapping[int, DraftStep], dropped: Collection[int]) -> Drafts:
    """The steps without some of them, and nobody reads those."""
    return {
        number: replace(draft, reads=tuple(read for read in draft.reads if read not in dropped))
        for number, draft in drafts.items()
        if number not in dropped
    }


def readers(drafts: Mapping[int, DraftStep]) -> set[int]:
    """The numbers of the steps that some step reads."""
    return {read for draft in drafts.values() for read in draft.reads}


def _with_reads(
    draft: DraftStep, labels: Labels, drafts: Mapping[int, DraftStep], remarks: list[str]
) -> DraftStep:
    places: list[int | str] = []
    unknown: list[str] = []
    for name in draft.named_reads:
        found = list(_places_of(name, labels))
        unknown += [] if found else [name]
        places += found
    places += labels.find_cited(draft, {}).places
    places += [told for told in labels.find_told(draft.instruction) if told < draft.number]
    if unknown:
        shown = ", ".join(map(quote, unknown[:3]))
        remarks.append(f"{quote(draft.name)} reads {shown}, which nothing here is called")
    numbers = [
        each
        for each in places
        if isinstance(each, int) and each in drafts and drafts[each].role != "revision"
    ]
    return replace(
        draft,
        reads=tuple(each for each in dict.fromkeys(numbers) if each != draft.number),
        documents=tuple(dict.fromkeys(each for each in places if isinstance(each, str))),
    )


def _places_of(name: str, labels: Labels) -> Iterator[int | str]:
    """What one text names: one step or document, or several with commas between."""
    for each in [name] if labels.find(name) is not None else COMMAS.split(name):
        if (place := labels.find(each)) is not None:
            yield place


def _cut_circles(drafts: Drafts, remarks: list[str]) -> Drafts:
    """Leaves out each read that would close a circle: it is one of what makes the result, where
    there is one. There are few steps, so that nothing is nested deep."""
    cut: Drafts = {}
    begun: set[int] = set()

    def visit(number: int) -> None:
        begun.add(number)
        kept: list[int] = []
        for read in drafts[number].reads:
            if read not in begun:
                visit(read)
            if read in cut:
                kept.append(read)
            else:
                names = quote(drafts[number].name), quote(drafts[read].name)
                remarks.append("{} does not read {}: that would be a circle".format(*names))
        cut[number] = replace(drafts[number], reads=tuple(kept))

    for number in sorted(drafts, key=lambda number: _from_result(drafts[number])):
        if number not in begun:
            visit(number)
    return {number: cut[number] for number in drafts}


def _from_result(draft: DraftStep) -> int:
    """What makes the result comes first."""
    return ("answer", "section", draft.role).index(draft.role)


def _key(label: str) -> str:
    """A label without case, blanks and signs: `$Search-Prices` is `search prices`."""
    return NOT_IN_KEYS.sub("", fold_name(label))


def _texts_in(value: Any) -> Iterator[str]:
    """The texts in plain data."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        for member in value.values() if isinstance(value, Mapping) else value:
            yield from _texts_in(member)
