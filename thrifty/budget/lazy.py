"""A sequence whose members are computed when they are first read."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

Member = TypeVar("Member")


class LazySequence(Sequence[Member]):
    """Behaves like the tuple that `make` returns; `make` is called at the first read.

    Equal to that tuple, hashed, shown, copied and pickled as it. `make` is dropped once it was
    called. Two threads that read at once may both call it, so it must be pure.
    """

    __slots__ = ("_members",)

    def __init__(self, make: Callable[[], tuple[Member, ...]]) -> None:
        self._members: tuple[Member, ...] | Callable[[], tuple[Member, ...]] = make

    def _read(self) -> tuple[Member, ...]:
        members = self._members
        if not isinstance(members, tuple):
            members = self._members = members()  # `make` goes, with all that it holds
        return members

    def __getitem__(self, place: Any, /) -> Any:
        return self._read()[place]

    def __len__(self) -> int:
        return len(self._read())

    def __eq__(self, other: object) -> bool:
        return self._read() == (other._read() if isinstance(other, LazySequence) else other)

    def __hash__(self) -> int:
        return hash(self._read())

    def __repr__(self) -> str:
        return repr(self._read())

    def __reduce__(self) -> tuple[type[tuple[Member, ...]], tuple[tuple[Member, ...]]]:
        return tuple, (self._read(),)
