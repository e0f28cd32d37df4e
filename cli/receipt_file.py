"""What `thrifty receipt` is given: the JSON of a run, read back as input from outside."""

from thrifty.budget import InvalidInput, validate
from thrifty.cli.input_file import parse_json, read_input
from thrifty.receipt.receipt_data import Receipt

RECEIPT_BYTES_MAX = 50_000_000
RECEIPT_REMEDY = "give what `thrifty run --json` printed"


def read_receipt_file(name: str) -> tuple[Receipt, str]:
    """The receipt and the answer in a file, or of standard input for `-`.

    Raises:
        InvalidInput: it cannot be read, or is not what a run printed.
    """
    content = read_input("FILE", name, name, RECEIPT_BYTES_MAX)
    if len(content) > RECEIPT_BYTES_MAX:
        raise InvalidInput("FILE", name, f"{RECEIPT_REMEDY}; it is never that large")
    try:
        printed = parse_json(content)
    except (ValueError, RecursionError) as error:
        raise InvalidInput("FILE", name, f"{RECEIPT_REMEDY} (it is no JSON)") from error
    if not isinstance(printed, dict) or "receipt" not in printed:
        raise InvalidInput("FILE", name, RECEIPT_REMEDY)
    draft = validate.any_string("draft", printed.get("draft", ""))
    return Receipt.from_state(printed["receipt"]), draft
