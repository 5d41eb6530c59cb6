import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.clock import ManualClock
from monitors.base import MonitorError, Outcome, Progress
from monitors.checks.http import HttpJourney
from monitors.checks.http_steps import MISSING, at, steps
from tests.support.loopback import Answer, Request, loopback
from tests.support.watched import NOW, task

Answering = Callable[[Request], Answer]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
)


def walk(answer: Answering, *declared: dict[str, Any], **more: str) -> Progress:
    """What one look at a journey on a server that answers so finds."""
    with loopback(answer) as server, httpx.Client() as http:
        journey = HttpJourney(http, lambda: NOW, {"shop": f"{server.url}/base/"})
        one = task({"Steps": json.dumps(declared), "Site": "shop", **more})
        assert journey.start(one).outcome is Outcome.RUNNING
        found = journey.look([one])["t1"]
    assert isinstance(found, Progress)
    return found


def said(body: Any, status: int = 200, **headers: str) -> Answering:
    return lambda _: Answer(status, json.dumps(body).encode(), headers)


def test_a_journey_whose_steps_all_answer_as_expected_succeeds() -> None:
    asked: list[Request] = []

    def shop(request: Request) -> Answer:
        asked.append(request)
        return Answer(201, b'{"order": {"items": [{"id": 7}]}}')

    order = {
        "name": "order",
        "method": "POST",
        "url": "/orders",
        "headers": {"X-Test": "1"},
        "body": {"id": 7},
        "expect": {"status": 201, "json": {"order.items.0.id": 7}, "contains": "items"},
    }
    found = walk(shop, order, {"url": "health"})
    assert (found.outcome, found.summary) == (Outcome.SUCCEEDED, "all 2 steps answered as expected")
    assert [request.path for request in asked] == ["/base/orders", "/base/health"]
    assert (asked[0].method, asked[0].body) == ("POST", b'{"id": 7}')
    assert asked[0].headers["X-Test"] == "1"


@pytest.mark.parametrize(
    ("expect", "told"),
    [
        ({"status": 200}, "step 1 (home): expected status 200, got 503"),
        ({}, "expected status 200 to 299, got 503"),
        ({"status": [503], "json": {"up": True}}, "expected up = true, got false"),
        ({"status": 503, "json": {"up": 0}}, "expected up = 0, got false"),
        ({"status": 503, "json": {"a.b": 1}}, "expected a.b = 1, got nothing there"),
        ({"status": 503, "contains": "well"}, "expected 'well' in the body"),
    ],
)
def test_a_step_that_goes_wrong_names_itself_what_was_expected_and_got(
    expect: dict[str, Any], told: str
) -> None:
    found = walk(said({"up": False}, 503), {"name": "home", "url": "/", "expect": expect})
    assert found.outcome is Outcome.FAILED
    assert told in found.summary


def test_later_steps_are_not_walked_after_one_went_wrong() -> None:
    asked: list[str] = []

    def broken(request: Request) -> Answer:
        asked.append(request.path)
        return Answer(500)

    assert walk(broken, {"url": "/one"}, {"url": "/two"}).outcome is Outcome.FAILED
    assert asked == ["/base/one"]


def test_a_slow_answer_is_told_in_milliseconds() -> None:
    clock = ManualClock()

    def slow(_: Request) -> Answer:
        clock.advance(0.3)
        return Answer(200)

    step = {"url": "/", "expect": {"maxLatencyMs": 250}}
    with loopback(slow) as server, httpx.Client() as http:
        journey = HttpJourney(http, clock, {})
        one = task({"Steps": json.dumps([step]), "BaseUrl": server.url})
        found = journey.look([one])["t1"]
    assert isinstance(found, Progress)
    assert "within 250 ms, got it after 300 ms" in found.summary


def test_a_journey_may_fail_at_first_and_is_tried_again_while_its_time_lasts() -> None:
    found = walk(said({}, 503), {"url": "/"}, Attempts="10", Every="10s")
    assert found.outcome is Outcome.RUNNING
    assert found.look_after == timedelta(seconds=10)
    assert "got 503; again in 10s" in found.summary
    assert walk(said({}, 503), {"url": "/"}, Attempts="3", Every="10s").outcome is Outcome.FAILED


def test_redirects_are_followed_only_where_the_step_says_so() -> None:
    def moved(request: Request) -> Answer:
        where = {"Location": "/new", "Set-Cookie": "a=b"}
        return Answer(200) if request.path == "/new" else Answer(302, headers=where)

    assert "got 302" in walk(moved, {"url": "/"}).summary
    found = walk(moved, {"url": "/", "followRedirects": True})
    assert found.outcome is Outcome.SUCCEEDED


