"""Backpressure: what is let in is answered, what is too much hears so at once, probes always answer."""

import asyncio
from pathlib import Path

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from controlplane.api.pressure import Bounds, Gate, Pressure, client_of
from tests.support.doors import Doors


class Held:
    """An application whose answers wait until they are let go."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.inside = 0
        self.most = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.inside += 1
        self.most = max(self.most, self.inside)
        if scope["path"] != "/healthz":
            await self.go.wait()
        self.inside -= 1
        await PlainTextResponse("done")(scope, receive, send)


async def ask(app: Pressure, path: str = "/", token: str = "") -> httpx.Response:
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://towpath"
    ) as client:
        return await client.get(path, headers={"authorization": token} if token else {})


async def crowd(ordinary: Bounds, paths: list[str], tokens: list[str]) -> tuple[Held, list[int]]:
    """All ask at once; when nobody moves any more the answers are let go."""
    held = Held()
    app = Pressure(
        held, ordinary=ordinary, waiting=Bounds(1, 1, 0), presses=Bounds(2, 9, 7, patience=60.0)
    )
    asked = [
        asyncio.create_task(ask(app, path, token))
        for path, token in zip(paths, tokens, strict=True)
    ]
    for _ in range(200):
        await asyncio.sleep(0)
    held.go.set()
    answers = await asyncio.gather(*asked)
    for answer in answers:
        assert answer.status_code != 429 or answer.headers["retry-after"] == "1"
    return held, sorted(answer.status_code for answer in answers)


def named(count: int) -> list[str]:
    return [f"client {number}" for number in range(count)]


def test_what_slack_sends_comes_from_one_address_and_is_bounded_apart() -> None:
    ordinary = Bounds(1, 1, 0)
    paths = ["/slack/interactivity"] * 10 + ["/"]
    held, answers = asyncio.run(crowd(ordinary, paths, [""] * 11))
    assert (answers.count(200), answers.count(429), held.most) == (10, 1, 3)


def test_who_finds_a_place_or_may_wait_is_answered_and_the_rest_are_refused() -> None:
    bounds = Bounds(most=2, of_one=9, queue=3, patience=9)
    held, statuses = asyncio.run(crowd(bounds, ["/"] * 8, named(8)))
    assert statuses == [200] * 5 + [429] * 3
    assert held.most == 2


def test_one_client_cannot_take_all_places() -> None:
    bounds = Bounds(most=9, of_one=2, queue=9, patience=9)
    _, statuses = asyncio.run(crowd(bounds, ["/"] * 6, ["greedy"] * 5 + ["other"]))
    assert statuses == [200] * 3 + [429] * 3


def test_who_waits_too_long_is_refused() -> None:
    bounds = Bounds(most=1, of_one=9, queue=9, patience=0)
    _, statuses = asyncio.run(crowd(bounds, ["/"] * 3, named(3)))
    assert statuses == [200, 429, 429]


def test_probes_are_never_refused() -> None:
    bounds = Bounds(most=1, of_one=1, queue=0)
    _, statuses = asyncio.run(crowd(bounds, ["/", "/healthz", "/healthz"], ["one"] * 3))
    assert statuses == [200] * 3


@pytest.mark.parametrize("path", ["/api/v1/events", "/console/pipelines/shop/events"])
def test_who_waits_for_events_takes_no_place_of_the_others(path: str) -> None:
    bounds = Bounds(most=1, of_one=1, queue=0)
    _, statuses = asyncio.run(crowd(bounds, [path, path, "/"], named(3)))
    assert statuses == [200, 200, 429]


def test_a_client_that_goes_away_gives_its_place_back() -> None:
    async def leaves() -> None:
        gate = Gate(Bounds(1, 9, 1, 9))
        async with gate.passing("a"):
            waiting = asyncio.create_task(enter(gate))
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
            assert not gate._queue
        await enter(gate)
        assert gate._inside == 0 and not gate._clients

    async def enter(gate: Gate) -> None:
        async with gate.passing("b"):
            pass

    asyncio.run(leaves())


def test_a_place_is_given_back_when_the_application_fails() -> None:
    async def fails() -> None:
        gate = Gate(Bounds(1, 1, 0))
        for _ in range(3):
            with pytest.raises(ZeroDivisionError):
                async with gate.passing("a"):
                    raise ZeroDivisionError

    asyncio.run(fails())


def test_the_doors_stand_behind_the_gate(tmp_path: Path) -> None:
    doors = Doors(tmp_path, max_requests=0)
    assert doors.client().get("/api/v1/pipelines").status_code == 429
    assert doors.client().get("/healthz").status_code == 200


def test_who_signs_each_request_anew_is_one_client() -> None:
    def said(key: str, signature: str) -> str:
        value = (
            f"AWS4-HMAC-SHA256 Credential={key}/20260101/r/s/aws4_request, Signature={signature}"
        )
        return client_of({"type": "http", "headers": [(b"authorization", value.encode())]})

    assert said("AKTPA", "1") == said("AKTPA", "2") != said("AKTPB", "1")
