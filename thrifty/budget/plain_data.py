"""Turns every noun into plain data and back, by the fields of its class.

Plain data is what JSON holds: it goes into the state of a graph, a checkpoint or a store, where
anybody may have changed it. So the fields are checked here, and their values by the class itself.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from operator import attrgetter
from types import NoneType, UnionType
from typing import (
    Any,
    ClassVar,
    Generic,
    NamedTuple,
    Self,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

from thrifty.budget import validate
from thrifty.budget.errors import InvalidInput

PlainState = TypeVar("PlainState")
"""The TypedDict that a class becomes."""


class PlainData(Generic[PlainState]):
    """A dataclass whose objects turn into plain data and back.

    Only the fields that make two objects equal are written.
    """

    __slots__ = ()

    PLAIN_NAME: ClassVar[str] = ""
    """What an error calls it. By default, the name of the class in lower case."""
    MAY_LACK: ClassVar[tuple[str, ...]] = ()
    """Fields with a default that plain data may leave out."""
    DERIVED: ClassVar[tuple[str, ...]] = ()
    """Properties that are written for readers of the data, and not read back."""

    def to_state(self) -> PlainState:
        """The same as plain data."""
        return cast(PlainState, _write(self))

    @classmethod
    def from_state(cls, state: object, field: str = "") -> Self:
        """Reads what `to_state` wrote.

        Args:
            state: plain data, whoever wrote it.
            field: what an error calls it.

        Raises:
            InvalidInput: a field is missing or unknown, or a value cannot be used.
        """
        return cast(Self, _read(cls, state, field))


class _Codec(NamedTuple):
    """How a value that is no plain data itself is written and read."""

    write: Callable[[Any], Any]
    read: Callable[[Any, str], Any]
    """Takes the plain data and the dotted name of its field."""


class _Form(NamedTuple):
    """How one class is written and read. It is built when the class is first used."""

    name: str
    written: tuple[str, ...]
    """The fields and properties that plain data has, in its order."""
    values: Callable[[Any], tuple[Any, ...]]
    """Their values."""
    keys: frozenset[str]
    needed: tuple[str, ...]
    may_lack: tuple[str, ...]
    derived: tuple[str, ...]
    codecs: tuple[tuple[str, _Codec], ...]
    """By the names of the fields that need one."""


def _write(noun: Any) -> dict[str, Any]:
    kind: Any = type(noun)
    form = _form(kind)
    # Most fields are plain already. They are copied together, without a look at each.
    state = dict(zip(form.written, form.values(noun), strict=True))
    for name, codec in form.codecs:
        state[name] = codec.write(state[name])
    return state


def _read(kind: Any, state: Any, field: str) -> Any:
    form = _form(kind)
    field = field or form.name
    # The usual case first: what `to_state` wrote needs no look at each field.
    has_all = isinstance(state, dict) and state.keys() == form.keys
    whole = state if has_all else validate.complete_record(field, state, form.needed, form.may_lack)
    given: dict[str, Any] = dict(whole)
    for name, codec in form.codecs:
        if name in given:
            given[name] = codec.read(given[name], f"{field}.{name}")
    for name in form.derived:
        given.pop(name, None)
    return kind(**given)


@cache
def _form(kind: Any) -> _Form:
    hints = get_type_hints(kind)  # of most classes they are texts until then
    own = [f.name for f in fields(kind) if f.compare] if is_dataclass(kind) else kind._fields
    derived, may_lack = getattr(kind, "DERIVED", ()), getattr(kind, "MAY_LACK", ())
    written = (*own, *derived)
    codecs = ((name, _codec(hints[name])) for name in own)
    return _Form(
        name=getattr(kind, "PLAIN_NAME", "") or kind.__name__.lower(),
        written=written,
        values=attrgetter(*written),  # of two names at least: of one it gives no tuple
        keys=frozenset(written),
        needed=tuple(name for name in written if name not in may_lack),
        may_lack=may_lack,
        derived=derived,
        codecs=tuple((name, codec) for name, codec in codecs if codec),
    )


def _codec(hint: Any) -> _Codec | None:
    """How values of a type are converted. None where they are plain data as they are."""
    if hasattr(hint, "to_state"):  # first, as it may read more than it writes
        return _Codec(hint.to_state, hint.from_state)
    if is_dataclass(hint) or hasattr(hint, "_fields"):  # or a named tuple
        return _Codec(_write, lambda value, field: _read(hint, value, field))
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return _optional(_codec(next(each for each in arguments if each is not NoneType)))
    if origin is Mapping:
        return _mapping(_codec(arguments[1]))
    if origin is Sequence or (origin is tuple and arguments[-1] is Ellipsis):
        return _sequence(_codec(arguments[0]))
    return _fixed_fields(len(arguments)) if origin is tuple else None


def _optional(codec: _Codec | None) -> _Codec | None:
    if codec is None:
        return None
    write, read = codec
    return _Codec(
        lambda value: None if value is None else write(value),
        lambda value, field: None if value is None else read(value, field),
    )


def _mapping(codec: _Codec | None) -> _Codec:
    if codec is None:
        return _Codec(dict, lambda value, field: value)
    write, read = codec

    def read_members(value: object, field: str) -> dict[str, Any]:
        members = validate.instance(field, value, Mapping, '{"name": ...}')
        return {name: read(each, f"{field}.{name}") for name, each in members.items()}

    return _Codec(lambda value: {name: write(each) for name, each in value.items()}, read_members)


def _sequence(codec: _Codec | None) -> _Codec:
    if codec is None:
        return _Codec(list, lambda value, field: tuple(validate.sequence(field, value)))
    write, read = codec
    return _Codec(
        lambda value: [write(each) for each in value],
        lambda value, field: tuple([read(each, field) for each in validate.sequence(field, value)]),
    )


def _fixed_fields(length: int) -> _Codec:
    """Tuples of so many plain values."""

    def read(value: object, field: str) -> tuple[Any, ...]:
        members = tuple(validate.sequence(field, value))
        if len(members) != length:
            raise InvalidInput(field, value, f"use a list of {length}")
        return members

    return _Codec(list, read)
