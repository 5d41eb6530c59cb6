"""A token that AWS signs: of the account's own issuer, for exactly this decision, of now, once."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from controlplane.clock import ManualClock
from controlplane.iam import approvers, web_identity
from controlplane.iam.base import Caller, Decision, IamError
from controlplane.iam.web_identity import OF_AWS, WebIdentity
from controlplane.server import create_app
from controlplane.settings import IamApprover, IamIssuer, SettingError
from tests.support.doors import Doors, InProcess, asks_a_person
from tests.support.house import action, pipeline, source

OURS = "https://towpath.invalid"
ACCOUNT, OTHER = "444455556666", "777788889999"
ISSUER = "https://a1b2.tokens.sts.global.api.aws"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/Release"
SEEN = "e" * 64
DECISION = Decision("e-1", "Gate", "Ask", "Approved", SEEN, "well", "n" * 20)
SETTING = {ACCOUNT: IamIssuer(issuer=ISSUER, org="o-abcdefghij")}
RSA, EC = RSAKey.generate_key(2048), ECKey.generate_key("P-384")


class Aws:
    """A clock, an issuer with two keys, and what asks it."""

    def __init__(self, clock: ManualClock | None = None) -> None:
        self.clock = clock or ManualClock()
        self.asked: list[str] = []
        self.down = False
        http = httpx.Client(transport=httpx.MockTransport(self._answer))
        self.knows = WebIdentity(http, self.clock, OURS, SETTING)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(str(request.url))
        if self.down:
            raise httpx.ConnectTimeout("no")
        if request.url.path.endswith("jwks.json"):
            keys = [
                {**key.as_dict(private=False), "kid": kid, "use": "sig"}
                for kid, key in (("RS256", RSA), ("ES384", EC))
            ]
            return httpx.Response(200, json={"keys": keys})
        return httpx.Response(
            200, json={"issuer": ISSUER, "jwks_uri": f"{ISSUER}/.well-known/jwks.json"}
        )

    def token(
        self, decision: Decision = DECISION, algorithm: str = "ES384", key: Any = None, **more: Any
    ) -> str:
        """As AWS makes one, at this world's time; more: other claims, None for one that is not there."""
        now = int(self.clock().timestamp())
        claims = {
            "iss": ISSUER,
            "aud": decision.audience(OURS, "shop"),
            "sub": ROLE,
            "iat": now,
            "exp": now + 60,
            "jti": "j",
            OF_AWS: said(),
            **more,
        }
        kept = {name: value for name, value in claims.items() if value is not None}
        keys: dict[str, Any] = {"RS256": RSA, "ES384": EC}
        header = {"alg": algorithm, "kid": algorithm}
        return jwt.encode(header, kept, key or keys[algorithm], algorithms=[algorithm])

    def refusal(self, token: str, decision: Decision = DECISION, of: str = "shop") -> str:
        with pytest.raises(IamError) as error:
            self.knows.caller(token, decision, of)
        return str(error.value)


def said(**more: Any) -> dict[str, Any]:
    return {
        "aws_account": ACCOUNT,
        "org_id": "o-abcdefghij",
        "principal_tags": {"team": "release"},
        "request_tags": {"change": "c-1"},
        **more,
    }


@pytest.mark.parametrize("algorithm", ["RS256", "ES384"])
def test_who_asked_is_who_aws_says(algorithm: str) -> None:
    aws = Aws()
    caller = aws.knows.caller(aws.token(algorithm=algorithm), DECISION, "shop")
    assert (caller.arn, caller.account) == (ROLE, ACCOUNT)
    assert (caller.tags, caller.asked) == ({"team": "release"}, {"change": "c-1"})


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
def test_a_token_for_another_decision_is_none_for_this(other: dict[str, str]) -> None:
    aws = Aws()
    assert "its audience (aud) is not" in aws.refusal(aws.token(replace(DECISION, **other)))


LIES: dict[str, tuple[dict[str, Any], str]] = {
    "another installation": ({"aud": DECISION.audience("https://b.invalid", "shop")}, "audience"),
    "another pipeline": ({"aud": DECISION.audience(OURS, "till")}, "audience"),
    "for others, too": ({"aud": [DECISION.audience(OURS, "shop"), "https://x"]}, "for others, too"),
    "no audience": ({"aud": None}, "lacks a claim"),
    "no subject": ({"sub": None}, "lacks a claim"),
    "no time": ({"iat": None}, "lacks a claim"),
    "no end": ({"exp": None}, "lacks a claim"),
    "another account": ({OF_AWS: said(aws_account=OTHER)}, "is not of account 444455556666"),
    "no account": ({OF_AWS: None}, "is not of account 444455556666"),
    "no object": ({OF_AWS: ["x"]}, "is not of account 444455556666"),
    "a role of another": ({"sub": ROLE.replace(ACCOUNT, OTHER)}, "no IAM role or user of account"),
    "no ARN": ({"sub": "anne"}, "no IAM role or user of account"),
    "another organization": ({OF_AWS: said(org_id="o-zzzzzzzzzz")}, "not of organization"),
    "no organization": ({OF_AWS: said(org_id=None)}, "not of organization"),
}


