"""Documents that are handed over with a task: finished results, which steps read by name."""

from collections.abc import Mapping, Sequence

from thrifty.budget import InvalidInput, Step, validate
from thrifty.budget.name_folding import fold_name
from thrifty.budget.option import NAME_MAX
from thrifty.budget.plain_text import single_line, strip_unprintable
from thrifty.executors.protocol import Result

DOCUMENTS_MAX = 1_000


def read_documents(given: object, steps: Sequence[Step]) -> dict[str, str]:
    """Reads the documents of an input, each whole.

    Args:
        given: texts by name.
        steps: the recipe's. No document may be called like one of its steps.

    Raises:
        InvalidInput: there are too many, a name or a text cannot be used, or a step reads what is
            neither a step nor a document.
    """
    if not isinstance(given, Mapping):
        raise InvalidInput("documents", given, "use a mapping of names to texts")
    if len(given) > DOCUMENTS_MAX:
        raise InvalidInput("documents", len(given), f"hand over at most {DOCUMENTS_MAX:,}")
    taken = {fold_name(step.name): step.name for step in steps}
    documents: dict[str, str] = {}
    for name, text in given.items():
        field = f"documents.{single_line(str(name))}"
        if (known := taken.setdefault(fold_name(_check_name(field, name)), name)) is not name:
            raise InvalidInput(field, name, f"choose a name that differs more from {known!r}")
        plain = strip_unprintable(validate.any_string(field, text))
        documents[name] = Result(plain).text  # which refuses what is too large for a state
    _check_all_there(documents, steps)
    return documents


def _check_name(field: str, name: object) -> str:
    text = validate.text(field, name, maximum=NAME_MAX)
    if single_line(text) != text:
        raise InvalidInput(field, name, "use one line without blanks around it")
    return text


def _check_all_there(documents: Mapping[str, str], steps: Sequence[Step]) -> None:
    names = {step.name for step in steps}.union(documents)
    for step in steps:
        for name in step.reads or ():
            if name not in names:
                remedy = f"hand it over: {step.name!r} reads it, and no step is called so"
                raise InvalidInput(f"documents.{name}", None, remedy)
