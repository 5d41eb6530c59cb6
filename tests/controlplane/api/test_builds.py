"""JWTs of builds at the REST door: what is taken, and what is refused in words."""

import base64
import hmac
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from controlplane.identity.attempts import MOST
from controlplane.store import audit
from tests.support.house import deploying, pipeline, source
from tests.support.signing_in import AUDIENCE, Signing

RUN = "/api/v1/pipelines/{}/executions"
SCHEMA = "/api/v1/schema"


@pytest.fixture
def doors(tmp_path: Path) -> Signing:
    doors = Signing(tmp_path)
    for name in ("shop", "till"):
        doors.house.apply(pipeline(source(), deploying("Prod"), name=name))
    return doors


def asks(doors: Signing, token: str, method: str = "GET", path: str = SCHEMA) -> httpx.Response:
    headers = {"authorization": f"Bearer {token}"}
    return doors.client(None).request(method, path, headers=headers)


def test_a_build_does_what_its_rule_grants_and_no_more(doors: Signing) -> None:
    token = doors.build()
    assert asks(doors, token, "POST", RUN.format("shop")).status_code == 201
    assert asks(doors, token, "POST", RUN.format("till")).status_code == 403
    with doors.house.database.read() as connection:
        kinds = [(one["kind"], one["who"]) for one in audit.entries(connection)]
    assert kinds.count(("jwt.accepted", "build of acme/shop")) == 1
    assert ("execution.started", "build of acme/shop") in kinds


@pytest.mark.parametrize(
    ("claims", "status", "said"),
    [
        ({"aud": "https://other.example"}, 401, "audience"),
        ({"aud": ["https://other.example"]}, 401, "audience"),
        ({"iss": "https://evil.example"}, 401, "not in TOWPATH_JWT_ISSUERS"),
        ({"exp": 1}, 401, "expired"),
        ({"exp": None}, 401, "lacks a claim"),
        ({"exp": float("nan")}, 401, "a claim is not what it must be (exp)"),
        ({"nbf": 2**40}, 401, "not valid yet"),
        ({"iat": 2**40}, 401, "not valid yet"),
        ({"sub": None}, 401, "lacks a claim"),
        ({"ref": "refs/heads/topic"}, 403, "no rule"),
        ({"ref": ["refs/heads/main"]}, 403, "no rule"),
        ({"repository": "evil/shop"}, 403, "no rule"),
        ({"more": "x" * 9000}, 401, "over 8192 bytes"),
    ],
)
def test_a_jwt_that_does_not_fit_is_refused_in_words(
    doors: Signing, claims: dict[str, Any], status: int, said: str
) -> None:
    answer = asks(doors, doors.build(**claims))
    assert (answer.status_code, said in answer.json()["detail"]) == (status, True)


def part(document: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).decode().rstrip("=")


def claims_of(doors: Signing) -> tuple[dict[str, Any], str]:
    header, claims, _ = doors.build().split(".")
    read = json.loads(base64.urlsafe_b64decode(claims + "=="))
    return read, json.loads(base64.urlsafe_b64decode(header + "=="))["kid"]


def test_nobody_signs_for_the_issuer(doors: Signing) -> None:
    claims, kid = claims_of(doors)
    other = RSAKey.generate_key(2048)
    public = doors.provider._keys[0][1].as_pem(private=False)
    said = f"{part({'alg': 'HS256', 'kid': kid})}.{part(claims)}"
    confused = hmac.digest(public, said.encode(), "sha256")
    forged = {
        "genuine": jwt.encode({"alg": "RS256", "kid": kid}, claims, other),
        "does not publish": jwt.encode({"alg": "RS256", "kid": "another"}, claims, other),
        "RS256 or ES256": f"{said}.{base64.urlsafe_b64encode(confused).decode()}",
        "signed by": f"{part({'alg': 'none', 'kid': kid})}.{part(claims)}.",
        "crit": f"{part({'alg': 'RS256', 'kid': kid, 'crit': ['x']})}.{part(claims)}.AA",
        "algorithm": f"{part({'alg': 'ES256', 'kid': kid})}.{part(claims)}.AA",
        "no key (kid)": f"{part({'alg': 'RS256'})}.{part(claims)}.AA",
        "can not be read": "e30.!.x",
    }
    for words, token in forged.items():
        answer = asks(doors, token)
        assert (answer.status_code, words in answer.json()["detail"]) == (401, True), words


def test_a_changed_claim_is_not_what_was_signed(doors: Signing) -> None:
    header, _, signature = doors.build().split(".")
    claims, _ = claims_of(doors)
    token = f"{header}.{part({**claims, 'repository': 'acme/till'})}.{signature}"
    assert "not genuine" in asks(doors, token).json()["detail"]


def test_a_new_key_is_asked_for_once_a_minute_at_most(doors: Signing) -> None:
    assert asks(doors, doors.build()).status_code == 200
    doors.house.clock.advance(61)
    doors.provider.rotate()
    assert asks(doors, doors.build()).status_code == 200
    asked = doors.provider.asked_for_keys
    doors.provider.rotate()
    assert {asks(doors, doors.build()).status_code for _ in range(3)} == {401}
    assert doors.provider.asked_for_keys == asked
    doors.house.clock.advance(61)
    assert asks(doors, doors.build()).status_code == 200


def test_keys_are_kept_and_one_that_was_withdrawn_counts_for_an_hour_at_most(
    doors: Signing,
) -> None:
    old = doors.build(exp=2**40)
    assert {asks(doors, old).status_code for _ in range(3)} == {200}
    assert doors.provider.asked_for_keys == 1
    doors.provider.rotate()
    doors.house.clock.advance(3600)
    assert asks(doors, old).status_code == 401


def test_a_token_of_ours_is_taken_beside_them(doors: Signing) -> None:
    assert doors.client().get(SCHEMA).status_code == 200
    assert doors.provider.asked_for_keys == 0
    assert AUDIENCE not in doors.client().get("/api/v1/tokens").text


def test_an_issuer_that_is_ill_is_no_failure_of_the_builds(doors: Signing) -> None:
    doors.provider.ill = True
    token = doors.build()
    assert {asks(doors, token).status_code for _ in range(MOST + 1)} == {503}
