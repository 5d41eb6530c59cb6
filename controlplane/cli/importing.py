"""import, export, diff: pipelines of CodePipeline and CloudFormation come over, and go back."""

import json
from collections.abc import Sequence
from difflib import unified_diff
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from controlplane.cli.output import fail
from controlplane.client.api import Api, Exit
from controlplane.declarations.spellings import Spelling

if TYPE_CHECKING:
    from controlplane.declarations.cloudformation.reading import Imported

Files = Annotated[list[Path], typer.Argument(exists=True, dir_okay=False)]
Parameters = Annotated[
    list[str] | None, typer.Option("--parameter", help="NAME=VALUE of a template's parameter")
]
IMPORT_REFUSED = 2
"""The exit code where a file was refused; the others are imported all the same."""


def register(app: typer.Typer) -> None:
    """Put the commands in."""
    app.command(name="import")(import_)
    app.command()(export)
    app.command()(diff)


def import_(
    files: Files,
    to: Annotated[
        Spelling | None, typer.Option(help="write each pipeline, in this spelling")
    ] = None,
    parameter: Parameters = None,
) -> None:
    """Read pipelines of get-pipeline's JSON, CloudFormation or YAML; say what runs and what is needed.

    Exit 0 where all came over, 2 where a file was refused (why and where is told on stderr). The
    pipelines go to stdout, the report to stderr. Nothing is stored: that is `towpath apply`.
    """
    from controlplane.declarations.load import DeclarationError
    from controlplane.declarations.spellings import import_text

    given = _pairs(parameter or [])
    came, refused = 0, 0
    for file in files:
        try:
            found = import_text(_text(file), str(file), given)
        except DeclarationError as error:
            typer.echo(f"{file}: refused\n{error}", err=True)
            refused += 1
            continue
        for one in found:
            came += 1
            _tell(file, one)
            if to is not None:
                _write(one, to, exact=True)
    typer.echo(f"{_count(came, 'pipeline')} imported, {_count(refused, 'file')} refused", err=True)
    raise typer.Exit(IMPORT_REFUSED if refused else Exit.WELL)


def export(
    pipeline: str,
    to: Annotated[
        Spelling, typer.Option(help="yaml, codepipeline or cloudformation")
    ] = Spelling.YAML,
) -> None:
    """Write a stored pipeline to stdout, for CodePipeline, CloudFormation or a repository."""
    _write(_stored(pipeline), to, exact=False)


def diff(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)], parameter: Parameters = None
) -> None:
    """Compare the pipelines of a file with the stored ones; exit 1 where they differ."""
    from controlplane.declarations.load import DeclarationError
    from controlplane.declarations.spellings import export as spell
    from controlplane.declarations.spellings import import_text

    try:
        found = import_text(_text(file), str(file), _pairs(parameter or []))
    except DeclarationError as error:
        fail(f"{file}: refused\n{error}", Exit.USAGE)
    lines: list[str] = []
    for one in found:
        stored = spell(_stored(one.declaration.name), Spelling.YAML)[0]
        new = spell(one, Spelling.YAML)[0]
        names = (f"stored/{one.declaration.name}", str(file))
        lines += unified_diff(stored.splitlines(), new.splitlines(), *names, lineterm="")
    for line in lines:
        typer.echo(line)
    raise typer.Exit(Exit.REFUSED if lines else Exit.WELL)


def _stored(pipeline: str) -> "Imported":
    from controlplane.declarations.cloudformation.reading import Imported
    from controlplane.declarations.load import parse_text

    return Imported("", parse_text(json.dumps(Api().get(f"/pipelines/{pipeline}"))))


def _write(one: "Imported", to: Spelling, *, exact: bool) -> None:
    from controlplane.declarations.spellings import export as spell

    text, left_out = spell(one, to, exact=exact)
    for sentence in left_out:
        typer.echo(f"{one.declaration.name}: {sentence}", err=True)
    typer.echo(("---\n" if to is Spelling.YAML else "") + text, nl=False)


def _tell(file: Path, one: "Imported") -> None:
    from controlplane.declarations.moved import Standing, report

    lines = report(one.declaration)
    runs = {line.where for line in lines if line.standing is Standing.RUNS}
    every = {line.where for line in lines}
    name = one.declaration.name
    typer.echo(f"{file}: {name}, {len(runs)} of {len(every)} actions run as they are", err=True)
    for note in one.notes:
        typer.echo(f"  note: {note}", err=True)
    for path, symbol in one.symbolic.items():
        where = ".".join(str(part) for part in path)
        typer.echo(f"  not resolved: {where} waits for {symbol}", err=True)
    for line in lines:
        if line.standing is not Standing.RUNS:
            typer.echo(f"  {line}", err=True)


def _pairs(given: Sequence[str]) -> dict[str, str]:
    for one in given:
        if "=" not in one:
            fail(f"--parameter {one}: write NAME=VALUE", Exit.USAGE)
    return dict(one.split("=", 1) for one in given)


def _count(number: int, word: str) -> str:
    return f"{number} {word}" + ("" if number == 1 else "s")


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        fail(f"{file}:1:1: it is not UTF-8 text: {error}", Exit.USAGE)
