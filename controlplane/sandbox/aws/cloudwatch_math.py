"""CloudWatch's metric math: a bounded evaluator over Python's syntax tree, never Python itself.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
Not known: SEARCH, ANOMALY_DETECTION_BAND, Metrics Insights (SELECT), time functions.
"""

import ast
import operator
import re
from collections.abc import Callable
from typing import Any

from controlplane.sandbox.aws.cloudwatch_functions import call
from controlplane.sandbox.aws.cloudwatch_values import (
    Binary,
    MathError,
    Scope,
    Value,
    pointwise,
    series_of,
)

LONGEST = 2048
DEEPEST = 40

BINARY: dict[type[ast.operator], Binary] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
COMPARISONS: dict[type[ast.cmpop], Binary] = {
    ast.Gt: operator.gt,
    ast.Lt: operator.lt,
    ast.GtE: operator.ge,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
SPELLINGS = (
    (r"&&", " and "),
    (r"\|\|", " or "),
    (r"\bAND\b", " and "),
    (r"\bOR\b", " or "),
    (r"\^", "**"),
)


def evaluate(expression: str, scope: Scope) -> Value:
    """Evaluate an expression. Raises MathError."""
    return _node(parse(expression), scope, 0)


def parse(expression: str) -> ast.expr:
    """Read an expression. Raises MathError."""
    if len(expression) > LONGEST:
        raise MathError(f"Expression is longer than {LONGEST} characters")
    text = expression.strip()
    for pattern, python in SPELLINGS:
        text = re.sub(pattern, python, text)
    try:
        return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise MathError(f"Error in expression: {expression!r} is no metric math") from None


def _node(node: ast.expr, scope: Scope, depth: int) -> Value:
    if depth > DEEPEST:
        raise MathError("Expression is nested too deeply")
    for kind, handler in NODES.items():
        if isinstance(node, kind):
            return handler(node, scope, depth + 1)
    raise MathError(f"{ast.unparse(node)} is no metric math")


def _constant(node: Any, _scope: Scope, _depth: int) -> Value:
    if isinstance(node.value, bool) or not isinstance(node.value, int | float):
        raise MathError(f"{node.value!r} is no number")
    try:
        return float(node.value)
    except OverflowError:
        raise MathError("a number is too large") from None


def _name(node: Any, scope: Scope, _depth: int) -> Value:
    if node.id not in scope.series:
        raise MathError(f"Undefined variable {node.id}")
    return scope.series[node.id]


def _binary(node: Any, scope: Scope, depth: int) -> Value:
    function = BINARY.get(type(node.op))
    if function is None:
        raise MathError(f"{ast.unparse(node)}: no such operator")
    return pointwise(function, _node(node.left, scope, depth), _node(node.right, scope, depth))


def _compare(node: Any, scope: Scope, depth: int) -> Value:
    function = COMPARISONS.get(type(node.ops[0]))
    if function is None or len(node.ops) != 1:
        raise MathError(f"{ast.unparse(node)}: compare two things at a time")
    left, right = _node(node.left, scope, depth), _node(node.comparators[0], scope, depth)
    return pointwise(function, left, right)


def _logic(node: Any, scope: Scope, depth: int) -> Value:
    both = isinstance(node.op, ast.And)
    values = [_node(each, scope, depth) for each in node.values]
    result = values[0]
    for value in values[1:]:
        result = pointwise(
            lambda a, b: (bool(a) and bool(b)) if both else (bool(a) or bool(b)), result, value
        )
    return result


def _unary(node: Any, scope: Scope, depth: int) -> Value:
    value = _node(node.operand, scope, depth)
    if isinstance(node.op, ast.USub):
        return pointwise(operator.mul, value, -1.0)
    if isinstance(node.op, ast.UAdd):
        return value
    raise MathError(f"{ast.unparse(node)}: no such operator")


def _array(node: Any, scope: Scope, depth: int) -> Value:
    return [series_of(_node(each, scope, depth)) for each in node.elts]


def _call(node: Any, scope: Scope, depth: int) -> Value:
    if not isinstance(node.func, ast.Name) or node.keywords:
        raise MathError(f"{ast.unparse(node)} is no function of metric math")
    words = [
        each.id if _is_word(each) else each.value if _is_text(each) else None for each in node.args
    ]
    values = [
        word if word is not None else _node(each, scope, depth)
        for word, each in zip(words, node.args, strict=True)
    ]
    return call(node.func.id, values, scope)


def _is_word(node: Any) -> bool:
    return isinstance(node, ast.Name) and node.id in ("REPEAT", "LINEAR")


def _is_text(node: Any) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


NODES: dict[type[ast.expr], Callable[[Any, Scope, int], Value]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.BinOp: _binary,
    ast.Compare: _compare,
    ast.BoolOp: _logic,
    ast.UnaryOp: _unary,
    ast.List: _array,
    ast.Call: _call,
}
