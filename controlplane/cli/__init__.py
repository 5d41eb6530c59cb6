"""The command line: run the product, look at it, act through it. Imports late, so `--help` is quick."""

import sys

import typer

from controlplane.cli import (
    acting,
    administering,
    auditing,
    declaring,
    drilling,
    explaining,
    gating,
    iam_approving,
    importing,
    looking,
    migrating,
    notifying,
    opening,
    running,
    simulating,
)

app = typer.Typer(
    no_args_is_help=True,
    help="Promote builds across AWS accounts, watch them, and roll back the bad ones.",
    pretty_exceptions_show_locals=False,  # locals may hold secrets
)

for part in (
    *(running, simulating, declaring, importing, migrating),
    *(looking, opening, explaining, acting, gating, drilling, administering, auditing, notifying),
    iam_approving,
):
    part.register(app)


def main() -> None:
    """The entry point. Exit codes: see controlplane.client.api.Exit."""
    try:
        app()
    except Exception as error:
        from controlplane.cli.failures import EXPECTED, code_of, sentence

        if not isinstance(error, EXPECTED):
            raise
        typer.echo(sentence(error), err=True)
        sys.exit(code_of(error))
