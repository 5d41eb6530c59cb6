"""Text -> a pipeline that can run, or every problem it has, each with file, line and column."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from accounts.yaml_text import START, Document, Path, Position, UnreadableError, read
from controlplane.declarations.expand import Reading
from controlplane.declarations.findings import MOST, Finding
from controlplane.declarations.model import PipelineDeclaration
from controlplane.declarations.pipelines import expand_pipeline
from controlplane.declarations.registered import Types
from controlplane.declarations.shapes import build
from controlplane.declarations.validate import validate


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong, where it is (from 1, as editors count), and the mend."""

    file: str
    line: int
    column: int
    field: str
    message: str

    def __str__(self) -> str:
        """Write it as compilers do, so that editors can jump to it."""
        field = f"{self.field}: " if self.field else ""
        return f"{self.file}:{self.line}:{self.column}: {field}{self.message}"


class DeclarationError(Exception):
    """A declaration is not accepted. problems: all of them, in the order of the text."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(set(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))


def load_text(
    text: str,
    file: str = "pipeline.yaml",
    accounts: Collection[str] | None = None,
    now: datetime | None = None,
    types: Types | None = None,
) -> PipelineDeclaration:
    """Read YAML (or the JSON of get-pipeline) and check that it can run.

    accounts: the names of the registered accounts; None where they are not to be checked.
    now: a window that never opens after it is a problem; None where that is not checked.
    types: the registered action types; None where they are not known (see `registered.strangers`).
    Raises DeclarationError with all problems at once; one of syntax stands alone.
    """
    return _load(text, file, lambda declaration: validate(declaration, accounts, now, types))


def parse_text(text: str, file: str = "pipeline.yaml") -> PipelineDeclaration:
    """Read what is spelled, whether it can run or not (it may use providers that we do not run).

    Raises DeclarationError where the spelling itself is wrong.
    """
    return _load(text, file, lambda _: [])


MAX_BYTES = 256 * 1024
"""The text of one pipeline."""
LONGEST = 100
"""Characters of one word of a field's name."""

Rules = Callable[[PipelineDeclaration], list[Finding]]


def _load(text: str, file: str, rules: Rules) -> PipelineDeclaration:
    try:
        document = read(text, MAX_BYTES)
    except UnreadableError as error:
        raise DeclarationError([Problem(file, *error.at, "", str(error))]) from error
    if document.data is None:
        said = "is empty: it needs at least `pipeline:` and `stages:`"
        raise DeclarationError([Problem(file, *START, "", said)])
    return load_document(document, file, rules)


def load_document(
    document: Document, file: str, rules: Rules = lambda _: []
) -> PipelineDeclaration:
    """Build what was read, wherever it was read from; DeclarationError with all problems at once.

    rules: what else must hold of the declaration.
    """
    tree, reading = expand_pipeline(document.data)
    declaration, shape = build(tree)
    findings = list(reading.findings)
    _add(findings, shape, reading)
    _add(findings, rules(declaration) if declaration is not None else [], reading)
    problems = [place(found, document, file) for found in findings]
    problems += [
        Problem(file, *at, field_name(path, document.data), "is there twice: keep one of them")
        for path, at in document.duplicates[:MOST]
    ]
    if problems or declaration is None:
        raise DeclarationError(problems)
    return declaration


def _add(findings: list[Finding], later: list[Finding], reading: Reading) -> None:
    """Add what a later step found, but for what follows from an earlier finding there."""
    said = {found.path for found in findings}
    for found in later[:MOST]:
        path = reading.source(found.path)
        if not said.intersection(path[:length] for length in range(len(path) + 1)):
            findings.append(Finding(path, found.message, found.at_key))


def place(found: Finding, document: Document, file: str) -> Problem:
    """Say where in the text a finding stands."""
    at: Position = document.position(found.path, key=found.at_key)
    return Problem(file, *at, field_name(found.path, document.data), found.message)


def field_name(path: Path, data: object) -> str:
    """Write a path for a person: items of lists by their names, where they have one.

    ("stages", 1, "actions", 0, "with", "Runs") is "stages.Test.actions.Canary.with.Runs".
    """
    words = []
    for part in path:
        inside = isinstance(data, dict) or (isinstance(data, list) and isinstance(part, int))
        try:
            data = data[part] if inside else None  # type: ignore[index]
        except (KeyError, IndexError):
            data = None
        named = data if isinstance(part, int) and isinstance(data, dict) else {}
        name = named.get("name", named.get("provider"))
        words.append((name if isinstance(name, str) and name else str(part))[:LONGEST])
    return ".".join(words)
