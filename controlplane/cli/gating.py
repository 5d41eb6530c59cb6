"""freeze, unfreeze, override, resolve: what a person may ask of the gates in front of stages."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from controlplane.cli.acting import Execution, Reason, Stage, Yes
from controlplane.cli.output import confirm, fail
from controlplane.client.api import Api, Exit
from controlplane.clock import system_clock
from controlplane.declarations.durations import parse_duration


def register(app: typer.Typer) -> None:
    """Put the commands in."""
    for command in (freeze, unfreeze, override, resolve):
        app.command()(command)


def freeze(
    message: Reason,
    pipeline: Annotated[str, typer.Argument(help="the pipeline's name")] = "",
    every: Annotated[bool, typer.Option("--all", help="every pipeline")] = False,
    stage: Annotated[str, typer.Option(help="only stages of this name")] = "",
    account: Annotated[str, typer.Option(help="only stages that act in this account")] = "",
    until: Annotated[str, typer.Option(help="2h, 3d, or 2026-12-27T08:00:00+01:00")] = "",
) -> None:
    """Let nothing in but a way back, until it ends or is lifted; prints the freeze's id."""
    if bool(pipeline) == every:
        fail("say which pipeline, or --all", Exit.USAGE)
    asked = {"pipeline": pipeline, "stage": stage, "account": account, "reason": message}
    ends = {"until": _until(until)} if until else {}
    found = Api().send("POST", "/freezes", {**asked, **ends})
    typer.echo(found["id"])
    typer.echo(f"to lift it: towpath unfreeze {found['id']} -m WHY", err=True)


def _until(text: str) -> str:
    """A length of time from now, or a time with its zone."""
    try:
        return (system_clock() + parse_duration(text)).isoformat()
    except ValueError:
        pass
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        fail(f"--until {text!r}: write 2h, 3d, or 2026-12-27T08:00:00+01:00", Exit.USAGE)
    if at.tzinfo is None:
        fail(f"--until {text!r} has no time zone: write {text}+00:00 for UTC", Exit.USAGE)
    try:
        return at.astimezone(UTC).isoformat()
    except OverflowError:
        fail(f"--until {text!r} is beyond the last time that there is: leave it out", Exit.USAGE)


def unfreeze(
    freeze_id: Annotated[int, typer.Argument(help="towpath get freezes")],
    message: Reason,
    yes: Yes = False,
) -> None:
    """Lift a freeze; who waited only for it goes in at once."""
    confirm(f"lift freeze {freeze_id}, and let in who waits for it?", yes=yes)
    Api().send("DELETE", f"/freezes/{freeze_id}", {"reason": message})
    typer.echo("lifted")


def override(execution: Execution, stage: Stage, message: Reason) -> None:
    """Open a closed gate: one person asks, another confirms by the same command."""
    path = f"/executions/{execution}/stages/{stage}/override"
    found = Api().send("POST", path, {"reason": message})
    if found["state"] == "asked":
        typer.echo("asked")
        typer.echo(
            f"until {found['expiresAt']} another person may confirm: "
            f"towpath override {execution} {stage} -m WHY",
            err=True,
        )
    else:
        typer.echo(f"opened by {found['askedBy']} and {found['confirmedBy']}")


def resolve(
    incident: Annotated[str, typer.Argument(help="towpath get incidents")], message: Reason
) -> None:
    """Say that an incident is over, where its monitoring does not."""
    Api().send("DELETE", f"/incidents/{incident}", {"reason": message})
    typer.echo("resolved")
