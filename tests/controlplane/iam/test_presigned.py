"""A decision that AWS vouches for: only exactly such a call, of exactly this decision, once."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from controlplane.clock import ManualClock
from controlplane.iam.base import AUDIENCE_HEADER, BINDING_HEADER, Decision, IamError, principal
from controlplane.iam.presigned import Presigned
from controlplane.iam.signing import sign
from controlplane.sandbox.signed_sts import SignedSts
from controlplane.server import create_app
from tests.support.doors import Doors, InProcess, asks_a_person
from tests.support.house import action, pipeline, source

AUDIENCE = "https://towpath.invalid"
REGION = "eu-west-1"
HOST = "sts.eu-west-1.amazonaws.com"
KEY, SECRET = "AKIDEXAMPLEGOODKEY01", "a made-up secret"
ROLE = "arn:aws:iam::444455556666:role/Release"
SESSION = "arn:aws:sts::444455556666:assumed-role/Release/whatever-i-say"
CREDENTIALS = Credentials(KEY, SECRET, "tok/en+1=")
DECISION = Decision("e-1", "Gate", "Ask", "Approved", "", "well", "n" * 20)


class World:
    """A clock, an STS that checks, and what asks it."""

    def __init__(self, answer: Callable[[httpx.Request], httpx.Response] | None = None) -> None:
        self.clock = ManualClock()
        self.sts = SignedSts({KEY: (SECRET, SESSION)})
        transport = httpx.MockTransport(answer) if answer else self.sts
        self.presigned = Presigned(
            httpx.Client(transport=transport), self.clock, AUDIENCE, lambda: {REGION}
        )

    def url(self, decision: Decision = DECISION, audience: str = AUDIENCE, **more: Any) -> str:
        """As a caller signs it, at this world's time."""
        return signed(self.clock, decision, audience, **more)


def signed(  # noqa: PLR0913 - what may be wrong with one
    clock: ManualClock,
    decision: Decision = DECISION,
    audience: str = AUDIENCE,
    *,
    headers: dict[str, str] | None = None,
    base: str = f"https://{HOST}/",
    extra: str = "",
    credentials: Credentials = CREDENTIALS,
    region: str = REGION,
) -> str:
    """botocore's own signature, at a time that is ours."""
    bound = {AUDIENCE_HEADER: audience, BINDING_HEADER: decision.binding}
    query = f"Action=GetCallerIdentity&Version=2011-06-15{extra}"
    request = AWSRequest("GET", f"{base}?{query}", bound if headers is None else headers)
    auth: Any = SigV4QueryAuth(credentials, "sts", region, expires=120)
    request.context["timestamp"] = f"{clock():%Y%m%dT%H%M%SZ}"
    auth._modify_request_before_signing(request)
    canonical = auth.canonical_request(request)
    signature = auth.signature(auth.string_to_sign(request, canonical), request)
    auth._inject_signature_to_request(request, signature)
    return str(request.url)


def refusal(world: World, url: str, decision: Decision = DECISION) -> str:
    with pytest.raises(IamError) as error:
        world.presigned.caller(url, decision)
    return str(error.value)


def test_who_signed_is_who_aws_says() -> None:
    world = World()
    caller = world.presigned.caller(world.url(), DECISION)
    assert (caller.arn, caller.account) == (SESSION, "444455556666")
    assert principal(caller.arn) == ROLE
    assert principal("arn:aws:iam::444455556666:role/some/path/Release") == ROLE
    assert principal("arn:aws:iam::1:user/anne") == "arn:aws:iam::1:user/anne"


def test_what_the_command_line_signs_is_taken() -> None:
    sts = SignedSts({KEY: (SECRET, SESSION)})
    url = sign(CREDENTIALS, REGION, AUDIENCE, DECISION)
    stamp = url.split("X-Amz-Date=")[1][:16]
    at = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    asks = Presigned(httpx.Client(transport=sts), lambda: at, AUDIENCE, lambda: {REGION})
    assert asks.caller(url, DECISION).arn == SESSION


