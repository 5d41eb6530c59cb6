"""open: the console's page of something, in the browser."""

import sys
import webbrowser
from typing import Annotated
from urllib.parse import quote

import typer

from controlplane.cli.completing import things
from controlplane.cli.following import is_id
from controlplane.client.api import Api


def register(app: typer.Typer) -> None:
    """Put the command in."""
    app.command("open")(open_)


def open_(
    what: Annotated[
        str,
        typer.Argument(help="a pipeline's name, or an execution's id", autocompletion=things),
    ] = "",
) -> None:
    """Open the console's page of it; off a terminal the address is printed."""
    where = f"{'executions' if is_id(what) else 'pipelines'}/{quote(what, safe='')}" if what else ""
    url = f"{Api().url}/console/{where}"
    typer.echo(url)
    if sys.stdout.isatty():
        webbrowser.open(url)
