"""Intrinsic functions -> their values, as far as parameters, mappings and conditions say them.

Pure, and never wrong: what only the account knows (a resource's name, an export of another stack)
stays symbolic. https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
"""

import base64
import re
from collections.abc import Callable, Mapping
from typing import Any

from accounts.yaml_text import Path, Plain
from controlplane.declarations.cloudformation import symbols
from controlplane.declarations.cloudformation.template import Template, function, inside
from controlplane.declarations.findings import Finding

NOTHING = object()
"""AWS::NoValue: the property, or the item, is not there."""
DEEPEST = 64
LONGEST = 64 * 1024
"""Characters of one value: nested Joins multiply."""

_VARIABLE = re.compile(r"\$\{(!?)([^{}]*)\}")
_INDEX = re.compile("[0-9]{1,6}")
_OPAQUE = ("AWS::SSM::Parameter::Value", "AWS::SSM::Parameter::Name")

MACROS = ("Fn::ForEach", "Fn::Transform")
PROCESSED = (
    "CloudFormation makes something else of this before it reads it: import what it made, by "
    "`aws cloudformation get-template --template-stage Processed`"
)


class TooLongError(Exception):
    """A text would be over LONGEST; it is not made."""


class Resolver:
    """Evaluates what stands in one template. given: parameters by name, as somebody said them.

    origin: path in what was made -> path in the template. used: parameters whose defaults were
    taken. findings: what cannot be said without a parameter.
    """

    def __init__(self, template: Template, given: Mapping[str, str]) -> None:
        self.template = template
        self.given = given
        self.origin: dict[Path, Path] = {}
        self.findings: list[Finding] = []
        self.used: set[str] = set()
        self._testing: list[str] = []
        self._known: dict[str, bool | None] = {}
        self._depth = 0

    # --- structures -----------------------------------------------------------------------------

    def tree(self, node: object, source: Path, target: Path = ()) -> Any:
        """Answer what a node says; NOTHING where it says that it is not there."""
        self._depth += 1
        try:
            if self._depth > DEEPEST:
                self.findings.append(Finding(source, "is nested too deep to be evaluated"))
                return ""
            return self._tree(node, source, target)
        finally:
            self._depth -= 1

    def _tree(self, node: object, source: Path, target: Path) -> Any:
        self.origin[target] = source
        found = function(node)
        if found is not None:
            return self._function(*found, source, target)
        if isinstance(node, dict):
            return self._map(node, source, target)
        if isinstance(node, list):
            return self._list(node, source, target)
        return node

    def _map(self, node: Mapping[str, object], source: Path, target: Path) -> dict[str, Any]:
        made = {}
        for key, item in node.items():
            if key.startswith(MACROS):
                self.findings.append(Finding((*source, key), PROCESSED))
                continue
            value = self.tree(item, (*source, key), (*target, key))
            if value is not NOTHING:
                made[key] = value
        return made

    def _list(self, node: list[object], source: Path, target: Path) -> list[Any]:
        made: list[Any] = []
        for i, item in enumerate(node):
            value = self.tree(item, (*source, i), (*target, len(made)))
            if value is not NOTHING:
                made.append(value)
        return made

    # --- functions ------------------------------------------------------------------------------

    def _function(self, name: str, argument: object, source: Path, target: Path) -> Any:
        where = inside(source, name)
        if name == "Fn::If":
            return self._if(argument, where, target)
        try:
            made = FUNCTIONS[name](self, argument, where) if name in FUNCTIONS else None
        except TooLongError:
            self.findings.append(Finding(source, f"says more than {LONGEST} characters"))
            return ""
        return symbols.other(name, _plain(argument)) if made is None else made

    def _if(self, argument: object, where: Path, target: Path) -> Any:
        branches = 3
        if not isinstance(argument, list) or len(argument) != branches:
            self.findings.append(Finding(where, "needs a condition and two values"))
            return NOTHING
        named = isinstance(argument[0], str)
        holds = self.condition(argument[0]) if named else self._holds(argument[0], where)
        if holds is None:
            if all(isinstance(value, str) or function(value) for value in argument[1:]):
                return symbols.other("Fn::If", _plain(argument))
            self.findings.append(Finding((*where, 0), self._undecided(argument[0])))
            return NOTHING
        chosen = 1 if holds else 2
        return self.tree(argument[chosen], (*where, chosen), target)

    def _undecided(self, condition: object) -> str:
        if isinstance(condition, str) and condition not in self.template.conditions:
            return f"no condition {str(condition)!r} is in Conditions"
        asked = sorted(self._asked(condition, set()))
        mend = " ".join(f"--parameter {name}=..." for name in asked)
        said = f"give {mend}" if asked else "it asks for what only the account knows"
        return f"whether this is there hangs on a condition that is not known here: {said}"

    def _asked(self, node: object, seen: set[str]) -> set[str]:
        """Name the parameters without a value that a condition hangs on."""
        if isinstance(node, str) and node in self.template.conditions and node not in seen:
            seen.add(node)
            return self._asked(self.template.conditions[node], seen)
        found = function(node)
        if found is not None and found[0] == "Ref":
            name = str(found[1])
            return {name} if name in self.template.parameters else set()
        parts: list[object] = []
        if isinstance(node, dict):
            parts = list(node.values())
        elif isinstance(node, list):
            parts = [part for part in node if not isinstance(part, str)]
        return {name for part in parts for name in self._asked(part, seen)}

    def ref(self, argument: object, where: Path) -> Any:
        """Answer a parameter's value, or a symbol."""
        name = argument if isinstance(argument, str) else ""
        if name == "AWS::NoValue":
            return NOTHING
        declared = self.template.parameters.get(name)
        value = self.given.get(name)
        if value is None:
            value = _default(declared)
            if value is not None:
                self.used.add(name)
        if value is None:
            return self._symbol(name, where)
        # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html
        return [one.strip() for one in value.split(",")] if _is_list(declared) else value

    def _symbol(self, name: str, where: Path) -> str:
        """A name that CloudFormation knows; an attribute of a custom resource may have any letters."""
        resource = name.partition(".")[0]
        if symbols.NAME.fullmatch(resource) is None:
            self.findings.append(
                Finding(where, "must name a parameter or a resource: letters and digits")
            )
            return ""
        return symbols.reference(name)

    def get_att(self, argument: object, where: Path) -> str | None:
        """A resource's attribute is the account's to say."""
        parts = argument if isinstance(argument, list) else [argument]
        names = [part for part in parts if isinstance(part, str)]
        if len(names) < len(parts):
            return None  # the attribute's name is the account's to say, too
        return self._symbol(".".join(names), where)

    def sub(self, argument: object, where: Path) -> str | None:
        """Put values into a text."""
        text: object = argument
        given: Any = {}
        if isinstance(argument, list) and argument:
            text = argument[0]
            given = self.tree(argument[1], (*where, 1), where) if len(argument) > 1 else {}
        if not isinstance(text, str) or not isinstance(given, dict):
            return None
        pieces, end = [], 0
        for match in _VARIABLE.finditer(text):
            pieces += [text[end : match.start()], self._variable(match, given, where)]
            end = match.end()
        return _joined("", [*pieces, text[end:]])

    def _variable(self, match: re.Match[str], given: Mapping[str, Any], where: Path) -> str:
        literal, name = match[1], match[2].strip()
        if literal:
            return f"${{{name}}}"
        value = given[name] if name in given else self.ref(name, where)
        return _text(value)

    def join(self, argument: object, where: Path) -> str | None:
        """Join texts, symbols among them."""
        if not isinstance(argument, list) or len(argument) != 2:  # noqa: PLR2004 - a delimiter and a list
            return None
        delimiter = self.tree(argument[0], where, where)
        parts = self.tree(argument[1], where, where)
        if isinstance(parts, str):
            return None  # a symbol that stands for a list
        return _joined(_text(delimiter), [_text(part) for part in parts if part is not NOTHING])

    def find_in_map(self, argument: object, where: Path) -> Any:
        """Look a value up; a symbolic key is the account's to say."""
        if not isinstance(argument, list) or len(argument) < 3:  # noqa: PLR2004 - a map and two keys
            return None
        found: Any = self.template.mappings
        for part in argument[:3]:
            key = _text(self.tree(part, where, where))
            if not isinstance(found, dict) or key not in found:
                return None
            found = found[key]
        return found

    def select(self, argument: object, where: Path) -> Any:
        """Take one item of a list."""
        if not isinstance(argument, list) or len(argument) != 2:  # noqa: PLR2004 - an index and a list
            return None
        index, items = (self.tree(part, where, where) for part in argument)
        if not isinstance(items, list) or _INDEX.fullmatch(str(index)) is None:
            return None
        if int(index) >= len(items):
            return None
        return items[int(index)]

    def split(self, argument: object, where: Path) -> Any:
        """Split a text that is wholly known."""
        if not isinstance(argument, list) or len(argument) != 2:  # noqa: PLR2004 - a delimiter and a text
            return None
        delimiter, text = (_text(self.tree(part, where, where)) for part in argument)
        return None if symbols.is_symbolic(text) or not delimiter else text.split(delimiter)

    def base64(self, argument: object, where: Path) -> str | None:
        """Encode a text that is wholly known."""
        text = _text(self.tree(argument, where, where))
        if symbols.is_symbolic(text):
            return None
        return base64.b64encode(text.encode()).decode()

    # --- conditions -----------------------------------------------------------------------------

    def condition(self, name: str) -> bool | None:
        """Say whether a condition holds; None where that is not known here."""
        if name in self._testing or name not in self.template.conditions:
            return None
        if name not in self._known:  # conditions that ask for each other twice each multiply
            self._testing.append(name)
            try:
                asked = self.template.conditions[name]
                self._known[name] = self._holds(asked, ("Conditions", name))
            finally:
                self._testing.pop()
        return self._known[name]

    def _holds(self, node: object, where: Path) -> bool | None:
        name, argument = next(iter(node.items())) if isinstance(node, dict) and node else ("", None)
        if name == "Condition":
            return self.condition(str(argument))
        if not isinstance(argument, list) or not argument:
            return None
        if name == "Fn::Equals":
            return self._equal(argument, where)
        known = [self._holds(one, where) for one in argument]
        return TRUTH[name](known) if name in TRUTH else None

    def _equal(self, argument: list[object], where: Path) -> bool | None:
        sides = [_text(self.tree(side, where, where)) for side in argument]
        if len(set(sides)) == 1:
            return True
        return None if any(symbols.is_symbolic(side) for side in sides) else False