@pytest.mark.parametrize("lie", LIES)
def test_what_a_token_says_must_all_be_so(lie: str) -> None:
    aws = Aws()
    more, because = LIES[lie]
    assert because in aws.refusal(aws.token(**more))


def test_an_issuer_that_nobody_has_set_is_never_asked() -> None:
    aws = Aws()
    own = RSAKey.generate_key(2048)
    evil = aws.token(algorithm="RS256", key=own, iss="https://evil.invalid")
    assert "not in TOWPATH_IAM_ISSUERS" in aws.refusal(evil)
    for shown in ("a.b.c", "e30", "e30.e30"):
        assert "can not be read" in aws.refusal(shown)
    assert aws.asked == []
    assert "signature is not genuine" in aws.refusal(aws.token(algorithm="RS256", key=own))


def test_a_key_signs_by_its_own_algorithm_only() -> None:
    aws = Aws()
    small = ECKey.generate_key("P-256")
    token = jwt.encode({"alg": "ES256", "kid": "ES384"}, {"iss": ISSUER}, small)
    assert "not signed by RS256 or ES384" in aws.refusal(token)
    now = int(aws.clock().timestamp())
    claims = {"iss": ISSUER, "sub": ROLE, "iat": now, "exp": now + 60, "aud": "x"}
    swapped = jwt.encode({"alg": "RS256", "kid": "ES384"}, claims, RSA)
    assert "not that of its key" in aws.refusal(swapped)


@pytest.mark.parametrize(("seconds", "because"), [(121, "expired"), (-31, "in the last")])
def test_it_is_good_for_two_minutes(seconds: float, because: str) -> None:
    aws = Aws()
    token = aws.token()
    aws.clock.advance(119)
    aws.knows.caller(token, DECISION, "shop")
    aws = Aws()
    token = aws.token()
    aws.clock.advance(seconds)
    assert because in aws.refusal(token)


def test_one_that_lives_for_an_hour_is_good_for_two_minutes_as_well() -> None:
    aws = Aws()
    token = aws.token(exp=int(aws.clock().timestamp()) + 3600)
    aws.clock.advance(121)
    assert "not made in the last 120 s" in aws.refusal(token)


def test_keys_are_asked_for_once_and_an_issuer_that_is_away_is_said_to_be() -> None:
    aws = Aws()
    aws.down = True
    with pytest.raises(IamError) as error:
        aws.knows.caller(aws.token(), DECISION, "shop")
    assert error.value.away
    aws.down = False
    aws.clock.advance(61)
    for _ in range(3):
        aws.knows.caller(aws.token(), DECISION, "shop")
    assert aws.asked[1:] == [
        f"{ISSUER}/.well-known/openid-configuration",
        f"{ISSUER}/.well-known/jwks.json",
    ]


def approver(**more: Any) -> IamApprover:
    return IamApprover.model_validate({"name": "anne", "grants": [{"role": "approver"}], **more})


def caller(arn: str = ROLE, **more: Any) -> Caller:
    return Caller(arn, ACCOUNT, "s", 0.0, **more)


def test_grants_of_all_patterns_add_up_and_the_full_name_names() -> None:
    known = {
        f"arn:aws:iam::{ACCOUNT}:role/*": approver(
            name="{name}-iam", grants=[{"role": "approver", "pipelines": "till"}], groups=["all"]
        ),
        ROLE: approver(grants=[{"role": "approver", "stages": "Test"}], groups=["release"]),
    }
    anne = approvers.of(known, caller(ROLE.replace("role/", "role/with/path/")))
    assert anne is not None
    assert (anne.arn, anne.name, *sorted(anne.groups)) == (ROLE, "anne", "all", "release")
    assert [str(one) for one in anne.grants] == ["approver on */Test", "approver on till/*"]
    other = approvers.of(known, caller(ROLE.replace("Release", "Other+1")))
    assert other is not None and other.name == "Other_1-iam"
    assert approvers.of(known, caller(ROLE.replace(ACCOUNT, OTHER))) is None
    assert approvers.of(known, caller(ROLE.replace("role/Release", "user/Release"))) is None


