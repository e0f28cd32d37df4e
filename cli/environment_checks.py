"""What `thrifty doctor` looks at, one by one; each finding says what to do."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from uuid import uuid4

from thrifty.budget import Budget, LedgerUnavailable, ModelUnavailable
from thrifty.budget.dollars import format_usd
from thrifty.budget.errors import ThriftyError
from thrifty.budget.plain_text import single_line
from thrifty.cli.private_files import (
    describe_narrowed,
    make_private_file,
    make_private_folder,
    narrow_home,
)
from thrifty.models.input_bound import is_exact
from thrifty.models.model_role import ModelRole
from thrifty.models.probe import probe
from thrifty.models.roles import ModelRoles
from thrifty.settings import KEY_VARIABLE

if TYPE_CHECKING:
    from thrifty.ledger.sqlite import SqliteLedger

NAMES_SHOWN_MAX = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check."""

    about: str
    says: str
    remedy: str = ""
    """What to do; empty where nothing is to be done."""
    exit_code: int = 0
    """What a run that needs this would end with; 0 where it can do without."""
    role: str = ""
    """The model roles that it is about, where it is about some."""

    @property
    def state(self) -> Literal["ok", "note", "fail"]:
        if self.exit_code:
            return "fail"
        return "note" if self.remedy else "ok"

    def to_state(self) -> dict[str, str]:
        fields = ("about", "role", "state", "says", "remedy")
        return {field: getattr(self, field) for field in fields}


def check_environment(roles: ModelRoles, home: Path) -> Iterator[Finding]:
    """Looks at everything.

    Args:
        roles: the models that a run would ask.
        home: the folder where runs are kept.
    """
    if roles.is_offline:
        yield _offline(roles)
    else:
        for at_one_server in _group_by_server(roles):
            yield from _check_server(at_one_server)
        for role in roles:
            if not role.is_offline:
                yield _check_price(role)
                yield _check_tokenizer(role)
    storage = _check_storage(home)
    yield storage
    if not storage.exit_code and os.name != "nt":
        yield _check_privacy(home)


def _offline(roles: ModelRoles) -> Finding:
    reasons = "; ".join(dict.fromkeys(role.offline_reason for role in roles))
    says = f"{reasons}: local executors do all of the work"
    variables = dict.fromkeys(role.key_variable for role in roles if role.key_variable)
    names = " or ".join((*variables, *(["OPENAI_BASE_URL"] if KEY_VARIABLE in variables else [])))
    return Finding("key", says, f"for models, set {names}")


def _group_by_server(roles: ModelRoles) -> list[list[ModelRole]]:
    """The roles that are asked at one address with one key stand together."""
    groups: dict[tuple[object, ...], list[ModelRole]] = {}
    for role in roles:
        asked = role.vendor, role.base_url, role.key_variable, role.api_key
        groups.setdefault(asked, []).append(role)
    return list(groups.values())


def _check_server(roles: Sequence[ModelRole]) -> Iterator[Finding]:
    """Looks at the key and the server of roles that have both in common."""
    names, first = ", ".join(role.name for role in roles), roles[0]
    yield _check_key(first, names)
    if not first.is_offline:
        yield _ask_server(roles, names)


def _check_key(role: ModelRole, names: str) -> Finding:
    if role.is_offline:
        return Finding("key", role.offline_reason, f"set {role.key_variable}", role=names)
    if role.api_key:
        return Finding("key", f"{role.key_variable} is set", role=names)
    return Finding("key", "none is set; a server of your own may need none", role=names)


def _ask_server(roles: Sequence[ModelRole], names: str) -> Finding:
    where = single_line(roles[0].address)
    try:
        answer = probe(roles[0])
    except ModelUnavailable as error:
        remedy = f"check {roles[0].key_variable or 'its key_variable'}"
        if not error.for_good:
            remedy = "start it, or check its address: OPENAI_BASE_URL, or the model's base_url"
        return Finding("server", f"{where}: {error}", remedy, error.exit_code, names)
    if answer is None:
        return Finding("server", f"{where} lists no models for free: --try asks one", role=names)
    says = f"{where} answered in {answer.took_ms:,} ms"
    if answer.models is None:
        return Finding("server", f"{says}; it lists no models", role=names)
    if missing := [role.model for role in roles if role.model not in answer.models]:
        says = f"{says}, and does not list {', '.join(missing)}"
        remedy = f"choose with --models: {_list_some(answer.models)}"
        return Finding("server", says, remedy, role=names)
    return Finding("server", says, role=names)


