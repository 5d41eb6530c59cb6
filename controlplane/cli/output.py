"""What people and scripts read: tables on a terminal, JSON or YAML on request; messages go to stderr."""

import io
import json
import sys
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text
from ruamel.yaml import YAML

from controlplane.client.api import Exit
from controlplane.client.words import COLOURS


class Form(StrEnum):
    """How an answer is written."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"


FormOption = Annotated[Form, typer.Option("-o", "--output", help="table, json or yaml")]


PIPED = 2_000
"""Characters of a line that nobody's terminal has to show."""


def show(form: Form, document: Any, table: RenderableType) -> None:
    """Write the document as asked."""
    if form is not Form.TABLE:
        write(form, document)
    else:
        # Nothing is cut: on a terminal a long cell is folded, in a pipe it stays on its line.
        Console(width=None if sys.stdout.isatty() else PIPED).print(table)


def write(form: Form, document: Any, *, line: bool = False) -> None:
    """Write a document as JSON or YAML. line: it is one of several, JSON Lines or YAML's documents."""
    if form is Form.JSON:
        typer.echo(json.dumps(document, indent=None if line else 2))
        return
    stream = io.StringIO()
    yaml = YAML(typ="safe", pure=True)
    yaml.explicit_start = line
    yaml.dump(document, stream)
    typer.echo(stream.getvalue(), nl=False)


def confirm(question: str, *, yes: bool) -> None:
    """Ask on a terminal; off one, --yes is needed."""
    if yes:
        return
    if not sys.stdin.isatty():
        fail(f"{question} Say --yes where nobody can answer.", Exit.USAGE)
    typer.confirm(question, abort=True)


def table_of(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Table:
    """A plain table; words that name a state have its colour."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(coloured(cell) for cell in row))
    return table


def coloured(cell: Any) -> Text:
    """A cell as text, never as markup: it may come from outside."""
    text = "" if cell is None else str(cell)
    return Text(text, style=COLOURS.get(text.split(" ")[0], ""))


def fail(message: str, code: Exit) -> NoReturn:
    """End the command: the sentence on stderr, the code for scripts."""
    typer.echo(message, err=True)
    raise typer.Exit(code)
