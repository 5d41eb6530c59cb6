"""token, doctor: who may, and what will be missing."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any

import typer

from controlplane.cli.output import Form, FormOption, confirm, show, table_of
from controlplane.client.api import Api, Exit
from controlplane.clock import system_clock

tokens = typer.Typer(
    no_args_is_help=True,
    help="API tokens: made beside the database, listed and revoked by the server.",
)


def register(app: typer.Typer) -> None:
    """Put the commands in."""
    app.add_typer(tokens, name="token")
    app.command()(doctor)


@tokens.command()
def create(
    name: Annotated[str, typer.Argument(help="whose it is; shown in events")],
    role: Annotated[
        str, typer.Option(help="viewer, approver, release-manager, reporter, job-worker or admin")
    ] = "viewer",
    days: Annotated[int, typer.Option(min=1, max=3650, help="until it expires")] = 90,
    aws: Annotated[
        bool, typer.Option("--aws", help="an access key for the AWS CLI and SDKs, instead")
    ] = False,
) -> None:
    """Make a token and print it; it cannot be shown again. Works on TOWPATH_DATABASE_URL itself."""
    from controlplane.store.roles import Role

    known = {str(r) for r in Role}
    if role not in known:
        raise typer.BadParameter(f"there is no role {role!r}; there is: {', '.join(sorted(known))}")
    typer.echo(_made(name, role, days, aws=aws))


@tokens.command("list")
def list_(output: FormOption = Form.TABLE) -> None:
    """Every token ever made, without the token; asked of the server."""
    found = Api().get("/tokens")
    rows = (
        [t["id"], t["name"], t["role"], _state(t), t["expiresAt"], t["lastUsedAt"] or "never"]
        for t in found
    )
    show(output, found, table_of(["token", "of", "role", "state", "expires", "last used"], rows))


def _state(token: Mapping[str, Any]) -> str:
    if token["revokedAt"]:
        return "revoked"
    expires = token["expiresAt"]
    over = expires and datetime.fromisoformat(expires) <= system_clock()
    return "expired" if over else "in force"


@tokens.command()
def revoke(
    token_id: Annotated[str, typer.Argument(help="towpath token list")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="do not ask")] = False,
) -> None:
    """Take a token's force away for good; whoever uses it is signed out at once."""
    confirm(f"revoke {token_id} for good?", yes=yes)
    Api().send("DELETE", f"/tokens/{token_id}")
    typer.echo("revoked")


def _made(name: str, role: str, days: int, *, aws: bool) -> str:
    """Make it, and note who did; answers what is printed."""
    import getpass

    from controlplane.engine.refusals import Person
    from controlplane.settings import Settings
    from controlplane.store import access_keys, audit
    from controlplane.store.database import Database
    from controlplane.store.roles import Role
    from controlplane.store.sealing import SealError
    from controlplane.store.tokens import create as create_row

    settings, now = Settings(), system_clock()
    database = Database(settings.database_url)
    database.migrate()
    expires = (now + timedelta(days=days)).timestamp()
    who, sealed_by = (name, Role(role)), settings.secret.get_secret_value()
    try:
        with database.begin() as connection:
            if aws:
                made = access_keys.create(connection, who, now.timestamp(), expires, sealed_by)
                said = f"AWS_ACCESS_KEY_ID={made.id}\nAWS_SECRET_ACCESS_KEY={made.secret}"
            else:
                _, said = create_row(connection, *who, now.timestamp(), expires)
            text = f"for {name}, role {role}{', to sign requests' if aws else ''}"
            by = Person(getpass.getuser(), "cli")
            audit.note(connection, now.timestamp(), by, "token.created", text)
    except SealError as error:
        raise typer.BadParameter(
            f"--aws: {error}; `towpath serve` must run with the same"
        ) from error
    return said


def doctor(
    pipeline: Annotated[str, typer.Argument(help="one that is applied; left out: Towpath")] = "",
    output: FormOption = Form.TABLE,
) -> None:
    """Walk every hop that a pipeline will need, and name what is missing. Exit 1 where something is.

    Without a pipeline it examines Towpath itself: its database, schema, replicas and stored rows.
    """
    found = Api().get(f"/doctor/{pipeline}" if pipeline else "/doctor")
    rows = (
        ["ok" if f["ok"] else "MISSING", f["account"], f["operation"], f["message"], f["mend"]]
        for f in found
    )
    show(output, found, table_of(["", "account", "call", "found", "mend"], rows))
    if not all(f["ok"] for f in found):
        raise typer.Exit(Exit.REFUSED)
