"""Outbound identity federation: what STS signs here, Towpath takes as an approval."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from controlplane.iam.web_identity import WebIdentity
from controlplane.sandbox.aws import clock
from controlplane.sandbox.aws.server import Server
from controlplane.server import create_app
from controlplane.settings import IamIssuer
from controlplane.store.roles import Role
from tests.controlplane.sandbox.aws.documents import allow
from tests.controlplane.sandbox.conftest import ClientOf
from tests.support.doors import Doors, asks_a_person, served
from tests.support.house import action, pipeline, source

OURS = "https://towpath.invalid"
ASKED = {"Audience": ["a"], "SigningAlgorithm": "ES384"}
SessionOf = Callable[..., dict[str, Any]]


def refusal(sts: Any, **given: Any) -> str:
    with pytest.raises(ClientError) as caught:
        sts.get_web_identity_token(**{**ASKED, **given})
    return str(caught.value.response["Error"]["Code"])


def test_an_account_has_an_issuer_once_it_is_enabled(client: ClientOf, account: str) -> None:
    iam, sts = client("iam", account), client("sts", account)
    assert refusal(sts) == "OutboundWebIdentityFederationDisabledException"
    with pytest.raises(iam.exceptions.FeatureDisabledException):
        iam.get_outbound_web_identity_federation_info()
    issuer = iam.enable_outbound_web_identity_federation()["IssuerIdentifier"]
    assert iam.get_outbound_web_identity_federation_info() | {"ResponseMetadata": {}} == {
        "IssuerIdentifier": issuer,
        "JwtVendingEnabled": True,
        "ResponseMetadata": {},
    }
    assert httpx.get(f"{issuer}/.well-known/openid-configuration").json()["issuer"] == issuer
    with pytest.raises(iam.exceptions.FeatureEnabledException):
        iam.enable_outbound_web_identity_federation()
    assert sts.get_web_identity_token(**ASKED)["WebIdentityToken"].count(".") == 2
    iam.disable_outbound_web_identity_federation()
    assert refusal(sts) == "OutboundWebIdentityFederationDisabledException"


def test_policies_bound_what_may_be_asked_for(
    client: ClientOf, session: SessionOf, account: str
) -> None:
    client("iam", account).enable_outbound_web_identity_federation()
    condition = {
        "StringLike": {"sts:IdentityTokenAudience": f"{OURS}/*"},
        "NumericLessThanEquals": {"sts:DurationSeconds": "1800"},
    }
    policy = allow("sts:GetWebIdentityToken", Condition=condition)
    sts = client("sts", credentials=session(policy, DurationSeconds=900))
    sts.get_web_identity_token(Audience=[f"{OURS}/x"], SigningAlgorithm="RS256")
    assert refusal(sts) == "AccessDenied"
    assert refusal(sts, Audience=[f"{OURS}/x", "y"]) == "AccessDenied"
    assert refusal(sts, Audience=[f"{OURS}/x"], DurationSeconds=1801) == "AccessDenied"
    tags = [{"Key": "change", "Value": "c-1"}]
    assert refusal(sts, Audience=[f"{OURS}/x"], Tags=tags) == "AccessDenied"
    root = client("sts", account)
    assert refusal(root, SigningAlgorithm="HS256") == "ValidationError"
    assert refusal(root, Tags=tags * 51) == "JWTPayloadSizeExceededException"
    longer = refusal(sts, Audience=[f"{OURS}/x"], DurationSeconds=1000)
    assert longer == "SessionDurationEscalationException"


@pytest.fixture
def doors(tmp_path: Path, client: ClientOf, account: str) -> Iterator[Doors]:
    """An installation that takes tokens of the account's role Worker, where it says which change."""
    issuer = client("iam", account).enable_outbound_web_identity_federation()["IssuerIdentifier"]
    grants = [{"role": "approver", "pipelines": "shop"}]
    approver = {"name": "anne", "grants": grants, "requestTags": {"change": "c-*"}}
    known = {f"arn:aws:iam::{account}:role/Worker": approver}
    doors = Doors(tmp_path, iam_approvers=known, iam_issuers={account: {"issuer": issuer}})
    clock.use(doors.house.clock)
    asks_a_person(doors.house)
    gate = {"name": "Gate", "actions": [action("Ask", "Manual")]}
    doors.house.apply(pipeline(source(), gate))
    with httpx.Client() as http:
        knows = WebIdentity(http, doors.house.clock, OURS, {account: IamIssuer(issuer=issuer)})
        doors.app = create_app(doors.parts(iam_tokens=knows))
        yield doors
    clock.use(None)


def test_towpath_approves_by_the_token_that_its_command_asks_for(
    doors: Doors, aws: Server, session: SessionOf
) -> None:
    credentials = session(allow(["sts:GetWebIdentityToken", "sts:TagGetWebIdentityToken"]))
    execution = doors.house.start()

    def typed(*more: str, token: str) -> "subprocess.CompletedProcess[str]":
        given = {
            "AWS_ENDPOINT_URL": aws.url,
            "AWS_ACCESS_KEY_ID": credentials["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": credentials["SecretAccessKey"],
            "AWS_SESSION_TOKEN": credentials["SessionToken"],
            "TOWPATH_URL": url,
            "TOWPATH_TOKEN": token,
        }
        words = [sys.executable, "-m", "controlplane.cli", "approve-iam", execution, "Gate"]
        words += ["-m", "well", "--by", "token", "--yes", "--region", "eu-west-1"]
        return subprocess.run(
            [*words, "--audience", OURS, *more],
            env=os.environ | given,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )

    with served(doors.app) as url:
        untagged = typed(token=doors.tokens[Role.VIEWER])
        assert (untagged.returncode, "TOWPATH_IAM_APPROVERS" in untagged.stderr) == (1, True)
        assert "needs --pipeline and --evidence" in typed(token="").stderr
        done = typed("--tag", "change=c-1", "--algorithm", "RS256", token=doors.tokens[Role.VIEWER])
        assert done.stdout == f"Approved Gate of {execution}.\n"
    doors.house.settle()
    assert doors.house.texts("approval.answered") == ["Approved by anne (iam): well"]
