"""What `thrifty doctor` looks at, one by one; each finding says what to do."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
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
from thrifty.models.prices import PriceList
from thrifty.models.probe import probe, server_address
from thrifty.settings import Settings

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

    @property
    def state(self) -> Literal["ok", "note", "fail"]:
        if self.exit_code:
            return "fail"
        return "note" if self.remedy else "ok"

    def to_state(self) -> dict[str, str]:
        fields = ("about", "state", "says", "remedy")
        return {field: getattr(self, field) for field in fields}


def check_environment(settings: Settings, models: tuple[str, ...], home: Path) -> Iterator[Finding]:
    """Looks at everything.

    Args:
        settings: how models are reached.
        models: the names of those that a run would ask.
        home: the folder where runs are kept.
    """
    yield _check_key(settings)
    if not settings.is_offline:
        yield _check_server(settings, models)
        for model in models:
            yield _check_price(settings, model)
            yield _check_tokenizer(model)
    storage = _check_storage(home)
    yield storage
    if not storage.exit_code and os.name != "nt":
        yield _check_privacy(home)


def _check_key(settings: Settings) -> Finding:
    if settings.api_key:
        return Finding("key", "OPENAI_API_KEY is set")
    if settings.base_url:
        return Finding("key", "none is set; a server of your own may need none")
    says = "no key and no server: local executors do all of the work"
    return Finding("key", says, "for models, set OPENAI_API_KEY or OPENAI_BASE_URL")


def _check_server(settings: Settings, models: tuple[str, ...]) -> Finding:
    where = single_line(server_address(settings))
    try:
        answer = probe(settings)
    except ModelUnavailable as error:
        remedy = "check OPENAI_API_KEY" if error.for_good else "start it, or check OPENAI_BASE_URL"
        return Finding("server", f"{where}: {error}", remedy, error.exit_code)
    says = f"{where} answered in {answer.took_ms:,} ms"
    if answer.models is None:
        return Finding("server", f"{says}; it lists no models")
    if missing := [model for model in models if model not in answer.models]:
        says = f"{says}, and does not list {', '.join(missing)}"
        return Finding("server", says, f"choose with --model: {_list_some(answer.models)}")
    return Finding("server", says)


def _check_price(settings: Settings, model: str) -> Finding:
    prices = PriceList(settings.prices)
    if not prices.knows(model):
        says = f"no price is known for {model}: with a limit on cost it would not be asked"
        return Finding("price", says, "set its price in THRIFTY_PRICES, or limit tokens instead")
    read = format_usd(prices.quote(model, 1_000_000, 0))
    written = format_usd(prices.quote(model, 0, 1_000_000))
    return Finding("price", f"{model}: {read} read and {written} written, for a million tokens")


def _check_tokenizer(model: str) -> Finding:
    try:
        exact = is_exact(model)
    except ImportError as error:
        return Finding("tokenizer", f"cannot be loaded: {error}", "install thrifty anew", 1)
    if exact:
        return Finding("tokenizer", f"counts what {model} is sent, exactly")
    says = f"none is known for {model}: bytes are counted, so that more is reserved than is used"
    return Finding("tokenizer", says)


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
