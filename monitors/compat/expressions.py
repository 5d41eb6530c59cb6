"""The little of expr-lang that conditions on a measurement use. Pure: no loops, no names but ours.

https://expr-lang.org/docs/language-definition. Bounded: LIMIT characters, and DEPTH brackets within
each other. Whatever is wrong with an expression, or does not fit the value, is an ExpressionError.
"""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

LIMIT = 2000
DEPTH = 50
_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+\.\d+|\d+)|(?P<text>'[^']*'|\"[^\"]*\")|(?P<word>[A-Za-z_]\w*)"
    r"|(?P<sign>&&|\|\||==|!=|>=|<=|[-+*/<>!()\[\]{}.,#]))"
)
BINDS = {"||": 1, "or": 1, "&&": 2, "and": 2, "==": 3, "!=": 3, "<": 3, ">": 3, "<=": 3, ">=": 3,
         "in": 3, "not": 3, "+": 4, "-": 4, "*": 5, "/": 5}  # fmt: skip

Node = Callable[[Mapping[str, Any]], Any]


class ExpressionError(Exception):
    """An expression cannot be read, or not be evaluated with this value."""


def evaluate(expression: str, result: Any) -> bool:
    """Answer whether a condition holds of a measurement's result."""
    if len(expression) > LIMIT:
        raise ExpressionError(f"longer than {LIMIT} characters")
    found = _Parser(_tokens(expression)).whole()({"result": result})
    if not isinstance(found, bool):
        raise ExpressionError(f"expected bool, but got {_kind(found)}")
    return found


def _tokens(expression: str) -> list[str]:
    found, place, text = [], 0, expression.strip()
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise ExpressionError(f"unexpected {text[place : place + 10]!r}")
        found.append(match[0].strip())
        place = match.end()
    return found