@pytest.mark.parametrize(
    "other",
    [
        {"verdict": "Rejected"},
        {"execution": "e-2"},
        {"stage": "Prod"},
        {"action": "Other"},
        {"comment": "not well"},
        {"evidence": "0" * 64},
        {"nonce": "m" * 20},
    ],
)
def test_a_signature_of_another_decision_is_none_of_this(other: dict[str, str]) -> None:
    world = World()
    assert "AWS does not know this signature" in refusal(
        world, world.url(), replace(DECISION, **other)
    )


def test_nor_is_one_for_another_audience_or_by_another_secret() -> None:
    world = World()
    said = "AWS does not know this signature"
    assert said in refusal(world, world.url(audience="https://staging.invalid"))
    assert said in refusal(world, world.url(credentials=Credentials(KEY, "another")))


LIES: dict[str, tuple[Callable[[str], str], str]] = {
    "http": (lambda url: url.replace("https://", "http://"), "by https"),
    "another host": (lambda url: url.replace(HOST, "evil.invalid"), "one of these hosts"),
    "a user before the host": (lambda url: url.replace(HOST, f"{HOST}@evil.invalid"), "hosts"),
    "a port": (lambda url: url.replace(HOST, f"{HOST}:444"), "one of these hosts"),
    "a host in capitals": (lambda url: url.replace(HOST, HOST.upper()), "one of these hosts"),
    "another region": (lambda url: url.replace("//sts.eu-west-1", "//sts.us-east-1"), "hosts"),
    "a path": (lambda url: url.replace(".com/?", ".com/x?"), "must have the path /"),
    "no path": (lambda url: url.replace(".com/?", ".com?"), "must have the path /"),
    "a fragment": (lambda url: url + "#x", "must have the path /"),
    "another action": (
        lambda url: url.replace("GetCallerIdentity", "GetSessionToken"),
        "Action of the signed URL must be GetCallerIdentity",
    ),
    "an action beside it": (lambda url: url + "&Action=GetSessionToken", "twice"),
    "and in small letters": (lambda url: url + "&action=GetSessionToken", "twice"),
    "a parameter of its own": (lambda url: url + "&RoleArn=x", "is not taken: 'RoleArn'"),
    "no signature": (lambda url: re.sub("&X-Amz-Signature=.*", "", url), "lacks X-Amz-Signature"),
    "another service": (lambda url: url.replace("%2Fsts%2F", "%2Fs3%2F"), "must be signed for sts"),
    "a day that is not": (lambda url: re.sub("Date=[0-9]{8}", "Date=20990101", url), "sign"),
    "too much": (lambda url: url + "&x=" + "y" * 9000, "too long"),
    "what is no URL": (lambda url: url.replace("?", "?\n"), "holds what no URL holds"),
    "nothing": (lambda _: "", "one of these hosts"),
}


@pytest.mark.parametrize("lie", LIES)
def test_nothing_but_exactly_that_call_goes_to_aws(lie: str) -> None:
    world = World()
    change, said = LIES[lie]
    assert said in refusal(world, change(world.url()))
    assert not world.sts.asked


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {AUDIENCE_HEADER: AUDIENCE},
        {BINDING_HEADER: DECISION.binding},
        {AUDIENCE_HEADER: AUDIENCE, BINDING_HEADER: DECISION.binding, "x-other": "1"},
    ],
)
def test_a_signature_that_binds_less_or_more_than_it_must_is_not_shown_to_aws(
    headers: dict[str, str],
) -> None:
    world = World()
    assert "exactly these headers must be signed" in refusal(world, world.url(headers=headers))
    assert not world.sts.asked


