"""YAML text -> plain data, and the line and column of each piece. Bounded before anything is built.

We compose nodes and convert them ourselves, because a node keeps what was written: an unquoted
012345678901 is still twelve digits there, and each key and value knows where it stands.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

MAX_BYTES = 512 * 1024
MAX_DEPTH = 16
MAX_NODES = 60_000
"""Aliases are followed, so a few lines could stand for millions of pieces."""

Path = tuple[str | int, ...]

NULL = "tag:yaml.org,2002:null"
TEXT = "tag:yaml.org,2002:str"
MERGE = "<<"


class Position(NamedTuple):
    """Line and column, both from 1, as editors count."""

    line: int
    column: int


START = Position(1, 1)


class UnreadableError(Exception):
    """The text is no YAML, or too much of it; with the place."""

    def __init__(self, message: str, at: Position = START) -> None:
        super().__init__(message)
        self.at = at


class Unquoted(str):
    """A scalar that YAML takes for a number, a Boolean or a date: its text as it was written."""

    __slots__ = ()


@dataclass(slots=True)
class Document:
    """What was read: dicts, lists, strings, Unquoted and None; and where the pieces stand."""

    data: object = None
    positions: dict[Path, Position] = field(default_factory=dict)
    problems: list[tuple[Path, Position, str]] = field(default_factory=list)
    nodes: int = 0

    def position(self, path: Path) -> Position:
        """Where a path stands; where it does not exist, where the nearest piece around it does."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.positions:
                return self.positions[path[:length]]
        return START


def read(text: str) -> Document:
    """Read one YAML document; UnreadableError where it cannot be read."""
    if len(text) > MAX_BYTES or len(text.encode("utf-8", "replace")) > MAX_BYTES:
        raise UnreadableError(f"is larger than {MAX_BYTES // 1024} KiB; split the accounts up")
    node = _compose(text)
    document = Document()
    document.data = _convert(node, (), document) if node is not None else None
    return document


def _compose(text: str) -> Node | None:
    try:
        return YAML(typ="safe", pure=True).compose(text)  # type: ignore[no-any-return]
    except MarkedYAMLError as error:
        raise UnreadableError(error.problem or "is no YAML", _mark(error.problem_mark)) from error
    except ReaderError as error:
        raise UnreadableError("holds a character that YAML does not allow") from error
    except RecursionError as error:
        raise UnreadableError(f"is nested deeper than {MAX_DEPTH} levels") from error
    except (YAMLError, ValueError, IndexError, KeyError, AttributeError) as error:
        raise UnreadableError(f"is no YAML ({type(error).__name__})") from error


def _convert(node: Node, path: Path, document: Document) -> object:
    at = _mark(node.start_mark)
    document.positions.setdefault(path, at)
    document.nodes += 1
    if len(path) > MAX_DEPTH:
        raise UnreadableError(f"is nested deeper than {MAX_DEPTH} levels", at)
    if document.nodes > MAX_NODES:
        raise UnreadableError(f"holds more than {MAX_NODES} values; split the accounts up", at)
    if isinstance(node, MappingNode):
        return _mapping(node, path, document)
    if isinstance(node, SequenceNode):
        return [_convert(item, (*path, n), document) for n, item in enumerate(node.value)]
    return _scalar(node) if isinstance(node, ScalarNode) else None


def _scalar(node: ScalarNode) -> object:
    if node.tag == NULL:
        return None
    return str(node.value) if node.tag == TEXT else Unquoted(node.value)


def _mapping(node: MappingNode, path: Path, document: Document) -> dict[str, object]:
    found: dict[str, object] = {}
    merged: dict[str, object] = {}
    for key, value in node.value:
        name, at = str(key.value)[:200], _mark(key.start_mark)
        if name == MERGE and isinstance(value, MappingNode):
            merged |= _mapping(value, path, document)
        elif name in found:
            document.problems.append(((*path, name), at, "is given twice; keep one of them"))
        else:
            document.positions[*path, name] = _mark(value.start_mark)
            found[name] = _convert(value, (*path, name), document)
    return merged | found


def _mark(mark: object) -> Position:
    line, column = getattr(mark, "line", 0), getattr(mark, "column", 0)
    return Position(int(line) + 1, int(column) + 1)