class _Parser:
    """Reads by how tightly operators bind (Pratt)."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens, self._at, self._depth = tokens, 0, 0

    def whole(self) -> Node:
        made = self._expression(0)
        if self._peek():
            raise ExpressionError(f"unexpected {self._peek()!r}")
        return made

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _next(self, wanted: str = "") -> str:
        token = self._peek()
        if not token or (wanted and token != wanted):
            raise ExpressionError(f"expected {wanted or 'a value'}, but got {token or 'the end'}")
        self._at += 1
        return token

    def _expression(self, least: int) -> Node:
        left = self._unary()
        while BINDS.get(self._peek(), 0) > least:
            sign = self._next()
            if sign == "not":
                self._next("in")
            left = _binary(sign, left, self._expression(BINDS[sign]))
        return left

    def _unary(self) -> Node:
        """Read one operand; everything that nests goes through here."""
        self._depth += 1
        if self._depth > DEPTH:
            raise ExpressionError(f"more than {DEPTH} brackets or signs within each other")
        made = self._operand()
        self._depth -= 1
        return made

    def _operand(self) -> Node:
        if self._peek() in {"!", "not"}:
            self._next()
            inner = self._unary()
            return lambda names: not _bool(inner(names))
        if self._peek() == "-":
            self._next()
            inner = self._unary()
            return lambda names: -_number(inner(names))
        return self._postfix(self._primary())

    def _postfix(self, node: Node) -> Node:
        while self._peek() in {".", "["}:
            if self._next() == ".":
                name = self._next()
                key: Node = _constant(name)
            else:
                key = self._expression(0)
                self._next("]")
            node = _member(node, key)
        return node

    def _primary(self) -> Node:
        token = self._next()
        if token == "(":  # noqa: S105 - a bracket
            inner = self._expression(0)
            self._next(")")
            return inner
        if token[0].isdigit():
            return _constant(float(token) if "." in token else int(token))
        if token[0] in "'\"":
            return _constant(token[1:-1])
        if token in {"true", "false", "nil"}:
            return _constant({"true": True, "false": False, "nil": None}[token])
        if self._peek() == "(":
            return self._call(token)
        if token != "#" and token != "result":  # noqa: PLR1714, S105 - the two names there are
            raise ExpressionError(f"unknown name {token}")
        return _named(token)

    def _call(self, name: str) -> Node:
        self._next("(")
        arguments: list[Node] = []
        while self._peek() != ")":
            braced = self._peek() == "{"
            if braced:
                self._next()
            arguments.append(self._expression(0))
            if braced:
                self._next("}")
            if self._peek() != ")":
                self._next(",")
        self._next(")")
        return _called(name, arguments)


def _named(name: str) -> Node:
    """Answer what a name stands for; "#" stands for something inside a predicate only."""

    def get(names: Mapping[str, Any]) -> Any:
        if name not in names:
            raise ExpressionError(f"{name} stands in a predicate only")
        return names[name]

    return get


def _constant(value: Any) -> Node:
    return lambda _names: value


def _member(node: Node, key: Node) -> Node:
    def get(names: Mapping[str, Any]) -> Any:
        holder, wanted = node(names), key(names)
        try:
            return holder[wanted]
        except (KeyError, IndexError, TypeError):
            raise ExpressionError(f"cannot fetch {wanted!r} from {_kind(holder)}") from None

    return get


def _binary(sign: str, left: Node, right: Node) -> Node:
    if sign in {"&&", "and"}:
        return lambda names: _bool(left(names)) and _bool(right(names))
    if sign in {"||", "or"}:
        return lambda names: _bool(left(names)) or _bool(right(names))
    if sign in {"in", "not"}:
        return lambda names: (left(names) in _list(right(names))) is (sign == "in")
    return lambda names: _arithmetic(sign, left(names), right(names))


SIGNS: Mapping[str, Callable[[Any, Any], Any]] = {
    "==": lambda a, b: a == b, "!=": lambda a, b: a != b, "<": lambda a, b: a < b,
    ">": lambda a, b: a > b, "<=": lambda a, b: a <= b, ">=": lambda a, b: a >= b,
    "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b, "/": lambda a, b: a / b,
}  # fmt: skip


def _arithmetic(sign: str, left: Any, right: Any) -> Any:
    equality = sign in {"==", "!="}
    same = _kind(left) == _kind(right) or {_kind(left), _kind(right)} == {"int", "float64"}
    if not same and not (equality and (left is None or right is None)):
        kinds = f"{_kind(left)} and {_kind(right)}"
        raise ExpressionError(f"invalid operation: {sign} (mismatched types {kinds})")
    try:
        return SIGNS[sign](left, right)
    except (TypeError, ZeroDivisionError, OverflowError) as error:
        raise ExpressionError(f"invalid operation: {sign} ({error})") from None


def _called(name: str, arguments: list[Node]) -> Node:
    if name in {"all", "any"} and len(arguments) == 2:  # noqa: PLR2004 - a list and what holds of it
        test = all if name == "all" else any
        return lambda names: test(
            _bool(arguments[1]({**names, "#": one})) for one in _list(arguments[0](names))
        )
    function = FUNCTIONS.get(name)
    if function is None:
        raise ExpressionError(f"unknown name {name}")

    def call(names: Mapping[str, Any]) -> Any:
        try:
            return function(*(argument(names) for argument in arguments))
        except (TypeError, ValueError, OverflowError) as error:
            raise ExpressionError(f"{name}: {error}") from None

    return call


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "asFloat": float,
    "asInt": int,
    "isNaN": math.isnan,
    "isInf": math.isinf,
    "len": len,
    "max": lambda values: max(_list(values)),
    "min": lambda values: min(_list(values)),
    "default": lambda value, other: other if value is None or value == [] else value,
}


def _bool(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ExpressionError(f"expected bool, but got {_kind(value)}")
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ExpressionError(f"expected a number, but got {_kind(value)}")
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ExpressionError(f"expected a list, but got {_kind(value)}")
    return value


def _kind(value: Any) -> str:
    kinds = {bool: "bool", int: "int", float: "float64", str: "string", list: "array", dict: "map"}
    return kinds.get(type(value), "nil")
