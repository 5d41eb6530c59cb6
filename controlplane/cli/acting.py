"""start, approve, reject, judge, retry, stop, rollback, hold, resume, lift: what a person may ask for."""

import sys
from enum import StrEnum
from typing import Annotated

import typer

from controlplane.cli.output import fail
from controlplane.client.api import Api, Exit

Reason = Annotated[str, typer.Option("-m", "--message", help="why; kept on record")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="do not ask")]
To = Annotated[str, typer.Option("--to", help="an execution that succeeded in the stage")]
Pipeline = Annotated[str, typer.Argument(help="the pipeline's name")]
Execution = Annotated[str, typer.Argument(help="the execution's id")]
Stage = Annotated[str, typer.Argument(help="the stage's name")]


def register(app: typer.Typer) -> None:
    """Put the commands in."""
    for command in (start, approve, reject, judge, retry, stop, rollback, hold, resume, lift):
        app.command()(command)


def start(
    pipeline: Pipeline,
    revision: Annotated[list[str] | None, typer.Option(help="ACTION=REVISION to pin")] = None,
    variable: Annotated[list[str] | None, typer.Option(help="NAME=VALUE of a variable")] = None,
    one_way: Annotated[
        bool, typer.Option("--one-way", help="it cannot be rolled back: ask first, hold where bad")
    ] = False,
) -> None:
    """Start an execution; prints its id."""
    pinned = dict(entry.partition("=")[::2] for entry in revision or [])
    given = dict(entry.partition("=")[::2] for entry in variable or [])
    asked = {"revisions": pinned, **({"oneWay": True} if one_way else {})}
    asked |= {"variables": given} if given else {}
    found = Api().send("POST", f"/pipelines/{pipeline}/executions", asked)
    typer.echo(found["id"])
    typer.echo(f"to roll a stage back: towpath rollback {pipeline} STAGE -m WHY", err=True)


def approve(execution: Execution, stage: Stage, message: Reason = "", yes: Yes = False) -> None:
    """Approve the stage of an execution that waits for it."""
    _decide(execution, stage, "Approved", message, yes=yes)


def reject(execution: Execution, stage: Stage, message: Reason = "", yes: Yes = False) -> None:
    """Reject it: the stage fails."""
    _decide(execution, stage, "Rejected", message, yes=yes)


def _decide(execution: str, stage: str, result: str, summary: str, *, yes: bool) -> None:
    _confirm(f"{result} {stage} of {execution}?", yes=yes)
    path = f"/executions/{execution}/stages/{stage}/approval"
    Api().send("POST", path, {"result": result, "summary": summary})
    typer.echo(result)


def retry(
    execution: Execution,
    stage: Stage,
    all_actions: Annotated[bool, typer.Option("--all", help="also what had succeeded")] = False,
) -> None:
    """Run the failed actions of a failed stage again."""
    mode = "ALL_ACTIONS" if all_actions else "FAILED_ACTIONS"
    Api().send("POST", f"/executions/{execution}/stages/{stage}/retry", {"mode": mode})
    typer.echo("retried")


def stop(
    execution: Execution,
    message: Reason = "",
    abandon: Annotated[bool, typer.Option(help="do not wait for what runs")] = False,
    yes: Yes = False,
) -> None:
    """Stop an execution."""
    _confirm(f"stop {execution}?", yes=yes)
    Api().send("POST", f"/executions/{execution}/stop", {"abandon": abandon, "reason": message})
    typer.echo("stopping")


class Judged(StrEnum):
    """What a person says of a bake."""

    PASS = "pass"  # noqa: S105 - not a password
    ROLLBACK = "rollback"


def judge(execution: Execution, stage: Stage, result: Judged, message: Reason) -> None:
    """Say what no signal could: let a bake that is held, or that asks, pass, or roll it back."""
    asked = {"result": result.value, "reason": message}
    Api().send("POST", f"/executions/{execution}/stages/{stage}/judgement", asked)
    typer.echo("passed" if result is Judged.PASS else "rolling back")


def rollback(
    pipeline: Pipeline, stage: Stage, message: Reason, yes: Yes = False, to: To = ""
) -> None:
    """Roll a stage back to its last known good; the digest now there goes into quarantine."""
    _confirm(f"roll {stage} of {pipeline} back, and quarantine what is there now?", yes=yes)
    asked = {"reason": message, "to": to}
    found = Api().send("POST", f"/pipelines/{pipeline}/stages/{stage}/rollback", asked)
    typer.echo(f"rolling back what {found['id']} left in {stage}")
    typer.echo(f"follow it: towpath status {pipeline} --watch", err=True)


def hold(pipeline: Pipeline, stage: Stage, message: Reason) -> None:
    """Disable the way into a stage. A rollback passes all the same."""
    Api().send("DELETE", f"/pipelines/{pipeline}/stages/{stage}/transition", {"reason": message})
    typer.echo("held")


def resume(pipeline: Pipeline, stage: Stage, message: Reason) -> None:
    """Enable it again."""
    Api().send("PUT", f"/pipelines/{pipeline}/stages/{stage}/transition", {"reason": message})
    typer.echo("open")


def lift(digest: Annotated[str, typer.Argument()], message: Reason) -> None:
    """Let a digest out of quarantine."""
    Api().send("DELETE", f"/quarantine/{digest}", {"reason": message})
    typer.echo("lifted")


def _confirm(question: str, *, yes: bool) -> None:
    """Ask on a terminal; off one, --yes is needed."""
    if yes:
        return
    if not sys.stdin.isatty():
        fail(f"{question} Say --yes where nobody can answer.", Exit.USAGE)
    typer.confirm(question, abort=True)