@pytest.mark.parametrize("seconds", [121, 3600, -31])
def test_it_is_good_for_two_minutes(seconds: float) -> None:
    world = World()
    url = world.url()
    world.clock.advance(119)
    world.presigned.caller(url, DECISION)
    world = World()
    url = world.url()
    world.clock.advance(seconds)
    assert "sign it again" in refusal(world, url)


@pytest.mark.parametrize(
    ("answer", "said", "away"),
    [
        (httpx.Response(302, headers={"location": "https://evil.invalid"}), "(302)", False),
        (httpx.Response(200, text="<xml/>", headers={"content-type": "text/xml"}), "JSON", False),
        (httpx.Response(200, json={"x": "y" * 20_000}), "too much", False),
        (httpx.Response(200, json=["Arn"]), "did not answer who it is", False),
        (httpx.Response(200, json={"GetCallerIdentityResponse": None}), "who it is", False),
        (httpx.Response(503), "another door", True),
    ],
)
def test_what_else_answers_is_nobody(answer: httpx.Response, said: str, away: bool) -> None:
    asked: list[str] = []

    def answering(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        return answer

    world = World(answering)
    with pytest.raises(IamError) as error:
        world.presigned.caller(world.url(), DECISION)
    assert said in str(error.value)
    assert error.value.away is away
    assert asked == [HOST]


@pytest.fixture
def doors(tmp_path: Path) -> Doors:
    grants = [{"role": "approver", "pipelines": "shop"}]
    approvers = {ROLE: {"name": "anne-iam", "groups": ["release"], "grants": grants}}
    doors = Doors(tmp_path, iam_approvers=approvers)
    asks_a_person(doors.house)
    configuration = {"Approvers": "group:release"}
    ask = action("Ask", "Manual", configuration=configuration)
    doors.house.apply(pipeline(source(), {"name": "Gate", "actions": [ask]}))
    return doors


def posted(doors: Doors, sts: SignedSts, decision: Decision, url: str) -> httpx.Response:
    asks = Presigned(httpx.Client(transport=sts), doors.house.clock, AUDIENCE, lambda: {REGION})
    client = httpx.Client(
        transport=InProcess(create_app(doors.parts(iam=asks))), base_url="http://towpath"
    )
    body = {
        "execution": decision.execution,
        "stage": decision.stage,
        "action": decision.action,
        "result": decision.verdict,
        "summary": decision.comment,
        "evidence": decision.evidence,
        "nonce": decision.nonce,
        "url": url,
    }
    return client.post("/api/v1/iam-approvals", json=body)


def test_the_door_decides_as_the_role_once(doors: Doors) -> None:
    decision = replace(DECISION, execution=doors.house.start())
    sts = SignedSts({KEY: (SECRET, SESSION)})
    url = signed(doors.house.clock, decision)
    assert posted(doors, sts, decision, url).status_code == 204
    doors.house.settle()
    assert doors.house.texts("approval.answered") == ["Approved by anne-iam (iam): well"]
    again = posted(doors, sts, decision, url)
    assert (again.status_code, "used already" in again.text) == (409, True)


def test_the_door_refuses_whom_nobody_named_and_what_is_not_understood(doors: Doors) -> None:
    decision = replace(DECISION, execution=doors.house.start())
    url = signed(doors.house.clock, decision)
    before = doors.events()
    stranger = SignedSts({KEY: (SECRET, SESSION.replace("Release", "Other"))})
    answer = posted(doors, stranger, decision, url)
    assert (
        answer.status_code,
        "fits arn:aws:sts::444455556666:assumed-role/Other" in answer.text,
    ) == (403, True)
    sts = SignedSts({KEY: (SECRET, SESSION)})
    forged = replace(decision, comment="changed")
    assert posted(doors, sts, forged, url).status_code == 401
    assert posted(doors, sts, replace(decision, nonce="short"), url).status_code == 422
    assert posted(doors, sts, decision, "x" * 20_000).status_code == 413
    assert doors.client(None).post("/api/v1/iam-approvals", json={}).status_code == 422
    assert doors.events() == before
