"""An approval that people of AWS decide: STS checks their signatures or signs their tokens, in this process."""

import json
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.httpsession import URLLib3Session
from joserfc import jwt
from joserfc.jwk import ECKey

from controlplane.clock import system_clock
from controlplane.iam.presigned import Presigned
from controlplane.iam.web_identity import OF_AWS, WebIdentity
from controlplane.sandbox.signed_sts import SignedSts
from controlplane.server import create_app
from tests.controlplane.manual.situations import Situation
from tests.support.book import settings
from tests.support.doors import Doors, asks_a_person
from tests.support.house import action, deploying, pipeline, source

OURS, REGION = "http://towpath", "eu-west-1"
KEY, SECRET = "AKIDEXAMPLEGOODKEY01", "a made-up secret"
PROFILE = f"[release]\naws_access_key_id = {KEY}\naws_secret_access_key = {SECRET}\n"


@contextmanager
def asked(folder: Path) -> Iterator[Situation]:
    """Prod asks; the installation is set as the page says, and the shell has the profile `release`."""
    told = {name: json.loads(text) for name, text in settings("approvals.md").items()}
    approvers, issuers = told["TOWPATH_IAM_APPROVERS"], told["TOWPATH_IAM_ISSUERS"]
    doors = Doors(folder, iam_approvers=approvers, iam_issuers=_named(issuers))
    (folder / "credentials").write_text(PROFILE, encoding="utf-8")
    (role,) = approvers
    sts = _Sts(role, next(iter(doors.settings.iam_issuers.values())).issuer)
    parts = replace(doors.parts(), iam=_signatures(role), iam_tokens=_tokens(doors, sts))
    doors.app = create_app(parts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(URLLib3Session, "send", lambda _, request: sts.answer(request))
        execution = _waits(doors)
        files = {"AWS_SHARED_CREDENTIALS_FILE": f"{folder}/credentials"}
        yield Situation(doors, {"EXECUTION": execution}, files)


def _named(issuers: dict[str, Any]) -> dict[str, Any]:
    """With a name in the place of the page's ISSUER."""
    named: dict[str, Any] = json.loads(json.dumps(issuers).replace("ISSUER", "a1b2"))
    return named


def _waits(doors: Doors) -> str:
    asks_a_person(doors.house)
    prod = deploying("Prod")
    prod["actions"] = [action("Ask", "Manual"), {**prod["actions"][0], "runOrder": 2}]
    doors.house.apply(pipeline(source(), prod))
    return doors.house.start()


def _signatures(role: str) -> Presigned:
    session = role.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/") + "/anne"
    http = httpx.Client(transport=SignedSts({KEY: (SECRET, session)}))
    return Presigned(http, system_clock, OURS, lambda: {REGION})


def _tokens(doors: Doors, sts: "_Sts") -> WebIdentity:
    http = httpx.Client(transport=httpx.MockTransport(sts.publishes))
    return WebIdentity(http, system_clock, OURS, doors.settings.iam_issuers)


@dataclass
class _Sts:
    """Signs tokens of a role, whoever asks; its account's issuer publishes the key."""

    role: str
    issuer: str

    def __post_init__(self) -> None:
        self._key = ECKey.generate_key("P-384")

    def answer(self, request: AWSPreparedRequest) -> AWSResponse:
        """GetWebIdentityToken, and nothing else."""
        given = dict(urllib.parse.parse_qsl(_text(request.body)))
        assert given["Action"] == "GetWebIdentityToken"
        now = int(system_clock().timestamp())
        of_aws = {"aws_account": self.role.split(":")[4], "org_id": "o-abcdefghij"}
        claims = {
            "iss": self.issuer,
            "aud": given["Audience.member.1"],
            "sub": self.role,
            "iat": now,
            "exp": now + int(given["DurationSeconds"]),
            "jti": "1",
            OF_AWS: of_aws,
        }
        header = {"alg": given["SigningAlgorithm"], "kid": "1"}
        signed = jwt.encode(header, claims, self._key, algorithms=["ES384"])
        inner = f"<WebIdentityToken>{signed}</WebIdentityToken>"
        body = f"<R><GetWebIdentityTokenResult>{inner}</GetWebIdentityTokenResult></R>"
        return AWSResponse(request.url, 200, HTTPHeaders(), _Raw(body.encode()))

    def publishes(self, request: httpx.Request) -> httpx.Response:
        """The issuer's metadata and key."""
        keys = f"{self.issuer}/.well-known/jwks.json"
        if str(request.url) == keys:
            key = {**self._key.as_dict(private=False), "kid": "1", "use": "sig"}
            return httpx.Response(200, json={"keys": [key]})
        return httpx.Response(200, json={"issuer": self.issuer, "jwks_uri": keys})


@dataclass
class _Raw:
    """A body as urllib3 gives it."""

    body: bytes

    def stream(self) -> Iterator[bytes]:
        yield self.body


def _text(body: Any) -> str:
    return body.decode() if isinstance(body, bytes) else str(body)
