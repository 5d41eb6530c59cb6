"""start, approve, judge, retry, stop, rollback and the like: what a person may ask for."""

import math
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, NamedTuple

import typer

from controlplane.cli import completing, hints
from controlplane.cli.following import (
    ExitStatusOption,
    Terms,
    TimeoutOption,
    Until,
    UntilOption,
    WaitOption,
    follow,
    follow_back,
    seconds_of,
)
from controlplane.cli.output import Form, FormOption, confirm, fail
from controlplane.client.api import Api, Exit
from controlplane.declarations.durations import parse_duration

Reason = Annotated[str, typer.Option("-m", "--message", help="why; kept on record")]
Evidence = Annotated[
    str,
    typer.Option(help="the hash of what you saw, as status prints it; left out: what is there now"),
]
ApprovalAction = Annotated[str, typer.Option(help="where several approvals are open")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="do not ask")]
To = Annotated[
    str,
    typer.Option(
        "--to",
        help="an execution that succeeded in the stage",
        autocompletion=completing.executions,
    ),
]
Pipeline = Annotated[
    str, typer.Argument(help="the pipeline's name", autocompletion=completing.pipelines)
]
Execution = Annotated[
    str, typer.Argument(help="the execution's id", autocompletion=completing.executions)
]
Stage = Annotated[str, typer.Argument(help="the stage's name", autocompletion=completing.stages)]


def register(app: typer.Typer) -> None:
    """Put the commands in."""
    for command in COMMANDS:
        app.command()(command)


def start(  # noqa: PLR0913 - each is an option of the command
    pipeline: Pipeline,
    revision: Annotated[list[str] | None, typer.Option(help="ACTION=REVISION to pin")] = None,
    variable: Annotated[list[str] | None, typer.Option(help="NAME=VALUE of a variable")] = None,
    one_way: Annotated[
        bool, typer.Option("--one-way", help="it cannot be rolled back: ask first, hold where bad")
    ] = False,
    wait: WaitOption = False,
    until: UntilOption = Until.OVER,
    timeout: TimeoutOption = "",
    exit_status: ExitStatusOption = True,
    output: FormOption = Form.TABLE,
) -> None:
    """Start an execution; prints its id, and how each stage that deploys is rolled back."""
    terms = Terms(output, until, seconds_of(timeout), tells=exit_status)
    pinned = dict(entry.partition("=")[::2] for entry in revision or [])
    given = dict(entry.partition("=")[::2] for entry in variable or [])
    asked = {"revisions": pinned, **({"oneWay": True} if one_way else {})}
    asked |= {"variables": given} if given else {}
    api = Api()
    started = str(api.send("POST", f"/pipelines/{pipeline}/executions", asked)["id"])
    typer.echo(started, err=wait and output is not Form.TABLE)
    if wait:
        follow(api, started, terms)
    declared = api.get(f"/pipelines/{pipeline}")
    for said in hints.ways_back(pipeline, hints.deploying(declared.get("pipeline", declared))):
        typer.echo(said, err=True)
    typer.echo(f"follow it: towpath status {started} --watch", err=True)


def approve(  # noqa: PLR0913 - each is an option of the command
    execution: Execution,
    stage: Stage,
    message: Reason = "",
    evidence: Evidence = "",
    action: ApprovalAction = "",
    yes: Yes = False,
    wait: WaitOption = False,
    until: UntilOption = Until.OVER,
    timeout: TimeoutOption = "",
) -> None:
    """Approve the stage of an execution that waits for it: what you saw, and nothing else."""
    terms = Terms(Form.TABLE, until, seconds_of(timeout))
    _decide(_Asked(execution, stage, action), "Approved", message, evidence, yes=yes)
    if wait:
        follow(Api(), execution, terms)


def reject(
    execution: Execution,
    stage: Stage,
    message: Reason = "",
    evidence: Evidence = "",
    action: ApprovalAction = "",
    yes: Yes = False,
) -> None:
    """Reject it: the stage fails."""
    _decide(_Asked(execution, stage, action), "Rejected", message, evidence, yes=yes)


class _Asked(NamedTuple):
    """Which approval is meant. action: "" for the one that is open in the stage."""

    execution: str
    stage: str
    action: str


def _decide(asked: _Asked, result: str, summary: str, evidence: str, *, yes: bool) -> None:
    """Decide on what was seen; where that is not said, what there is now is shown, and decided on."""
    api, path = Api(), f"/executions/{asked.execution}/stages/{asked.stage}/approval"
    named = {"action": asked.action} if asked.action else {}
    if not evidence:
        there = api.get(path, **named)
        evidence = str(there.get("evidence", ""))  # an older server does not tell
        follows = there["onApprove"] if result == "Approved" else there["onReject"]
        typer.echo(f"{follows}\nevidence {evidence}", err=True)
    confirm(f"{result} {asked.stage} of {asked.execution}?", yes=yes)
    api.send("POST", path, {"result": result, "summary": summary, "evidence": evidence, **named})
    typer.echo(result)


