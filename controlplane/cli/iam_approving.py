"""approve-iam: decide by the signature of one's own AWS credentials, without a token of Towpath's."""

import os
import secrets
from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Annotated, Any

import typer

from controlplane.cli.output import confirm
from controlplane.client.api import Api, ApiError, Exit


class By(StrEnum):
    """What AWS says who it is by."""

    SIGNATURE = "signature"
    TOKEN = "token"  # noqa: S105 - a word


class Algorithm(StrEnum):
    """By which AWS signs a token."""

    ES384 = "ES384"
    RS256 = "RS256"


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
    by: Annotated[
        By, typer.Option(help="signature: GetCallerIdentity; token: GetWebIdentityToken")
    ] = By.SIGNATURE,
    pipeline: Annotated[str, typer.Option(help="with --by token: whose execution it is")] = "",
    tag: Annotated[list[str] | None, typer.Option(help="with --by token: KEY=VALUE in it")] = None,
    algorithm: Annotated[
        Algorithm, typer.Option(help="with --by token: how AWS signs it")
    ] = Algorithm.ES384,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="do not ask")] = False,
) -> None:
    """Approve (or reject) by your IAM role: signs one decision with the AWS credentials of this shell."""
    from controlplane.iam.base import Decision

    session, where = _session(region)
    api = Api(token=os.environ.get("TOWPATH_TOKEN", ""))
    verdict = "Rejected" if reject else "Approved"
    nonce = secrets.token_urlsafe(18)
    decision = Decision(execution, stage, action, verdict, evidence, message, nonce)
    if by is By.TOKEN:
        decision, pipeline = _looked_at(api, decision, pipeline)
    seen = f", evidence {decision.evidence}" if decision.evidence else ""
    confirm(f"{verdict}: {stage} of {execution}{seen}?", yes=yes)
    ours = (audience or api.url).rstrip("/")
    if by is By.TOKEN:
        signed = _token(session, where, decision.audience(ours, pipeline), algorithm, tag or [])
        signed["pipeline"] = pipeline
    else:
        signed = _url(session, where, ours, decision)
    body = {
        "execution": execution,
        "stage": stage,
        "action": decision.action,
        "result": verdict,
        "summary": message,
        "evidence": decision.evidence,
        "nonce": nonce,
        **signed,
    }
    api.send("POST", "/iam-approvals", body)
    typer.echo(f"{verdict} {stage} of {execution}.")


# --- inside -------------------------------------------------------------------------------------


def _session(region: str) -> tuple[Any, str]:
    """boto3's session, and the region whose STS is asked; ApiError where either is not there."""
    import boto3

    session = boto3.Session()
    where = region or session.region_name or ""
    if session.get_credentials() is None or not where:
        said = "There are no AWS credentials, or no region: set AWS_PROFILE, or --region."
        raise ApiError(said, Exit.USAGE)
    return session, where


def _looked_at(api: Api, decision: Any, pipeline: str) -> tuple[Any, str]:
    """A token is of a pipeline and of what was looked at: what is not said is asked, with TOWPATH_TOKEN."""
    if decision.evidence and pipeline:
        return decision, pipeline
    if not os.environ.get("TOWPATH_TOKEN"):
        said = (
            "--by token needs --pipeline and --evidence, as the approval's page shows them; "
            "with a TOWPATH_TOKEN that may read, what there is to see now is asked for and shown."
        )
        raise ApiError(said, Exit.USAGE)
    path = f"/executions/{decision.execution}/stages/{decision.stage}/approval"
    there = api.get(path, **({"action": decision.action} if decision.action else {}))
    typer.echo(f"{there['digest'] or 'no artifact'}: {there['onApprove']}", err=True)
    evidence = decision.evidence or str(there["evidence"])
    asked = replace(decision, action=str(there["action"]), evidence=evidence)
    return asked, pipeline or str(there["pipeline"])


def _url(session: Any, region: str, audience: str, decision: Any) -> dict[str, str]:
    from controlplane.iam.signing import sign

    return {"url": sign(session.get_credentials(), region, audience, decision)}


def _token(
    session: Any, region: str, audience: str, algorithm: Algorithm, tags: Sequence[str]
) -> dict[str, str]:
    from botocore.exceptions import BotoCoreError, ClientError

    from controlplane.iam.signing import token_of

    given = dict(one.partition("=")[::2] for one in tags)
    try:
        sts = session.client("sts", region_name=region)
        return {"token": token_of(sts, audience, algorithm.value, given)}
    except (BotoCoreError, ClientError) as error:
        raise ApiError(f"AWS gives no token: {error}") from error