TRUTH: Mapping[str, Callable[[list[bool | None]], bool | None]] = {
    "Fn::Not": lambda known: None if known[0] is None else not known[0],
    "Fn::And": lambda known: False if False in known else (None if None in known else True),
    "Fn::Or": lambda known: True if True in known else (None if None in known else False),
}
"""Three-valued: what is not known may not matter."""

FUNCTIONS: Mapping[str, Callable[[Resolver, object, Path], Any]] = {
    "Ref": Resolver.ref,
    "Fn::GetAtt": Resolver.get_att,
    "Fn::Sub": Resolver.sub,
    "Fn::Join": Resolver.join,
    "Fn::FindInMap": Resolver.find_in_map,
    "Fn::Select": Resolver.select,
    "Fn::Split": Resolver.split,
    "Fn::Base64": Resolver.base64,
}
"""What is evaluated; every other function stays symbolic."""


def _default(declared: object) -> str | None:
    """Answer a parameter's default where it says the value: not a secret's, not a place in SSM."""
    if not isinstance(declared, dict) or not isinstance(declared.get("Default"), str):
        return None
    if str(declared.get("NoEcho", "")).lower() == "true":
        return None
    if str(declared.get("Type", "")).startswith(_OPAQUE):
        return None
    return str(declared["Default"])


def _is_list(declared: object) -> bool:
    kind = str(declared.get("Type", "")) if isinstance(declared, dict) else ""
    return kind == "CommaDelimitedList" or kind.startswith("List<")


def _text(value: object) -> str:
    if isinstance(value, list):
        return ",".join(_text(item) for item in value)
    return "" if value is NOTHING else str(value)


def _joined(delimiter: str, parts: list[str]) -> str:
    if len(delimiter) * len(parts) + sum(map(len, parts)) > LONGEST:
        raise TooLongError
    return delimiter.join(parts)


def _plain(node: object) -> object:
    """Answer data that JSON can hold."""
    if isinstance(node, dict):
        return {str(key): _plain(item) for key, item in node.items()}
    if isinstance(node, list):
        return [_plain(item) for item in node]
    return str(node) if isinstance(node, Plain) else node