def _check_price(role: ModelRole) -> Finding:
    model, prices = role.model, role.prices
    if not prices.knows(model):
        says = f"no price is known for {model}: with a limit on cost it would not be asked"
        remedy = "give it a price, in THRIFTY_PRICES or the settings, or limit tokens instead"
        return Finding("price", says, remedy, role=role.name)
    read = format_usd(prices.quote(model, 1_000_000, 0))
    written = format_usd(prices.quote(model, 0, 1_000_000))
    says = f"{model}: {read} read and {written} written, for a million tokens"
    return Finding("price", says, role=role.name)


def _check_tokenizer(role: ModelRole) -> Finding:
    try:
        exact = is_exact(role.encoding)
    except ImportError as error:
        remedy = "install thrifty anew"
        return Finding("tokenizer", f"cannot be loaded: {error}", remedy, 1, role.name)
    says = f"counts what {role.model} is sent, exactly"
    if not exact:
        says = f"none is known for {role.model} at its address: bytes are counted, so that more is "
        says += "reserved than is used"
    return Finding("tokenizer", says, role=role.name)


def _look_into(file: Path, act: Callable[[SqliteLedger], object]) -> None:
    from thrifty.ledger.sqlite import SqliteLedger

    ledger = SqliteLedger(file)
    try:
        act(ledger)
    finally:
        ledger.disconnect()


def _check_storage(home: Path) -> Finding:
    """Whether a ledger can be written there; what was written is taken away again."""
    trial = home / f"trial-{uuid4().hex}.sqlite"  # on the same disk, with the same rights
    where, failure = single_line(str(home)), ""
    try:
        make_private_folder(home)
        make_private_file(trial)
        _look_into(trial, lambda ledger: ledger.open("trial", Budget()))
        if (kept := home / "ledger.sqlite").exists():
            # A damaged file shows when it is read.
            _look_into(kept, lambda ledger: ledger.accounts())
        if fixed := [file.name for file in home.glob("*.sqlite") if not os.access(file, os.W_OK)]:
            failure = f"{where}: {', '.join(map(single_line, fixed))} cannot be written to"
    except (OSError, sqlite3.Error, ThriftyError, ValueError) as error:
        failure = f"{where} cannot be written to: {getattr(error, 'strerror', None) or error}"
    finally:
        for suffix in ("", "-wal", "-shm"):  # what SQLite makes beside it, too
            with suppress(OSError, ValueError):
                trial.with_name(f"{trial.name}{suffix}").unlink(missing_ok=True)
    if failure:
        remedy = "set THRIFTY_HOME to a folder that can be written to"
        return Finding("store", failure, remedy, LedgerUnavailable.exit_code)
    return Finding("store", f"{where} can be written to")


def _check_privacy(home: Path) -> Finding:
    """Whether the user alone can read what is kept. What others could read is made so."""
    where = single_line(str(home))
    found = narrow_home(home)
    if found.left:
        remedy = "set THRIFTY_HOME to a folder of your own that holds nothing else"
        if found.left == (home,):
            says = f"others can look into {where}, but not into what thrifty keeps there"
            return Finding("files", says, remedy)
        names = _list_some(frozenset(path.name for path in found.left))
        return Finding("files", f"others can use {names}, in {where}", remedy)
    if found.narrowed:
        return Finding("files", describe_narrowed(found.narrowed))
    return Finding("files", f"only you can read what is kept in {where}")


def _list_some(names: frozenset[str]) -> str:
    shown = [single_line(name)[:60] for name in sorted(names)[:NAMES_SHOWN_MAX]]
    return ", ".join([*shown, *(["..."] if len(names) > NAMES_SHOWN_MAX else [])])
