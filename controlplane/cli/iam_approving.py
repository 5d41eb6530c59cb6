"""approve-iam: decide by the signature of one's own AWS credentials, without a token of Towpath's."""

import os
import secrets
from typing import Annotated

import typer

from controlplane.cli.output import confirm
from controlplane.client.api import Api, ApiError, Exit


def register(app: typer.Typer) -> None:
    """Put the command in."""
    app.command("approve-iam")(approve_iam)


def approve_iam(  # noqa: PLR0913 - each is an option of the command
    execution: Annotated[str, typer.Argument(help="the execution's id")],
    stage: Annotated[str, typer.Argument(help="the stage that waits")],
    message: Annotated[str, typer.Option("-m", "--message", help="why; kept on record")] = "",
    action: Annotated[str, typer.Option(help="where several approvals are open")] = "",
    reject: Annotated[bool, typer.Option("--reject", help="reject it instead")] = False,
    evidence: Annotated[str, typer.Option(help="the hash of what you looked at")] = "",
    region: Annotated[str, typer.Option(help="whose STS is asked; left out: the profile's")] = "",
    audience: Annotated[
        str, typer.Option(help="the installation's public URL, where TOWPATH_URL is another")
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="do not ask")] = False,
) -> None:
    """Approve (or reject) by your IAM role: signs one decision with the AWS credentials of this shell."""
    import boto3

    from controlplane.iam.base import Decision
    from controlplane.iam.signing import sign

    session = boto3.Session()
    credentials = session.get_credentials()
    where = region or session.region_name or ""
    if credentials is None or not where:
        said = "There are no AWS credentials, or no region: set AWS_PROFILE, or --region."
        raise ApiError(said, Exit.USAGE)
    verdict = "Rejected" if reject else "Approved"
    confirm(f"{verdict}: {stage} of {execution}?", yes=yes)
    decision = Decision(
        execution, stage, action, verdict, evidence, message, secrets.token_urlsafe(18)
    )
    api = Api(token=os.environ.get("TOWPATH_TOKEN", ""))
    url = sign(credentials, where, audience or api.url, decision)
    body = {
        "execution": execution,
        "stage": stage,
        "action": action,
        "result": verdict,
        "summary": message,
        "evidence": evidence,
        "nonce": decision.nonce,
        "url": url,
    }
    api.send("POST", "/iam-approvals", body)
    typer.echo(f"{verdict} {stage} of {execution}.")
