import json
from datetime import timedelta
from math import isfinite
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.breaker import OPENS_AFTER
from monitors.base import MonitorError, Query, Series
from monitors.signals.prometheus import Prometheus, grid, parse
from tests.support.loopback import Answer, Loopback, loopback
from tests.support.watched import NOW, at, query, recorded

JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
)


def matrix(*results: Any, **more: Any) -> bytes:
    data = {"resultType": "matrix", "result": list(results)}
    return json.dumps({"status": "success", "data": data, **more}).encode()


def values(*pairs: tuple[float, str]) -> dict[str, Any]:
    return {"metric": {"job": "shop"}, "values": [[NOW.timestamp() + t, v] for t, v in pairs]}


def ask(key: str = "q", **configuration: str) -> Query:
    rule = {"Query": "sum(up)", "Prometheus": "default", "Step": "15s", "Threshold": "1"}
    return query(key, {**rule, **configuration})


def read(server: Loopback, *asks: Query, **environ: str) -> Any:
    with httpx.Client() as http:
        made = Prometheus(http, lambda: NOW, {"default": f"{server.url}/"}, environ)
        return made.read(asks or [ask()])


def test_a_range_is_asked_on_a_grid_that_ends_at_the_look() -> None:
    with loopback(lambda _: Answer(200, matrix(values((-15, "0.5"), (0, "0.25"))))) as server:
        found = read(server)["q"]
    assert [point.value for point in found.points] == [0.5, 0.25]
    asked = parse_qs(urlsplit(server.requests[0].path).query)
    assert asked["query"] == ["sum(up)"]
    assert float(asked["end"][0]) == pytest.approx(NOW.timestamp() - 0.001)
    assert (float(asked["end"][0]) - float(asked["start"][0])) % 15 == pytest.approx(0, abs=1e-6)


def test_nan_and_infinity_are_no_points() -> None:
    found = parse(200, matrix(values((0, "NaN"), (1, "+Inf"), (2, "-Inf"), (3, "1"))))
    assert [point.value for point in found.points] == [1.0]


def test_an_empty_answer_is_silence() -> None:
    assert parse(200, matrix()) == Series()


def test_several_series_must_be_made_one() -> None:
    with pytest.raises(MonitorError, match=r"2 series: make one of them, as by sum") as raised:
        parse(200, matrix(values((0, "1")), values((0, "2"))))
    assert raised.value.permanent


def test_a_warning_says_that_the_answer_is_not_whole() -> None:
    found = parse(200, matrix(values((0, "1")), warnings=["store eu-2 is away"]))
    assert (found.complete, found.note) == (False, "store eu-2 is away")


def test_a_bad_query_is_permanent_and_its_error_is_told() -> None:
    body = b'{"status":"error","errorType":"bad_data","error":"unexpected end of input"}'
    with loopback(lambda _: Answer(400, body)) as server:
        found = read(server)["q"]
    assert found.permanent
    assert "unexpected end of input" in str(found)


@pytest.mark.parametrize(
    ("status", "permanent"), [(503, False), (502, False), (422, False), (404, True)]
)
def test_a_server_in_trouble_is_unreachable(status: int, permanent: bool) -> None:
    with loopback(lambda _: Answer(status, b"<html>")) as server:
        found = read(server)["q"]
    assert isinstance(found, MonitorError)
    assert found.permanent is permanent


def test_where_nobody_listens_only_one_query_is_tried() -> None:
    tried: list[httpx.Request] = []

    def refuse(request: httpx.Request) -> httpx.Response:
        tried.append(request)
        raise httpx.ConnectError("refused", request=request)

    with httpx.Client(transport=httpx.MockTransport(refuse)) as http:
        made = Prometheus(http, lambda: NOW, {"default": "http://127.0.0.1:9"}, {})
        found = made.read([ask(str(place)) for place in range(9)])
    assert len(tried) == 1
    assert all(isinstance(one, MonitorError) and not one.permanent for one in found.values())


