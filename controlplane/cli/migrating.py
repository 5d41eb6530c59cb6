"""migrate, shadow: pipelines of an account's CodePipeline come over, and the old ones are followed."""

from collections import Counter
from contextlib import closing
from typing import Annotated, Any

import typer

from controlplane.cli.importing import IMPORT_REFUSED, told
from controlplane.cli.output import Form, FormOption, fail, show, table_of
from controlplane.client.api import Api, ApiError, Exit
from controlplane.client.words import short

REFUSED = "refused"


def register(app: typer.Typer) -> None:
    """Put the commands in."""
    app.command()(migrate)
    app.command()(shadow)


def migrate(
    from_account: Annotated[str, typer.Option(help="registered account whose CodePipeline it is")],
    region: Annotated[str, typer.Option(help="where the account has several")] = "",
    pipeline: Annotated[str, typer.Option(help="only names like this: shop-*")] = "*",
    apply: Annotated[
        bool, typer.Option("--apply", help="store them; else only the report")
    ] = False,
    follow: Annotated[
        bool, typer.Option("--shadow", help="and follow the old ones (with --apply)")
    ] = False,
    output: FormOption = Form.TABLE,
) -> None:
    """Bring the pipelines of an account's CodePipeline over, with every way in behind the sources closed.

    Nothing deploys until a person opens the way into a stage (`towpath resume PIPELINE STAGE`). Nothing
    is changed over there. Again is idempotent: what was opened stays open. Exit 0 where all came over, 2
    where one was refused; the others come over all the same.
    """
    if follow and not apply:
        fail("--shadow follows what is stored: say --apply too", Exit.USAGE)
    found = []
    with closing(Api()) as api:
        listed = api.get(f"/migrations/{from_account}", region=region, pipeline=pipeline)
        asked = {"region": listed["region"], "apply": apply, "shadow": follow}
        for name in listed["pipelines"]:
            hooks = [one for one in listed["webhooks"] if one["targetPipeline"] == name]
            found.append(_one(api, from_account, name, {**asked, "webhooks": _known(hooks)}))
            if output is Form.TABLE:
                _tell(found[-1])
    if output is not Form.TABLE:
        show(output, found, "")
    states = Counter(one["state"] for one in found)
    counted = ", ".join(f"{number} {state}" for state, number in sorted(states.items()))
    typer.echo(f"{len(found)} pipelines of {from_account}: {counted or 'none matches'}", err=True)
    raise typer.Exit(IMPORT_REFUSED if states[REFUSED] else Exit.WELL)


def _one(api: Api, account: str, name: str, asked: Any) -> Any:
    """One that cannot be read keeps no other; where nobody answers at all, all ends."""
    try:
        return api.send("POST", f"/migrations/{account}/{name}", asked)
    except ApiError as error:
        if error.code is Exit.UNREACHABLE:
            raise
        unread = {"version": None, "there": {"version": None, "changed": None}}
        empty: dict[str, Any] = {"lines": [], "notes": [], "closed": []}
        return {"pipeline": name, "state": REFUSED, **unread, **empty, "refused": [str(error)]}


def _known(hooks: Any) -> list[dict[str, str]]:
    keys = ("name", "targetPipeline", "authentication")
    return [{key: hook[key] for key in keys} for hook in hooks]


def _tell(one: Any) -> None:
    from controlplane.declarations.moved import Line, Standing

    version = f", version {one['version']}" if one["version"] else ""
    there = f" (version {one['there']['version']} over there)" if one["there"]["version"] else ""
    typer.echo(f"{one['pipeline']}: {one['state']}{version}{there}")
    lines = [Line(**{**line, "standing": Standing(line["standing"])}) for line in one["lines"]]
    said = [*told(lines), *(f"note: {note}" for note in one["notes"])]
    said += [f"refused: {why}" for why in one["refused"]]
    if one["closed"]:
        said.append(f"closed: the way into {', '.join(one['closed'])}")
    for line in said:
        typer.echo(f"  {line}")


def shadow(
    pipeline: str,
    stop: Annotated[bool, typer.Option("--stop", help="follow the old one no longer")] = False,
    start: Annotated[bool, typer.Option("--start", help="follow the old one from now on")] = False,
    output: FormOption = Form.TABLE,
) -> None:
    """What the old pipeline did, beside what Towpath would have done; it decides and does nothing."""
    if start and stop:
        fail("--start and --stop: say one of them", Exit.USAGE)
    with closing(Api()) as api:
        if start or stop:
            api.send("PUT", f"/pipelines/{pipeline}/shadow", {"follow": start})
            typer.echo("followed" if start else "followed no longer")
            return
        found = api.get(f"/pipelines/{pipeline}/shadow")
    rows = (
        [one["startedAt"], short(one["execution"]), one["status"], f["stage"], f["point"],
         f["verdict"], f["old"], f["towpath"]]
        for one in found["executions"]
        for f in one["findings"]
    )  # fmt: skip
    columns = ["started", "execution", "ended", "stage", "about", "", "the old one", "Towpath"]
    show(output, found, table_of(columns, rows))
