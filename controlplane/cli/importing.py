"""import, export, diff: pipelines of CodePipeline and CloudFormation come over, and go back."""

import json
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from difflib import unified_diff
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from controlplane.cli.output import fail
from controlplane.client.api import Api, Exit
from controlplane.declarations.spelling import Spelling

if TYPE_CHECKING:
    from controlplane.declarations.cloudformation.reading import Imported
    from controlplane.declarations.homes import Homes
    from controlplane.declarations.moved import Line

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
    accounts: Annotated[
        Path | None, typer.Option(help="accounts.yaml: which account a roleArn is")
    ] = None,
    server: Annotated[bool, typer.Option(help="ask the server for its accounts")] = False,
    region: Annotated[
        str | None, typer.Option(help="the pipelines' own, for actions that say none")
    ] = None,
) -> None:
    """Read pipelines of get-pipeline's JSON, CloudFormation or YAML; say what runs and what is needed.

    Exit 0 where all came over, 2 where a file was refused (why and where is told on stderr). The
    pipelines go to stdout, the report to stderr. Nothing is stored: that is `towpath apply`. Where
    the accounts are known, YAML says of each action in which of them it acts.
    """
    from controlplane.declarations.load import DeclarationError
    from controlplane.declarations.spellings import import_text

    given, homes = _pairs(parameter or []), _homes(accounts, server=server)
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
            _tell(file, one, homes, region)
            if to is not None:
                housed = one if to is not Spelling.YAML else _housed(one, homes, region)
                _write(housed, to, exact=True)
    typer.echo(f"{_count(came, 'pipeline')} imported, {_count(refused, 'file')} refused", err=True)
    raise typer.Exit(IMPORT_REFUSED if refused else Exit.WELL)


def export(
    pipeline: str,
    to: Annotated[
        Spelling, typer.Option(help="yaml, codepipeline or cloudformation")
    ] = Spelling.YAML,
) -> None:
    """Write a stored pipeline to stdout, for CodePipeline, CloudFormation or a repository."""
    stored = _stored(pipeline)
    if to is not Spelling.YAML and not stored.declaration.role_arn:
        typer.echo(f"{pipeline}: it names no roleArn, which CodePipeline wants", err=True)
    _write(stored, to, exact=False)


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

    whole = Api().get(f"/pipelines/{pipeline}")
    triggers = {
        key: whole[key] for key in ("triggers",) if whole.get(key)
    }  # their inside is not ours
    return Imported("", parse_text(json.dumps({**_without_empty(whole), **triggers})))


def _without_empty(node: Any) -> Any:
    """What is stored has every default written out; CodePipeline refuses lists without items."""
    if isinstance(node, list):
        return [_without_empty(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {key: _without_empty(item) for key, item in node.items()}
    return {key: item for key, item in kept.items() if item not in ([], {})}


def _write(one: "Imported", to: Spelling, *, exact: bool) -> None:
    from controlplane.declarations.spellings import export as spell

    text, left_out = spell(one, to, exact=exact)
    for sentence in left_out:
        typer.echo(f"{one.declaration.name}: {sentence}", err=True)
    typer.echo(("---\n" if to is Spelling.YAML else "") + text, nl=False)


def _tell(file: Path, one: "Imported", homes: "Homes | None", region: str | None) -> None:
    from controlplane.declarations.moved import Standing, report

    lines = report(one.declaration, homes, region)
    runs = {line.where for line in lines if line.standing is Standing.RUNS}
    every = {line.where for line in lines}
    name = one.declaration.name
    typer.echo(f"{file}: {name}, {len(runs)} of {len(every)} actions run as they are", err=True)
    for note in one.notes:
        typer.echo(f"  note: {note}", err=True)
    for path, symbol in one.symbolic.items():
        where = ".".join(str(part) for part in path)
        typer.echo(f"  not resolved: {where} waits for {symbol}", err=True)
    for line in told(lines):
        typer.echo(f"  {line}", err=True)


def told(lines: "Sequence[Line]") -> list[str]:
    """The report's lines: how many act in which account, then what needs somebody."""
    from controlplane.declarations.moved import Standing

    acting = Counter(line.why for line in lines if line.standing is Standing.RUNS and line.why)
    counted = [
        f"{_count(number, 'action')} {why if number == 1 else why.replace('acts', 'act', 1)}"
        for why, number in sorted(acting.items())
    ]
    return [*counted, *(str(line) for line in lines if line.standing is not Standing.RUNS)]


def _homes(accounts: Path | None, *, server: bool) -> "Homes | None":
    """Answer the registered accounts; None where nobody was asked for them."""
    from accounts.declared import RegistryError, load_accounts
    from accounts.models import Account
    from controlplane.declarations.homes import Homes

    if accounts is not None and server:
        fail("--accounts and --server: say one of them", Exit.USAGE)
    if accounts is not None:
        try:
            return Homes(load_accounts(accounts))
        except RegistryError as error:
            fail(str(error), Exit.USAGE)
    if server:
        hidden = {"externalId": "not shown"}  # only who may see accounts whole is told it
        with closing(Api()) as api:
            return Homes(Account.model_validate(hidden | one) for one in api.get("/accounts"))
    return None


def _housed(one: "Imported", homes: "Homes | None", region: str | None) -> "Imported":
    """Say where each action acts: a YAML that is to be applied must."""
    from controlplane.declarations.homes import Homes, fill
    from controlplane.declarations.model import PipelineDeclaration

    tree = one.declaration.model_dump(mode="json", by_alias=True, exclude_unset=True)
    fill(tree, homes or Homes(), region)
    return replace(one, declaration=PipelineDeclaration.model_validate(tree))


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
