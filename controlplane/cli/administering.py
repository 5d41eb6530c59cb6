"""token, doctor: who may, and what will be missing."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from controlplane.cli.output import Form, FormOption, confirm, show, table_of
from controlplane.client.api import Api, Exit
from controlplane.clock import system_clock

if TYPE_CHECKING:
    from controlplane.store.grants import Grants

tokens = typer.Typer(
    no_args_is_help=True,
    help="API tokens: made beside the database, listed and revoked by the server.",
)


def register(app: typer.Typer) -> None:
    """Put the commands in."""
    app.add_typer(tokens, name="token")
    app.command()(doctor)


@tokens.command()
def create(  # noqa: PLR0913 - each is an option of the command
    name: Annotated[str, typer.Argument(help="whose it is; shown in events")],
    role: Annotated[
        str,
        typer.Option(
            help="viewer, developer, approver, release-manager, reporter, job-worker, admin"
        ),
    ] = "viewer",
    days: Annotated[int, typer.Option(min=1, max=3650, help="until it expires")] = 90,
    aws: Annotated[
        bool, typer.Option("--aws", help="an access key for the AWS CLI and SDKs, instead")
    ] = False,
    account: Annotated[
        str, typer.Option(help="with --aws: the AWS account id that a worker's key counts as")
    ] = "",
    pipeline: Annotated[
        list[str] | None, typer.Option(help="a glob of those it reaches; left out: all")
    ] = None,
    stage: Annotated[
        list[str] | None, typer.Option(help="a glob of those it reaches; left out: all")
    ] = None,
    environment: Annotated[
        list[str] | None, typer.Option(help="a glob of those it reaches; left out: all")
    ] = None,
) -> None:
    """Make a token and print it; it cannot be shown again. Works on TOWPATH_DATABASE_URL itself."""
    from controlplane.store import grants
    from controlplane.store.roles import Role

    known = {str(r) for r in Role}
    if role not in known:
        raise typer.BadParameter(f"there is no role {role!r}; there is: {', '.join(sorted(known))}")
    try:
        grants.check([*(pipeline or ()), *(stage or ()), *(environment or ())])
    except ValueError as error:
        raise typer.BadParameter(f"--pipeline, --stage, --environment: {error}") from error
    if account and not (aws and re.fullmatch(r"[0-9]{12}", account)):
        raise typer.BadParameter("--account: 12 digits, and with --aws")
    may = grants.bounded(Role(role), pipeline or (), stage or (), environment or ())
    typer.echo(_made(name, may, days, aws=aws, account=account))


@tokens.command("list")
def list_(output: FormOption = Form.TABLE) -> None:
    """Every token ever made, without the token; asked of the server."""
    found = Api().get("/tokens")
    rows = (
        [t["id"], t["name"], _reach(t), _state(t), t["expiresAt"], t["lastUsedAt"] or "never"]
        for t in found
    )
    show(output, found, table_of(["token", "of", "role", "state", "expires", "last used"], rows))


def _reach(token: Mapping[str, Any]) -> str:
    """Its role, and how far that goes where it is not everywhere."""
    if token["role"] != "scoped":
        return str(token["role"])
    return ", ".join(_grant(one) for one in token["grants"])


def _grant(grant: Mapping[str, Any]) -> str:
    environments = grant.get("environments", "*")  # an older server does not tell
    where = "" if environments == "*" else f" in {environments}"
    return f"{grant['role']} on {grant['pipelines']}/{grant['stages']}{where}"


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


def _made(name: str, may: "Grants", days: int, *, aws: bool, account: str) -> str:
    """Make it, and note who did; answers what is printed."""
    import getpass

    from controlplane.engine.refusals import Person
    from controlplane.settings import Settings
    from controlplane.store import access_keys, audit
    from controlplane.store.database import Database
    from controlplane.store.grants import said as in_words
    from controlplane.store.sealing import SealError
    from controlplane.store.tokens import Maker
    from controlplane.store.tokens import create as create_row

    settings, now = Settings(), system_clock()
    database = Database(settings.database_url)
    database.migrate()
    expires = (now + timedelta(days=days)).timestamp()
    who, sealed_by = (name, may), settings.secret.get_secret_value()
    by = Person(getpass.getuser(), "cli")
    try:
        with database.begin() as connection:
            if aws:
                made = access_keys.create(
                    connection, who, now.timestamp(), expires, sealed_by, account
                )
                said = f"AWS_ACCESS_KEY_ID={made.id}\nAWS_SECRET_ACCESS_KEY={made.secret}"
            else:
                _, said = create_row(connection, *who, now.timestamp(), expires, Maker(by.name))
            signs = f", to sign requests{account and f' as account {account}'}" if aws else ""
            text = f"for {name}, {in_words(may)}{signs}"
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
