"""A free check of a text with arithmetic: it ends, and what it computes comes out as it says."""

import ast
import operator
import re
from collections.abc import Callable, Iterator

MARKED = re.compile(r"<<([^=<>]+)=([^<>]+)>>")
NUMBER = r"\$?\d[\d,]*(?:\.\d+)?"
EQUATION = re.compile(
    rf"(?<![\w)*/+\-=.$\\%] )(?<![\w),*/+\-=.$\\%])({NUMBER}(?:\s*[-+*/x\u00d7]\s*{NUMBER})+)"
    rf"\s*=\s*({NUMBER})(?![\w%])(?!\s*\\?[-+*/%])(?!\s*[x\u00d7]\s*\$?\d)"
)
"""A sum as it is written in a sentence, by itself: `20 x 4 = 80`."""
FINAL_LINE = re.compile(r"####\s*\S.*$")
SENTENCE_END = tuple(".!?)*$`\"'")
TOLERANCE = 0.011
"""Results are often rounded to cents."""
OPERATORS: dict[type[ast.AST], Callable[..., float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.USub: operator.neg,
}


def check_arithmetic(text: str) -> bool | str:
    """True where the text ends and its arithmetic is right. Else what is wrong with it."""
    written = text.strip()
    if not (FINAL_LINE.search(written) or written.endswith(SENTENCE_END)):
        return "it ends in the middle"
    for expression, result in _equations(written):
        if (computed := _compute(expression)) is None or (said := _number(result)) is None:
            continue
        if abs(computed - said) > TOLERANCE * max(1.0, abs(computed)):
            return f"{expression.strip()} is {computed:g} and not {result.strip()}"
    return True


def _equations(text: str) -> Iterator[tuple[str, str]]:
    for found in MARKED.finditer(text):
        yield found[1], found[2]
    for found in EQUATION.finditer(MARKED.sub("", text)):
        yield found[1], found[2]


def _number(text: str) -> float | None:
    try:
        return float(re.sub(r"[^0-9.\-]", "", text).rstrip("."))
    except ValueError:
        return None


def _compute(expression: str) -> float | None:
    """What an expression comes to. None where it is none that is understood."""
    plain = re.sub(r"[x\u00d7]", "*", expression.replace(",", "").replace("%", "/100"))
    try:
        return _value(ast.parse(plain.replace("$", "").strip(), mode="eval").body)
    except (SyntaxError, ValueError, KeyError, ZeroDivisionError, OverflowError):
        return None


def _value(node: ast.AST) -> float:
    match node:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.UnaryOp(op=op, operand=operand):
            return OPERATORS[type(op)](_value(operand))
        case ast.BinOp(left=left, op=op, right=right):
            return OPERATORS[type(op)](_value(left), _value(right))
    raise ValueError(node)
