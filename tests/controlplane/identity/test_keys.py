"""The keys of an issuer: which count, and what is said where it does not answer as it should."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from controlplane.identity import asking
from controlplane.identity.errors import IdentityError
from controlplane.identity.keys import CALM, Issuer
from controlplane.identity.verify import verify

URL = "https://id.example"
CLAIMS = {"iss": URL, "aud": "t", "sub": "a", "iat": 0, "exp": 100}
Answer = Callable[[httpx.Request], httpx.Response]


class Time:
    at = 0.0

    def __call__(self) -> float:
        return self.at


def issuer(answer: Answer, time: Callable[[], float] = lambda: 0.0) -> Issuer:
    return Issuer(httpx.Client(transport=httpx.MockTransport(answer)), URL, time)


def publishes(*keys: dict[str, Any]) -> Answer:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/jwks":
            return httpx.Response(200, json={"keys": list(keys)})
        return httpx.Response(200, json={"issuer": URL, "jwks_uri": f"{URL}/jwks"})

    return answer


def test_es256_is_taken() -> None:
    key = ECKey.generate_key("P-256")
    there = issuer(publishes({**key.as_dict(private=False), "kid": "k"}))
    token = jwt.encode({"alg": "ES256", "kid": "k"}, CLAIMS, key)
    assert verify(token, there, "t", 10.0)["sub"] == "a"
    with pytest.raises(IdentityError, match="expired"):
        verify(token, there, "t", 161.0)


@pytest.mark.parametrize(
    "key",
    [
        ECKey.generate_key("P-521").as_dict(private=False),
        {"kty": "oct", "k": "c2VjcmV0"},
        {"kty": "RSA", "n": "AQAB", "e": "AQAB"},
        {"kty": "RSA"},
        {**RSAKey.generate_key(2048).as_dict(private=False), "use": "enc"},
    ],
)
def test_a_key_that_signs_nothing_we_take_is_refused(key: dict[str, Any]) -> None:
    with pytest.raises(IdentityError, match="none that counts"):
        issuer(publishes({**key, "kid": "k"})).key("k")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (httpx.Response(500), "answers 500"),
        (httpx.Response(200, text="<html>"), "nothing that can be read"),
        (httpx.Response(302, headers={"location": "https://evil.example"}), "302"),
        (httpx.Response(200, content=b" " * 300_000), "over 262144 bytes"),
        (httpx.Response(200, json={"issuer": "https://evil.example"}), "another issuer"),
        (httpx.Response(200, json={"issuer": URL}), "no jwks_uri"),
        (httpx.Response(200, json={"issuer": URL, "jwks_uri": "http://a.example/"}), "https"),
    ],
)
def test_an_issuer_that_does_not_answer_as_it_should_is_named(
    answer: httpx.Response, said: str
) -> None:
    with pytest.raises(IdentityError, match=said) as found:
        issuer(lambda _: answer).key("k")
    assert found.value.status == 503


def test_an_issuer_that_is_down_is_asked_again_later_and_its_keys_count_until_then() -> None:
    key, time, down = RSAKey.generate_key(2048), Time(), [False]
    there = publishes({**key.as_dict(private=False), "kid": "k"})

    def answer(request: httpx.Request) -> httpx.Response:
        if down[0]:
            raise httpx.ConnectError("down")
        return there(request)

    known = issuer(answer, time)
    assert isinstance(known.key("k"), RSAKey)
    down[0], time.at = True, 4_000.0
    assert isinstance(known.key("k"), RSAKey)
    time.at = 100_000.0
    with pytest.raises(IdentityError, match="cannot be asked") as found:
        known.key("k")
    assert found.value.status == 503
    with pytest.raises(IdentityError, match="not known"):
        known.key("k")
    down[0], time.at = False, time.at + CALM
    assert isinstance(known.key("k"), RSAKey)


def test_an_issuer_that_drips_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "MOST_SECONDS", -1.0)
    there = issuer(lambda _: httpx.Response(200, json={"issuer": URL}))
    with pytest.raises(IdentityError, match="takes over") as found:
        there.key("k")
    assert found.value.status == 503


def test_who_begins_sign_ins_makes_no_hammer_of_us() -> None:
    time, asked, down = Time(), [0], [True]

    def answer(_: httpx.Request) -> httpx.Response:
        asked[0] += 1
        if down[0]:
            raise httpx.ConnectError("down")
        return httpx.Response(200, json={"issuer": URL, "authorization_endpoint": f"{URL}/a"})

    there = issuer(answer, time)
    for _ in range(20):
        with pytest.raises(IdentityError, match="cannot be asked") as found:
            there.endpoint("authorization_endpoint")
        assert found.value.status == 503
    assert asked == [1]
    down[0], time.at = False, 5.0
    assert there.endpoint("authorization_endpoint") == f"{URL}/a"
    time.at += 50.0
    assert there.metadata() and asked == [2]