def retry(
    execution: Execution,
    stage: Stage,
    all_actions: Annotated[bool, typer.Option("--all", help="also what had succeeded")] = False,
    wait: WaitOption = False,
    until: UntilOption = Until.OVER,
    timeout: TimeoutOption = "",
) -> None:
    """Run the failed actions of a failed stage again."""
    terms = Terms(Form.TABLE, until, seconds_of(timeout))
    mode = "ALL_ACTIONS" if all_actions else "FAILED_ACTIONS"
    api = Api()
    api.send("POST", f"/executions/{execution}/stages/{stage}/retry", {"mode": mode})
    typer.echo("retried")
    if wait:
        follow(api, execution, terms)


def stop(
    execution: Execution,
    message: Reason = "",
    abandon: Annotated[bool, typer.Option(help="do not wait for what runs")] = False,
    yes: Yes = False,
) -> None:
    """Stop an execution."""
    confirm(f"stop {execution}?", yes=yes)
    Api().send("POST", f"/executions/{execution}/stop", {"abandon": abandon, "reason": message})
    typer.echo("stopping")


class Judged(StrEnum):
    """What a person says of a bake."""

    PASS = "pass"  # noqa: S105 - not a password
    ROLLBACK = "rollback"


def judge(
    execution: Execution, stage: Stage, result: Judged, message: Reason, yes: Yes = False
) -> None:
    """Say what no signal could: let a bake that is held, or that asks, pass, or roll it back."""
    if result is Judged.ROLLBACK:
        confirm(f"roll {stage} of {execution} back, and quarantine its digest?", yes=yes)
    asked = {"result": result.value, "reason": message}
    Api().send("POST", f"/executions/{execution}/stages/{stage}/judgement", asked)
    typer.echo("passed" if result is Judged.PASS else "rolling back")


def extend(
    execution: Execution,
    stage: Stage,
    longer: Annotated[str, typer.Argument(help="by how much, such as 30m or 2h; a day at most")],
    message: Reason,
) -> None:
    """Have a bake, or the watch after it, last longer; its rules go on, and a breach acts at once."""
    asked = {"minutes": _minutes(longer), "reason": message}
    found = Api().send("POST", f"/executions/{execution}/stages/{stage}/extension", asked)
    typer.echo(f"{stage} goes on until {found['until']}")


def _minutes(text: str) -> int:
    """Whole minutes, rounded up."""
    try:
        return math.ceil(parse_duration(text).total_seconds() / 60)
    except ValueError as error:
        fail(str(error), Exit.USAGE)


def rollback(  # noqa: PLR0913 - each is an option of the command
    pipeline: Pipeline,
    stage: Stage,
    message: Reason,
    yes: Yes = False,
    to: To = "",
    wait: WaitOption = False,
    timeout: TimeoutOption = "",
) -> None:
    """Roll a stage back to its last known good; the digest now there goes into quarantine."""
    seconds = seconds_of(timeout)
    confirm(f"roll {stage} of {pipeline} back, and quarantine what is there now?", yes=yes)
    asked = {"reason": message, "to": to}
    api = Api()
    found = api.send("POST", f"/pipelines/{pipeline}/stages/{stage}/rollback", asked)
    typer.echo(f"rolling back what {found['id']} left in {stage}")
    if wait:
        follow_back(api, pipeline, str(found["id"]), seconds)
    typer.echo(f"follow it: towpath status {pipeline} --watch", err=True)


def hold(pipeline: Pipeline, stage: Stage, message: Reason) -> None:
    """Disable the way into a stage. A rollback passes all the same."""
    Api().send("DELETE", f"/pipelines/{pipeline}/stages/{stage}/transition", {"reason": message})
    typer.echo("held")


def resume(pipeline: Pipeline, stage: Stage, message: Reason) -> None:
    """Enable it again."""
    Api().send("PUT", f"/pipelines/{pipeline}/stages/{stage}/transition", {"reason": message})
    typer.echo("open")


def lift(
    digest: Annotated[str, typer.Argument(help="towpath get quarantine")],
    message: Reason,
    yes: Yes = False,
) -> None:
    """Let a digest out of quarantine: it may be deployed again, everywhere."""
    confirm(f"let {digest} be deployed again, in every pipeline?", yes=yes)
    Api().send("DELETE", f"/quarantine/{digest}", {"reason": message})
    typer.echo("lifted")


COMMANDS: tuple[Callable[..., None], ...] = (
    start, approve, reject, judge, extend, retry, stop, rollback, hold, resume, lift,
)  # fmt: skip