def test_a_slow_query_is_an_error_that_may_pass_and_spoils_no_other() -> None:
    def slow(request: httpx.Request) -> httpx.Response:
        if "slow" in str(request.url):
            raise httpx.ReadTimeout("too slow", request=request)
        return httpx.Response(200, content=matrix(values((0, "1"))))

    with httpx.Client(transport=httpx.MockTransport(slow)) as http:
        made = Prometheus(http, lambda: NOW, {"default": "http://127.0.0.1:9"}, {})
        found = made.read([ask("slow", Query="slow"), ask("quick")])
    assert isinstance(found["slow"], MonitorError)
    assert not found["slow"].permanent
    assert isinstance(found["quick"], Series)


def test_an_answer_without_end_is_cut_off() -> None:
    with loopback(lambda _: Answer(200, b" " * (4 * 1024 * 1024 + 1))) as server:
        found = read(server)["q"]
    assert "larger than" in str(found)


def test_the_token_comes_from_the_environment_and_is_told_to_nobody() -> None:
    with loopback(lambda _: Answer(403, b"{}")) as server:
        found = read(server, ask(TokenEnv="PROM_TOKEN"), PROM_TOKEN="s3cret")["q"]
    assert server.requests[0].headers["Authorization"] == "Bearer s3cret"
    assert "s3cret" not in str(found)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"Prometheus": "other"}, "no Prometheus named 'other' in the settings: default"),
        ({"Query": ""}, "Query is missing"),
        ({"Step": "0s"}, "Step is 0s"),
        ({"Url": "ftp://x"}, "no http or https"),
        ({"Url": "http://169.254.169.254"}, "link-local"),
        ({"Url": "http://me:pw@host"}, "user name or password"),
        ({"TokenEnv": "AWS_SECRET_ACCESS_KEY"}, "only variables whose name starts with PROM"),
        ({"TokenEnv": "PROM_TOKEN"}, "is not set"),
    ],
)
def test_a_wrong_rule_is_refused_before_anything_is_asked(wrong: dict[str, str], said: str) -> None:
    with httpx.Client() as http:
        made = Prometheus(http, lambda: NOW, {"default": "http://127.0.0.1:9"}, {})
        found = made.read([ask(**wrong)])["q"]
    assert isinstance(found, MonitorError)
    assert found.permanent
    assert said in str(found)


def test_a_window_shorter_than_a_step_is_one_evaluation_at_the_look() -> None:
    start, end = grid(query(start=-3), timedelta(seconds=15))
    assert start == end
    assert timedelta(0) < at(0) - end < timedelta(seconds=1)


def test_a_long_window_is_cut_to_the_newest_points() -> None:
    start, end = grid(query(start=-1_000_000), timedelta(seconds=1))
    assert (end - start) / timedelta(seconds=1) == 9_999


def test_recorded_ranges_are_read() -> None:
    folder = "series/kayenta/kayenta-prometheus__prometheus__rangeQuery"
    assert parse(200, json.dumps(recorded(f"{folder}WithoutTags.json")).encode()).points
    empty = json.dumps(recorded(f"{folder}Empty.json")).encode()
    assert parse(200, empty) == Series()


@given(st.integers(200, 599), st.binary(max_size=50) | st.builds(matrix, JSON))
def test_any_answer_is_read_or_refused_with_a_sentence(status: int, body: bytes) -> None:
    try:
        found = parse(status, body, "http://prometheus")
    except MonitorError as error:
        assert str(error)  # noqa: PT017
    else:
        assert status == 200
        assert all(isfinite(point.value) for point in found.points)


def test_a_server_that_nobody_hears_from_is_left_alone_after_a_while() -> None:
    asked: list[httpx.Request] = []

    def unheard(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        raise httpx.ConnectError("refused")

    with httpx.Client(transport=httpx.MockTransport(unheard)) as http:
        made = Prometheus(http, lambda: NOW, {"default": "http://prom.example:9090"}, {})
        found: list[Any] = [made.read([ask()])["q"] for _ in range(OPENS_AFTER + 3)]
    assert len(asked) == OPENS_AFTER
    assert "prom.example:9090 has not answered" in str(found[-1])
    assert (found[-1].permanent, found[-1].retry_after) == (False, 5.0)
