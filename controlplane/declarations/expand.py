"""The friendly YAML's tree -> CodePipeline's spelling, remembering where each piece came from.

Every word that is no shorthand is taken as CodePipeline's own and handed on as it is, so a pipeline
may be written in either spelling, or in both at once. Nothing is judged here but the shorthands.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from accounts.yaml_text import Path, is_nothing
from controlplane.declarations.findings import MOST, Finding, meant

Tree = dict[str, object]


@dataclass(slots=True)
class Reading:
    """What is gathered while expanding.

    origin: path in CodePipeline's spelling -> path in the text. findings: with paths in the text.
    """

    origin: dict[Path, Path] = field(default_factory=lambda: {(): ()})
    findings: list[Finding] = field(default_factory=list)
    said: set[Path] = field(default_factory=set)

    def wrong(self, path: Path, message: str, *, at_key: bool = False) -> None:
        """Note what is wrong; one thing at one place is enough."""
        if path not in self.said and not self.full:
            self.said.add(path)
            self.findings.append(Finding(path, message, at_key))

    @property
    def full(self) -> bool:
        """Say whether enough was found."""
        return len(self.findings) >= MOST

    def source(self, target: Path) -> Path:
        """Answer where in the text a path of CodePipeline's spelling came from."""
        for length in range(len(target), -1, -1):
            if target[:length] in self.origin:
                return (*self.origin[target[:length]], *target[length:])
        return target

    def mapping(self, value: object, path: Path, known: Iterable[str] | None) -> Tree:
        """Answer a map's entries that are known and not empty; what is not is wrong."""
        if not isinstance(value, dict):
            self.wrong(path, f"must be a map (`key: value`), got {shown(value)}")
            return {}
        words = tuple(known) if known is not None else None
        entries: Tree = {}
        for key, item in value.items():
            if self.full:
                break
            if words is not None and key not in words:
                self.wrong((*path, key), f"unknown key{meant(key, words)}", at_key=True)
            elif is_nothing(item):
                self.wrong((*path, key), "is empty: give it a value, or leave the key out")
            else:
                entries[key] = item
        return entries

    def items(self, value: object, path: Path) -> list[object]:
        """Answer a list's items; anything else is wrong."""
        if isinstance(value, list):
            return value
        self.wrong(path, f"must be a list (`- ...` or `[a, b]`), got {shown(value)}")
        return []

    def text(self, value: object, path: Path) -> str | None:
        """Answer a scalar's text; anything else is wrong."""
        if isinstance(value, str):
            return str(value)
        self.wrong(path, f"must be text, got {shown(value)}")
        return None

    def either(self, given: Tree, path: Path, *words: str) -> str | None:
        """Answer which of some words for the same thing is used; two of them are wrong."""
        used = [word for word in words if word in given]
        if len(used) > 1:
            self.wrong((*path, used[1]), f"says the same as `{used[0]}`: keep one", at_key=True)
        return used[0] if used else None

    def keep(self, out: Tree, target: Path, source: Path, value: object) -> None:
        """Hand a value on as it is, under the last word of the target path."""
        self.origin[target] = source
        out[str(target[-1])] = self._stripped(value, source)

    def _stripped(self, value: object, path: Path) -> object:
        if isinstance(value, dict):
            entries = self.mapping(value, path, None)
            return {key: self._stripped(item, (*path, key)) for key, item in entries.items()}
        if isinstance(value, list):
            return [self._stripped(item, (*path, i)) for i, item in enumerate(value)]
        if is_nothing(value):
            self.wrong(path, "is empty: give it a value, or take it out")
        return str(value)

    def each(
        self,
        value: object,
        paths: tuple[Path, Path],
        expand: Callable[[object, Path, Path], Tree],
    ) -> list[Tree]:
        """Expand every item of a list. paths: the list's target and its source."""
        target, source = paths
        self.origin[target] = source
        made = []
        for i, item in enumerate(self.items(value, source)):
            self.origin[(*target, i)] = (*source, i)
            made.append(expand(item, (*target, i), (*source, i)))
        return made


def shown(value: object) -> str:
    """Show what was written instead, briefly."""
    if isinstance(value, dict):
        return "a map"
    if isinstance(value, list):
        return "a list"
    if is_nothing(value):
        return "nothing"
    text = str(value)
    return repr(text if len(text) <= 60 else f"{text[:57]}...")  # noqa: PLR2004 - one line's worth
