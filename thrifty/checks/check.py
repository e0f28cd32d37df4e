"""A check: anything that can tell whether a result is what was wanted."""

import os
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from inspect import Parameter, isclass, signature
from typing import Any

from thrifty.budget import CheckResult, InvalidInput, validate
from thrifty.budget.secret_names import is_secret
from thrifty.planning.check_odds import SENSITIVITY, SPECIFICITY, require_informative

TIME_S = 60
"""How long a command may take. Functions and patterns of yours run as long as they do."""
REASON_MAX = 300
KINDS = (
    "a function of the text, a JSON schema, a pydantic class, a compiled regular expression, or a "
    "command as a list of words"
)
"""What a check can be, for errors."""

Test = Callable[..., object] | Mapping[str, Any] | type | re.Pattern[str] | Sequence[str]


@dataclass(frozen=True, slots=True)
class Check:
    """Says whether a result passes.

    Raises:
        InvalidInput: it is none of the kinds that there are, or it would tell nothing.
    """

    test: Test
    """One of:

    - a function of the text, or of the text and its data. It returns whether that passes, or in
      words why it does not.
    - a JSON schema or a pydantic class, which the result has to fit, as JSON where it is a text.
    - a compiled regular expression, which has to be found in the text.
    - a command as a list of words, such as `["pytest", "-q"]`. It is run without a shell, is given
      the text on its standard input, and passes it by the exit code 0.
    """
    name: str = ""
    """What receipts call it. By default, the name of the function or class, or its kind."""
    sensitivity: float = SENSITIVITY
    """The share of right results that pass, until ratings tell."""
    specificity: float = SPECIFICITY
    """The share of wrong results that fail, until ratings tell. Both together are above 1."""

    def __post_init__(self) -> None:
        validate.number("check.sensitivity", self.sensitivity, maximum=1.0)
        validate.number("check.specificity", self.specificity, maximum=1.0)
        require_informative(self.sensitivity, self.specificity)
        validate.any_string("check.name", self.name)
        kind = _kind_of(self.test)
        if not self.name:
            object.__setattr__(self, "name", kind)  # the only way into a frozen object

    @classmethod
    def of(cls, given: object, name: str = "") -> "Check":
        """A check, or what one can be made of, under a name.

        Raises:
            InvalidInput: nothing of the kind.
        """
        check = given if isinstance(given, Check) else cls(given, name)  # type: ignore[arg-type]
        return replace(check, name=name) if name else check

    def judge(self, text: str, data: Any = None) -> CheckResult:
        """What it says of a result. A check that does not work says that, and raises nothing."""
        try:
            said = _run(self.test, text, data)
        except Exception as error:  # noqa: BLE001 - it is somebody else's code
            return CheckResult(self.name, None, f"the check raised {type(error).__name__}")
        if isinstance(said, CheckResult):
            return replace(said, check=self.name)
        if isinstance(said, str):
            return CheckResult(self.name, not said, said[:REASON_MAX])
        return CheckResult(self.name, bool(said), "" if said else "it did not pass")


def _kind_of(test: object) -> str:
    """What a check is called that has no name of its own."""
    if isinstance(test, re.Pattern):
        return "pattern"
    if isinstance(test, Mapping):
        return "schema"
    if isinstance(test, list | tuple) and test and all(isinstance(word, str) for word in test):
        return str(test[0])
    if callable(test):
        return str(getattr(test, "__name__", type(test).__name__)).strip("<>")
    raise InvalidInput("check", test, f"use {KINDS}")


def _run(test: Any, text: str, data: Any) -> object:
    if isinstance(test, re.Pattern):
        return bool(test.search(text)) or f"{test.pattern!r} is not in it"
    if isinstance(test, Mapping) or (isclass(test) and hasattr(test, "model_validate")):
        return _fits_shape(test, text, data)
    if isinstance(test, list | tuple):
        return _run_command(test, text)
    return test(text, data) if _takes_data(test) else test(text)


def _fits_shape(shape: Any, text: str, data: Any) -> object:
    from thrifty.executors.answer_shape import AnswerShape  # pydantic, where a shape is wanted

    try:
        if (wanted := AnswerShape.of(shape)) is not None:
            wanted.read(text if data is None else data)
    except InvalidInput as error:
        return str(error)
    return True


def _run_command(words: Sequence[str], text: str) -> object:
    try:
        ended = subprocess.run(
            list(words),
            input=text,
            capture_output=True,
            text=True,
            timeout=TIME_S,
            check=False,
            env=_without_secrets(os.environ),
        )
    except subprocess.TimeoutExpired:
        return CheckResult(words[0], None, f"the command took more than {TIME_S} s")
    except OSError as error:
        return CheckResult(words[0], None, f"{words[0]!r} could not be run ({error.strerror})")
    lines = (ended.stdout + ended.stderr).strip().splitlines()
    return ended.returncode == 0 or (lines[-1] if lines else f"exit code {ended.returncode}")


def _without_secrets(variables: Mapping[str, str]) -> dict[str, str]:
    """The environment without keys: what a command runs may be what a model wrote."""
    return {name: value for name, value in variables.items() if not is_secret(name, value)}


def _takes_data(test: Callable[..., object]) -> bool:
    """Whether a function takes the data of a result beside its text."""
    try:
        given = signature(test).parameters.values()
    except (TypeError, ValueError):  # of a builtin
        return False
    by_place = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
    needed = [p for p in given if p.kind in by_place and p.default is Parameter.empty]
    return len(needed) > 1


CheckSource = Check | Test
"""What a check can be made of."""
