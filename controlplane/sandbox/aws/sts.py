"""STS: AssumeRole checks the trust policy of the target role, in whatever account it lives.

It keeps what moto drops: session tags, SourceIdentity, the session policy, and the time of expiry
by the sandbox's clock.
"""

import secrets
from datetime import timedelta
from typing import Any

from moto.core.responses import ActionResult
from moto.iam.models import iam_backends
from moto.sts import responses, urls

from controlplane.sandbox.aws import clock, hooks, identity, outbound, trust
from controlplane.sandbox.aws.faults import Fault
from controlplane.sandbox.aws.identity import Caller, Session
from controlplane.sandbox.aws.policy import Document, Effect, Request, decide, parse

CALLER = "towpath.caller"
"""Where the door leaves the caller in the WSGI environment."""


class Response(responses.TokenResponse):  # type: ignore[misc]  # moto ships no types
    """AssumeRole, GetCallerIdentity and GetWebIdentityToken; the rest is refused: moto has examples only."""

    @property
    def caller(self) -> Caller:
        caller: Caller = self.normalized_request.environ[CALLER]
        return caller

    def get_caller_identity(self) -> ActionResult:
        caller = self.caller
        answer = {"UserId": caller.user_id, "Account": caller.account, "Arn": caller.arn}
        return ActionResult(answer)

    def assume_role(self) -> ActionResult:
        given = {name: self._get_param(name) for name in PARAMETERS}
        role = _role(str(given["RoleArn"]))
        _check(self.caller, role, given, self.region)
        session = _session(self.caller, role, given)
        identity.sessions[session.key] = session
        answer = {
            "Credentials": {
                "AccessKeyId": session.key,
                "SecretAccessKey": secrets.token_urlsafe(30),
                "SessionToken": session.token,
                "Expiration": session.expires,
            },
            "AssumedRoleUser": {
                "AssumedRoleId": f"{role.id}:{given['RoleSessionName']}",
                "Arn": session.arn,
            },
            "PackedPolicySize": len(given["Policy"] or "") * 100 // trust.MAX_POLICY,
            "SourceIdentity": session.source_identity or None,
        }
        return ActionResult(answer)

    def get_web_identity_token(self) -> ActionResult:
        given = {name: self._get_param(name) for name in OUTBOUND}
        return outbound.token(self.caller, given, self.region)

    def assume_role_with_saml(self) -> ActionResult:
        raise NotImplementedError("The sandbox's STS does not emulate AssumeRoleWithSAML")

    def assume_role_with_web_identity(self) -> ActionResult:
        raise NotImplementedError("The sandbox's STS does not emulate AssumeRoleWithWebIdentity")

    def get_federation_token(self) -> ActionResult:
        raise NotImplementedError("The sandbox's STS does not emulate GetFederationToken")

    def get_session_token(self) -> ActionResult:
        raise NotImplementedError("The sandbox's STS does not emulate GetSessionToken")


OUTBOUND = ("Audience", "DurationSeconds", "SigningAlgorithm", "Tags")
PARAMETERS = (
    "DurationSeconds",
    "ExternalId",
    "Policy",
    "PolicyArns",
    "RoleArn",
    "RoleSessionName",
    "SourceIdentity",
    "Tags",
    "TransitiveTagKeys",
)


def _role(arn: str) -> Any:
    """Answer moto's role; None where there is none. AWS does not tell that from a refusal."""
    parts = arn.split(":", 5)
    if len(parts) < 6 or parts[4] not in iam_backends:  # noqa: PLR2004 the parts of an ARN
        return None
    roles = iam_backends[parts[4]][identity.PARTITION].roles.values()
    return next((role for role in roles if role.arn == arn), None)


def _check(caller: Caller, role: Any, given: dict[str, Any], region: str) -> None:
    arn = given["RoleArn"]
    document = role.assume_role_policy_document if role is not None else "{}"
    action = trust.refused_by_trust(document, caller, given, region)
    action = action or _refused_by_identity(caller, given, region)
    if action:
        sentence = f"User: {caller.arn} is not authorized to perform: {action} on resource: {arn}"
        raise Fault("AccessDenied", sentence)
    seconds = int(given["DurationSeconds"] or trust.DEFAULT_SECONDS)
    longest = int(role.max_session_duration or trust.DEFAULT_SECONDS)
    if wrong := trust.wrong_duration(caller, seconds, longest):
        raise Fault("ValidationError", wrong)
    if given["Policy"] and (wrong := trust.wrong_policy(given["Policy"])):
        raise Fault("MalformedPolicyDocument", wrong)


def _refused_by_identity(caller: Caller, given: dict[str, Any], region: str) -> str:
    # The door has checked sts:AssumeRole itself; these come with what the call carries.
    if caller.root:
        return ""
    known = trust.context(caller, given, region)
    for action in trust.actions(given)[1:]:
        request = Request(action, given["RoleArn"], caller.principals, known)
        if decide(caller.identity, request) is not Effect.ALLOW:
            return action
    return ""


def _session(caller: Caller, role: Any, given: dict[str, Any]) -> Session:
    account = role.account_id
    path = f"assumed-role/{role.name}/{given['RoleSessionName']}"
    passed = {tag["Key"]: tag["Value"] for tag in given["Tags"] or ()}
    before = caller.session
    kept = {k: v for k, v in before.tags if k in before.transitive} if before else {}
    source = given["SourceIdentity"] or (before.source_identity if before else "")
    seconds = int(given["DurationSeconds"] or trust.DEFAULT_SECONDS)
    return Session(
        account=account,
        arn=f"arn:{identity.PARTITION}:sts::{account}:{path}",
        role=role.arn,
        key="ASIA" + secrets.token_hex(8).upper(),
        token=secrets.token_urlsafe(64),
        expires=clock.now() + timedelta(seconds=seconds),
        issued=clock.real(),
        policies=tuple(_policies(account, given)),
        tags=tuple(sorted((passed | kept).items())),
        transitive=(*(given["TransitiveTagKeys"] or ()), *kept),
        source_identity=source,
    )


def _policies(account: str, given: dict[str, Any]) -> list[Document]:
    found: list[Document] = [parse(given["Policy"])] if given["Policy"] else []
    backend = iam_backends[account][identity.PARTITION]
    for each in given["PolicyArns"] or ():
        managed = backend.managed_policies.get(each["arn"])
        if managed is None:
            raise Fault("MalformedPolicyDocument", f"There is no policy {each['arn']}.")
        found.append(parse(identity.managed_document(managed)))
    return found


def install() -> None:
    """Answer STS's calls here."""
    hooks.route(urls, Response)