def test_tags_that_are_asked_for_must_be_there() -> None:
    known = {ROLE: approver(tags={"team": "rel*"}, requestTags={"change": "c-*"})}
    fits: dict[str, Any] = {"tags": {"team": "release"}, "asked": {"change": "c-1"}}
    assert approvers.of(known, caller(**fits)) is not None
    assert approvers.of(known, caller(**{**fits, "tags": {"team": "x"}})) is None
    assert approvers.of(known, caller(**{**fits, "asked": {}})) is None
    assert approvers.of(known, caller()) is None  # a pre-signed URL tells no tags


@pytest.mark.parametrize(
    ("check", "setting", "because"),
    [
        (approvers.check_settings, {ROLE: approver(grants=[{"role": "boss"}])}, "no role 'boss'"),
        (approvers.check_settings, {f"{ROLE}-*": approver()}, "its name needs {name}"),
        (web_identity.check_settings, {ACCOUNT: IamIssuer(issuer="http://a.invalid")}, "https"),
        (
            web_identity.check_settings,
            {ACCOUNT: IamIssuer(issuer=ISSUER), OTHER: IamIssuer(issuer=ISSUER)},
            "of its own",
        ),
    ],
)
def test_a_setting_that_cannot_be_is_named(
    check: Callable[[Any], None], setting: Any, because: str
) -> None:
    with pytest.raises(SettingError, match=because):
        check(setting)


@pytest.fixture
def doors(tmp_path: Path) -> Doors:
    grants = [{"role": "approver", "pipelines": "shop", "stages": "Gate"}]
    doors = Doors(tmp_path, iam_approvers={ROLE: {"name": "anne-iam", "grants": grants}})
    asks_a_person(doors.house)
    ask = action("Ask", "Manual", configuration={"Quorum": "2"})
    gates = [{"name": name, "actions": [ask]} for name in ("Gate", "Other")]
    doors.house.apply(pipeline(source(), *gates))
    return doors


def posted(doors: Doors, aws: Aws, decision: Decision, shown: str, **more: Any) -> httpx.Response:
    client = httpx.Client(
        transport=InProcess(create_app(doors.parts(iam_tokens=aws.knows))),
        base_url="http://towpath",
    )
    body = {
        "execution": decision.execution,
        "stage": decision.stage,
        "action": decision.action,
        "result": decision.verdict,
        "summary": decision.comment,
        "evidence": decision.evidence,
        "nonce": decision.nonce,
        "pipeline": "shop",
        "token": shown,
        **more,
    }
    return client.post("/api/v1/iam-approvals", json=body)


def waiting(doors: Doors) -> Decision:
    execution = doors.house.start()
    path = f"/api/v1/executions/{execution}/stages/Gate/approval"
    evidence = doors.client().get(path).json()["evidence"]
    return replace(DECISION, execution=execution, evidence=evidence)


def test_the_door_takes_a_token_once_however_it_is_written(doors: Doors) -> None:
    decision, aws = waiting(doors), Aws(doors.house.clock)
    assert posted(doors, aws, decision, aws.token(decision)).status_code == 204
    assert doors.house.texts("approval.voted") == ["Approved by anne-iam (iam): well (1 of 2)"]
    again = posted(doors, aws, decision, aws.token(decision, "RS256", jti="another"))
    assert (again.status_code, "used already" in again.text) == (409, True)


def test_the_door_decides_only_where_the_grants_reach_and_says_so_in_the_log(doors: Doors) -> None:
    decision, aws = waiting(doors), Aws(doors.house.clock)
    elsewhere = replace(decision, stage="Other")
    answer = posted(doors, aws, elsewhere, aws.token(elsewhere))
    assert (answer.status_code, "does not reach as far" in answer.text) == (403, True)
    assert "Approved by anne-iam (iam) was refused" in doors.house.texts("approval.refused")[0]
    wrong = posted(doors, aws, decision, aws.token(decision), pipeline="till")
    assert (wrong.status_code, "audience" in wrong.text) == (401, True)
    till = aws.token(decision, aud=decision.audience(OURS, "till"))
    wrong = posted(doors, aws, decision, till, pipeline="till")
    assert (wrong.status_code, "not of pipeline till" in wrong.text) == (409, True)
    assert doors.house.texts("approval.voted") == []


@pytest.mark.parametrize("lacks", [{"pipeline": ""}, {"evidence": ""}, {"token": ""}, {"url": "x"}])
def test_a_token_needs_all_that_it_is_bound_to(doors: Doors, lacks: dict[str, str]) -> None:
    aws = Aws(doors.house.clock)
    assert posted(doors, aws, DECISION, aws.token(), **lacks).status_code == 422