def test_a_redirect_to_the_machines_credentials_is_not_followed() -> None:
    astray = {"Location": "http://169.254.169.254/latest/meta-data/"}
    found = walk(lambda _: Answer(302, headers=astray), {"url": "/", "followRedirects": True})
    assert found.outcome is Outcome.FAILED
    assert "link-local" in found.summary


def test_one_journeys_cookies_are_not_sent_by_another() -> None:
    asked: list[Request] = []

    def shop(request: Request) -> Answer:
        asked.append(request)
        return Answer(200, headers={"Set-Cookie": "session=1"})

    walk(shop, {"url": "/"}, {"url": "/"})
    assert all("Cookie" not in request.headers for request in asked)


def test_a_body_without_end_is_cut_off() -> None:
    found = walk(lambda _: Answer(200, b"x" * (1024 * 1024 + 1)), {"url": "/"})
    assert "larger than 1048576 bytes" in found.summary


def failing(error: type[httpx.TransportError]) -> str:
    def fail(request: httpx.Request) -> httpx.Response:
        raise error("made up", request=request)

    with httpx.Client(transport=httpx.MockTransport(fail)) as http:
        journey = HttpJourney(http, lambda: NOW, {})
        found = journey.look([task({"Steps": '[{"url": "http://127.0.0.1/"}]'})])["t1"]
    assert isinstance(found, Progress)
    assert found.outcome is Outcome.FAILED
    return found.summary


def test_a_site_that_is_away_or_does_not_answer_fails_the_journey() -> None:
    assert "expected an answer, got ConnectError" in failing(httpx.ConnectError)
    assert "expected an answer within 10s, got none" in failing(httpx.ReadTimeout)


def test_a_look_takes_no_longer_than_ten_seconds_at_many_slow_steps() -> None:
    clock = ManualClock()

    def slow(_: httpx.Request) -> httpx.Response:
        clock.advance(4)
        return httpx.Response(200)

    with httpx.Client(transport=httpx.MockTransport(slow)) as http:
        journey = HttpJourney(http, clock, {})
        steps = json.dumps([{"url": "http://127.0.0.1/"}] * 9)
        found = journey.look([task({"Steps": steps}), task({"Steps": steps}, "t2")])
    assert clock() - NOW <= timedelta(seconds=12)
    first, second = found["t1"], found["t2"]
    assert isinstance(first, Progress)
    assert "took longer than 10s" in first.summary
    assert isinstance(second, Progress)
    assert second.outcome is Outcome.RUNNING


@pytest.mark.parametrize(
    ("declared", "told"),
    [
        ([], "has no step"),
        ([{"url": "x"}], "neither BaseUrl nor Site"),
        ([{"url": "http://[fe80::1]/"}], "link-local"),
        ([{"url": "http://h/", "method": "BREW"}], "method 'BREW'"),
        ([{"url": "http://h/", "expects": {}}], "'expects' is not known"),
        ([{"url": "http://h/", "expect": {"body": 1}}], "'body' is not known"),
        ([{"url": "http://h/", "expect": {"status": "200"}}], "no HTTP status"),
        ([{"url": "http://h/", "expect": {"maxLatencyMs": "1s"}}], "milliseconds"),
        ([{"url": "http://h/", "expect": {"contains": ""}}], "contains is no text"),
        ([{"url": 1}], "url is 1: that is no str"),
        ([{"url": "http://h/"}] * 21, "at most 20"),
    ],
)
def test_a_wrong_journey_is_refused_before_anything_is_asked(declared: Any, told: str) -> None:
    with (
        httpx.Client() as http,
        pytest.raises(MonitorError, match=told.replace("[", r"\[")) as raised,
    ):
        HttpJourney(http, lambda: NOW, {}).start(task({"Steps": json.dumps(declared)}))
    assert raised.value.permanent


@pytest.mark.parametrize(
    ("more", "told"),
    [({"Site": "x"}, "no site 'x'"), ({"Timeout": "11s"}, "1s to 10s"), ({"Every": "x"}, "Every")],
)
def test_a_wrong_setting_is_refused_too(more: dict[str, str], told: str) -> None:
    with httpx.Client() as http, pytest.raises(MonitorError, match=told):
        HttpJourney(http, lambda: NOW, {}).start(
            task({"Steps": '[{"url": "http://127.0.0.1/"}]', **more})
        )


@given(JSON, st.text(max_size=10))
def test_any_path_into_any_json_leads_somewhere_or_nowhere(data: Any, path: str) -> None:
    found = at(data, path)
    assert found is MISSING or found in (data, data) or json.dumps(found) in json.dumps(data)


@given(JSON)
def test_any_steps_are_read_or_refused_with_a_sentence(declared: Any) -> None:
    try:
        found = steps({"Steps": json.dumps([declared])}, "http://127.0.0.1")
    except ValueError as error:
        assert "Steps" in str(error)  # noqa: PT017
    else:
        assert len(found) == 1
