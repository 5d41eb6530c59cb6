"""YAML text -> plain data, and where each piece of it stands. Bounded before anything is built.

We read the parser's events instead of loading, because then nesting is bounded while reading, an
alias is refused before it can multiply, duplicate keys are seen, and an unquoted 012345678901 or
0.050 keeps its own digits: what an unquoted scalar means is for the caller to say.
JSON is a subset of YAML 1.2, so this reads JSON as well.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from yaml import CSafeLoader, MarkedYAMLError, YAMLError, parse
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from yaml.reader import ReaderError

MAX_DEPTH = 32

Path = tuple[str | int, ...]

BYTES_OF_A_VALUE = 12
"""A text of so many bytes may hold one value for each dozen: `{},{},{},` is work without meaning."""

_NOTHING = frozenset({"", "~", "null", "Null", "NULL"})
_NOT_YAML = re.compile("[\t\x7f-\x9f\u2028\u2029\ufffe\uffff]")
_ESCAPE = re.compile(
    r"\\(?:u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})|.)", re.DOTALL
)


class Position(NamedTuple):
    """Line and column, both from 1, as editors count."""

    line: int
    column: int


START = Position(1, 1)


class Plain(str):
    """A scalar that was written without quotes: its text; it may mean a number or nothing."""

    __slots__ = ()


class UnreadableError(Exception):
    """The text is no YAML, or YAML of a kind that we do not read; with the place."""

    def __init__(self, message: str, at: Position) -> None:
        super().__init__(message)
        self.at = at


@dataclass(slots=True)
class Document:
    """What was read. values and keys say where the value at a path, and its key, stand.

    data holds dicts, lists and strings only; unquoted scalars are Plain. It is None where nothing
    is written. Of a key that is there twice the last value counts, and duplicates has its place.
    """

    data: object = None
    values: dict[Path, Position] = field(default_factory=dict)
    keys: dict[Path, Position] = field(default_factory=dict)
    duplicates: list[tuple[Path, Position]] = field(default_factory=list)

    def position(self, path: Path, *, key: bool = False) -> Position:
        """Where a path stands; where it does not exist, where the nearest piece around it does."""
        if key and path in self.keys:
            return self.keys[path]
        for length in range(len(path), -1, -1):
            if path[:length] in self.values:
                return self.values[path[:length]]
        return START


def read(text: str, most_bytes: int, tags: Mapping[str, str] = MappingProxyType({})) -> Document:
    """Read one YAML (or JSON) document; UnreadableError where it cannot be read.

    most_bytes: how large the text may be in UTF-8, in bytes. tags: what may stand before a value, and
    the key that it is short for: with {"!Ref": "Ref"}, `!Ref a` is read as `{Ref: a}`.
    """
    if len(text.encode("utf-8", "surrogatepass")) > most_bytes:
        raise UnreadableError(f"is larger than {most_bytes // 1024} KiB: split it up", START)
    builder = _Builder(tags, most_bytes // BYTES_OF_A_VALUE)
    for event in _events(text):
        builder.take(event)
    return builder.document


def is_nothing(value: object) -> bool:
    """Say whether nothing was written: `key:`, `key: ~` or `key: null`."""
    return isinstance(value, Plain) and value in _NOTHING


def _events(text: str) -> Iterator[Event]:
    if text.lstrip("\ufeff \t\r\n").startswith("{"):
        text = _ESCAPE.sub(_one_character, _NOT_YAML.sub(_as_yaml, text))
    try:
        yield from parse(text, Loader=CSafeLoader)
    except MarkedYAMLError as error:
        at = _mark(error.problem_mark)
        raise UnreadableError(_sentence(error, _line(text, at)), at) from error
    except ReaderError as error:
        before = text[: error.position] if isinstance(error.position, int) else ""
        at = Position(before.count("\n") + 1, len(before) - before.rfind("\n"))
        raise UnreadableError("holds a character that no text may hold", at) from error
    except (YAMLError, ValueError, IndexError) as error:
        raise UnreadableError(f"is no YAML ({error})", START) from error


def _as_yaml(found: re.Match[str]) -> str:
    """Write what JSON may hold and YAML may not: tabs between things, odd characters in strings."""
    character = found.group()
    return " " if character == "\t" else f"\\u{ord(character):04x}"


def _one_character(found: re.Match[str]) -> str:
    """JSON writes what lies beyond the first 65,536 characters as two escapes; YAML has one for it."""
    high, low = found.groups()
    if high is None:
        return found.group()
    pair = (int(high, 16) << 16 | int(low, 16)).to_bytes(4, "big")
    return f"\\U{ord(pair.decode('utf-16-be')):08x}"


def _line(text: str, at: Position) -> str:
    lines = text.splitlines()
    return lines[at.line - 1][at.column - 1 :] if at.line <= len(lines) else ""


def _sentence(error: MarkedYAMLError, rest: str) -> str:
    """Say what is wrong; rest: what stands in the line from there on."""
    if rest.startswith("\t"):
        return "holds a tab: indent with spaces"
    problem = error.problem or "is no YAML"
    return f"{problem} ({error.context})" if error.context else str(problem)


def _mark(mark: object) -> Position:
    return Position(getattr(mark, "line", 0) + 1, getattr(mark, "column", 0) + 1)


@dataclass(slots=True)
class _Open:
    """A map or list that is being read. key: the key whose value comes next, in a map.

    short: it is the map that a tag is short for, and over with its one value.
    """

    path: Path
    into: dict[str, object] | list[object]
    key: str | None = None
    short: bool = False


class _Builder:
    """Builds the document from events; the parser has checked their order."""

    def __init__(self, tags: Mapping[str, str], most: int) -> None:
        self.document = Document()
        self.most = most
        self.stack: list[_Open] = []
        self.tags = tags

    def take(self, event: Event) -> None:
        at = _mark(event.start_mark)
        if isinstance(event, AliasEvent):
            raise UnreadableError("an alias (*) is not read here: write the value out", at)
        if isinstance(event, DocumentStartEvent) and self.document.values:
            raise UnreadableError("a second document begins here: one document a file", at)
        if isinstance(event, (ScalarEvent, MappingStartEvent, SequenceStartEvent)):
            self._value(event, at)
        elif isinstance(event, (MappingEndEvent, SequenceEndEvent)):
            self.stack.pop()
            self._end_short()

    def _value(
        self, event: ScalarEvent | MappingStartEvent | SequenceStartEvent, at: Position
    ) -> None:
        if event.anchor is not None:
            raise UnreadableError("an anchor (&) is not read here: write the value out", at)
        if event.tag is not None and event.tag not in self.tags:
            raise UnreadableError(f"a tag ({event.tag}) is not read here: take it out", at)
        top = self.stack[-1] if self.stack else None
        if top is not None and isinstance(top.into, dict) and top.key is None:
            self._key(top, event, at)
            return
        if event.tag is not None:
            short: dict[str, object] = {}
            self._open(short, at)
            self.stack[-1].key = self.tags[event.tag]
            self.stack[-1].short = True
        if isinstance(event, ScalarEvent):
            self._place(_text(event), at)
            self._end_short()
        else:
            self._open({} if isinstance(event, MappingStartEvent) else [], at)

    def _open(self, into: dict[str, object] | list[object], at: Position) -> None:
        if len(self.stack) >= MAX_DEPTH:
            raise UnreadableError(f"is nested deeper than {MAX_DEPTH} levels", at)
        self.stack.append(_Open(self._place(into, at), into))

    def _end_short(self) -> None:
        """Leave the maps that tags were short for, once they have their value."""
        while self.stack and self.stack[-1].short and self.stack[-1].into:
            self.stack.pop()

    def _key(self, top: _Open, event: Event, at: Position) -> None:
        if not isinstance(event, ScalarEvent) or event.tag is not None:
            raise UnreadableError("a key must be text", at)
        top.key = str(_text(event))
        path = (*top.path, top.key)
        if path in self.document.keys:
            self.document.duplicates.append((path, at))
        self.document.keys[path] = at

    def _place(self, value: object, at: Position) -> Path:
        if len(self.document.values) >= self.most:
            raise UnreadableError(f"holds more than {self.most} values: split it up", at)
        path: Path = ()
        if not self.stack:
            self.document.data = value
        else:
            top = self.stack[-1]
            if isinstance(top.into, list):
                path = (*top.path, len(top.into))
                top.into.append(value)
            else:
                path = (*top.path, str(top.key))
                top.into[str(top.key)] = value
                top.key = None
        self.document.values[path] = at
        return path


def _text(event: ScalarEvent) -> str:
    text = str(event.value)
    return text if event.style else Plain(text)
