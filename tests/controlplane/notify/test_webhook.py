"""The webhook: signed, bounded in time, never led elsewhere."""

import binascii
import json
from collections.abc import Iterator
from datetime import datetime
from email.utils import format_datetime

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.notify.base import NotifyError
from controlplane.notify.webhook import WebhookNotifier, retry_after, signed
from tests.controlplane.notify.notes import NOW, note
from tests.support.loopback import Answer, Loopback, Request, loopback

SECRET = "a-secret-of-the-team"


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    # A client that would follow: the notifier itself has to say that it may not.
    with httpx.Client(follow_redirects=True) as client:
        yield client


def send(http: httpx.Client, answer: Answer, secret: str = SECRET) -> Loopback:
    with loopback(lambda _: answer) as server:
        notifier = WebhookNotifier(http, lambda: NOW, {"HOOK": secret})
        assert notifier.send(note(), {"Url": f"{server.url}/hook", "SecretEnv": "HOOK"}, "") == ""
    return server


def header(request: Request, name: str) -> str:
    return httpx.Headers(dict(request.headers))[name]


def test_the_document_is_posted_with_its_signature(http: httpx.Client) -> None:
    [request] = send(http, Answer(204)).requests
    assert (request.method, request.path) == ("POST", "/hook")
    assert json.loads(request.body)["kind"] == "stage.failed"
    expected = signed("evt_1", NOW, request.body, SECRET.encode())
    assert {name: header(request, name) for name in expected} == expected


def test_the_signature_is_that_of_the_specifications_example() -> None:
    # https://github.com/standard-webhooks/standard-webhooks: the vector of its libraries' tests.
    at = datetime.fromtimestamp(1614265330, NOW.tzinfo)
    key = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    headers = signed("msg_p5jXN8AQM9LWM0D4loKWxJek", at, b'{"test": 2432232314}', _decoded(key))
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_secret_in_the_standards_spelling_is_decoded(http: httpx.Client) -> None:
    [request] = send(http, Answer(200), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").requests
    expected = signed("evt_1", NOW, request.body, _decoded("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
    assert header(request, "webhook-signature") == expected["webhook-signature"]


def test_an_id_that_would_break_the_signed_text_is_hashed() -> None:
    assert "." not in signed("a.b\r\nc", NOW, b"", b"k")["webhook-id"]


@pytest.mark.parametrize(
    ("status", "permanent"),
    [(408, False), (429, False), (500, False), (503, False), (400, True), (404, True), (410, True)],
)
def test_the_status_decides_whether_to_try_again(
    http: httpx.Client, status: int, *, permanent: bool
) -> None:
    with pytest.raises(NotifyError, match=str(status)) as caught:
        send(http, Answer(status))
    assert caught.value.permanent is permanent


def test_a_redirect_is_not_followed(http: httpx.Client) -> None:
    with loopback(lambda _: Answer(200)) as elsewhere:
        with pytest.raises(NotifyError, match="Set Url to where it leads") as caught:
            send(http, Answer(307, headers={"Location": elsewhere.url}))
        assert elsewhere.requests == []
    assert caught.value.permanent


def test_the_receiver_says_when_to_come_back(http: httpx.Client) -> None:
    with pytest.raises(NotifyError) as caught:
        send(http, Answer(503, headers={"Retry-After": "12"}))
    assert caught.value.retry_after == 12.0


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("999999", 3600.0),
        (format_datetime(NOW.replace(minute=2), usegmt=True), 120.0),
        (format_datetime(NOW.replace(hour=1), usegmt=True), 0.0),
        ("", None),
        ("-5", None),
        ("soon", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_a_date(value: str, seconds: float | None) -> None:
    assert retry_after(value, NOW) == seconds


@given(st.text())
def test_no_retry_after_breaks_the_reading(value: str) -> None:
    assert 0 <= (retry_after(value, NOW) or 0) <= 3600


@pytest.mark.parametrize(
    ("url", "mend"),
    [
        ("http://example.com/hook", "must use https"),
        ("http://169.254.169.254/latest", "must use https"),
        ("http://127.0.0.1.example.com/", "must use https"),
        ("ftp://example.com/", "must begin with https"),
        ("", "must begin with https"),
        ("https://example.com:port/", "can not be read"),
    ],
)
def test_an_address_that_is_not_safe_is_refused(http: httpx.Client, url: str, mend: str) -> None:
    with pytest.raises(NotifyError, match=mend) as caught:
        WebhookNotifier(http, lambda: NOW, {"HOOK": "s"}).send(
            note(), {"Url": url, "SecretEnv": "HOOK"}, ""
        )
    assert caught.value.permanent


@pytest.mark.parametrize(
    ("name", "mend"),
    [("", "needs SecretEnv"), ("UNSET", "set the environment variable"), ("BAD", "not base64")],
)
def test_nothing_is_sent_unsigned(http: httpx.Client, name: str, mend: str) -> None:
    environ = {"BAD": "whsec_!!not-base64!!"}
    with loopback(lambda _: Answer(200)) as server:
        with pytest.raises(NotifyError, match=mend) as caught:
            WebhookNotifier(http, lambda: NOW, environ).send(
                note(), {"Url": server.url, "SecretEnv": name}, ""
            )
        assert server.requests == []
    assert caught.value.permanent
    assert "not-base64!!" not in str(caught.value)


def test_a_receiver_that_is_not_there_is_tried_again(http: httpx.Client) -> None:
    with loopback(lambda _: Answer(200)) as server:
        url = server.url
    with pytest.raises(NotifyError, match="can not be reached") as caught:
        WebhookNotifier(http, lambda: NOW, {"HOOK": "s"}).send(
            note(), {"Url": f"{url}/hook?key=in-the-url", "SecretEnv": "HOOK"}, ""
        )
    assert not caught.value.permanent
    assert "in-the-url" not in str(caught.value)


def _decoded(base64: str) -> bytes:
    return binascii.a2b_base64(base64)
