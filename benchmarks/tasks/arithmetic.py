"""Works out an expression of arithmetic, and nothing else that Python could do."""

import ast
import math
import operator
from collections.abc import Callable, Mapping

EXPRESSION_MAX = 1_000
EXPONENT_MAX = 1_000
OPERATORS: Mapping[type[ast.AST], Callable[..., float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}
FUNCTIONS: Mapping[str, Callable[..., float]] = {
    "abs": abs,
    "ceil": math.ceil,
    "exp": math.exp,
    "floor": math.floor,
    "log": math.log,
    "max": max,
    "min": min,
    "round": round,
    "sqrt": math.sqrt,
}


def work_out(expression: str) -> float:
    """The value of an expression.

    Raises:
        ValueError: it is no arithmetic, or has no value.
    """
    if len(expression) > EXPRESSION_MAX:
        raise ValueError(f"use at most {EXPRESSION_MAX:,} characters")
    try:
        return _value(ast.parse(expression.strip(), mode="eval").body)
    except (ArithmeticError, RecursionError, SyntaxError, TypeError) as error:
        raise ValueError(str(error)) from error


def _value(node: ast.AST) -> float:
    match node:
        case ast.Constant(value=int() | float() as number):
            # A fraction of two integers would be exact, and huge.
            return float(number)
        case ast.BinOp(left, ast.Pow(), right):
            return _power(_value(left), _value(right))
        case ast.BinOp(left, sign, right) if type(sign) in OPERATORS:
            return OPERATORS[type(sign)](_value(left), _value(right))
        case ast.UnaryOp(sign, operand) if type(sign) in OPERATORS:
            return OPERATORS[type(sign)](_value(operand))
        case ast.Call(ast.Name("round"), [what, ast.Constant(value=int() as digits)], []):
            return round(_value(what), digits)
        case ast.Call(ast.Name(name), arguments, []) if name in FUNCTIONS:
            return float(FUNCTIONS[name](*map(_value, arguments)))
    raise ValueError(f"{ast.unparse(node)!r} is no arithmetic")


def _power(base: float, exponent: float) -> float:
    if abs(exponent) > EXPONENT_MAX:
        raise ValueError(f"use exponents up to {EXPONENT_MAX:,}")
    power: float | complex = base**exponent
    if isinstance(power, complex):
        raise ValueError("the power of a negative number is no real one")
    return power
