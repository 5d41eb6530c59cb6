"""validate, plan, schema, apply: pipelines as files."""

import json
from pathlib import Path
from typing import Annotated

import typer

from controlplane.cli.output import fail
from controlplane.client.api import Api, Exit

Files = Annotated[list[Path], typer.Argument(exists=True, dir_okay=False)]


def register(app: typer.Typer) -> None:
    """Put the commands in."""
    app.command()(validate)
    app.command()(plan)
    app.command()(schema)
    app.command()(apply)


def validate(
    files: Files,
    accounts: Annotated[
        Path | None, typer.Option(help="accounts.yaml to check names against")
    ] = None,
) -> None:
    """Check pipeline files without a server; every problem as file:line:column."""
    from accounts.declared import RegistryError, load_accounts
    from controlplane.clock import system_clock
    from controlplane.declarations.load import DeclarationError, load_text
    from controlplane.declarations.registered import strangers

    problems: list[str] = []
    try:
        names = {a.name for a in load_accounts(accounts)} if accounts else None
    except RegistryError as error:
        fail(str(error), Exit.REFUSED)
    for file in files:
        try:
            text = file.read_text(encoding="utf-8")
            declared = load_text(text, str(file), names, system_clock())
        except DeclarationError as error:
            problems.append(str(error))
        except UnicodeDecodeError as error:
            problems.append(f"{file}:1:1: it is not UTF-8 text: {error}")
        else:
            typer.echo(
                f"{file}: {declared.name}, {len(declared.stages)} stages, is valid", err=True
            )
            for name in strangers(declared):
                said = f"{file}: warning: {name} is not known here: it must be registered where it runs"
                typer.echo(said, err=True)
    if problems:
        fail("\n".join(problems), Exit.REFUSED)


def plan(files: Files) -> None:
    """Print what a pipeline will do, before it starts: stage by stage, wave by wave."""
    from controlplane.declarations.load import DeclarationError, load_text
    from controlplane.declarations.wave_words import plan_lines

    for file in files:
        try:
            declared = load_text(_text(file), str(file))
        except DeclarationError as error:
            fail(str(error), Exit.REFUSED)
        for line in plan_lines(declared):
            typer.echo(line)


def schema() -> None:
    """Print the JSON Schema of the friendly YAML, for editors."""
    from controlplane.declarations.schema import json_schema

    typer.echo(json.dumps(json_schema(), indent=2))


def apply(files: Files) -> None:
    """Store pipelines in a running Towpath; the same file again changes nothing."""
    from controlplane.declarations.load import DeclarationError, parse_text

    api = Api()
    for file in files:
        text = _text(file)
        try:
            name = parse_text(text, str(file)).name
        except DeclarationError as error:
            fail(str(error), Exit.REFUSED)
        kind = "application/json" if file.suffix == ".json" else "text/yaml"
        answer = api.put_text(f"/pipelines/{name}", text, kind)
        typer.echo(f"{name}: version {answer['version']}")


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        fail(f"{file}:1:1: it is not UTF-8 text: {error}", Exit.REFUSED)
