"""Live pages: the stream of fragments, over a real socket."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from starlette.routing import Mount

from controlplane.console import live, words
from controlplane.console.csrf import unmasked
from controlplane.console.session import COOKIE, session_in
from controlplane.store import sessions
from controlplane.store.roles import Role
from tests.support.doors import Doors, served
from tests.support.house import ANNE

EVENTS = "/console/pipelines/shop/events"


@pytest.fixture
def doors(tmp_path: Path) -> Doors:
    return Doors(tmp_path)


def messages(answer: httpx.Response) -> Iterator[str]:
    """The data of each message."""
    lines: list[str] = []
    for line in answer.iter_lines():
        if line.startswith("data: "):
            lines.append(line.removeprefix("data: "))
        elif not line:
            yield "\n".join(lines)
            lines.clear()


@contextmanager
def watched(doors: Doors, role: Role = Role.APPROVER) -> Iterator[httpx.Response]:
    """The open stream of the page, for a browser of this role."""
    cookies = dict(doors.browser(role).cookies)
    with (
        served(doors.app) as url,
        httpx.Client(base_url=url, cookies=cookies, timeout=10) as client,
        client.stream("GET", EVENTS) as answer,
    ):
        yield answer


def test_a_change_comes_as_the_pages_own_fragment(doors: Doors) -> None:
    execution = doors.waits_for_approval()
    decide = doors.house.commands.decide_approval
    with watched(doors) as answer:
        seen = messages(answer)
        assert "<strong>Ask</strong> waits for a person" in next(seen)
        decide(execution, "Gate", "Ask", ANNE, approve=True, summary="yes")
        doors.house.settle()
        changed = next(part for part in seen if "Approved by anne (api): yes" in part)
    assert "<strong>Ask</strong> waits for a person" not in changed
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert not changed.startswith("<!doctype")


def test_each_session_gets_its_own_forms(doors: Doors) -> None:
    doors.waits_for_approval()
    pages = {}
    for role in (Role.VIEWER, Role.APPROVER, Role.RELEASE_MANAGER, Role.ADMIN):
        with watched(doors, role) as answer:
            pages[role] = next(messages(answer))
    csrf = {role: page.split('name="csrf" value="')[-1][:128] for role, page in pages.items()}
    assert "<form" not in pages[Role.VIEWER]
    assert "Stop it" in pages[Role.RELEASE_MANAGER]
    assert len({unmasked(one) for one in csrf.values()} - {""}) == 2
    assert "Stop it" not in pages[Role.APPROVER]


def test_the_stream_is_for_the_signed_in(doors: Doors) -> None:
    assert doors.client(None).get(EVENTS).status_code == 401


def test_a_stream_ends_with_its_session_and_leaves_no_drawing(
    doors: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    doors.waits_for_approval()
    cookie = doors.browser(Role.VIEWER).cookies[COOKIE]
    console = next(route for route in doors.app.routes if isinstance(route, Mount))
    known = console.app.state.live  # type: ignore[attr-defined]
    monkeypatch.setattr(live, "BEAT", 0.01)
    monkeypatch.setattr(live, "TICK", 0.02)

    async def look() -> list[bytes]:
        stream = known.stream("shop", session_in(known._desk, cookie), cookie)
        await anext(stream)
        assert len(known._drawings) == 1
        with doors.house.database.begin() as connection:
            assert sessions.end(connection, cookie.partition(".")[0], 0.0)
        return [part async for part in stream]

    assert (asyncio.run(look()), known.open, known._drawings) == ([], 0, {})


def test_one_page_too_many_is_told_to_reload_by_hand(doors: Doors) -> None:
    console = next(route for route in doors.app.routes if isinstance(route, Mount))
    console.app.state.live.open = 500  # type: ignore[attr-defined]
    assert doors.browser().get("/pipelines/shop/events").status_code == 429


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (59, "59 s"), (60, "1 min"), (80, "1 min 20 s"), (3_660, "1 h 1 min")],
)
def test_how_long_something_took_is_told_in_two_units(seconds: int, said: str) -> None:
    began = "2026-01-05T09:00:00.000Z"
    now = words.at(began) + timedelta(seconds=seconds)
    assert words.lasted(began, None, now) == said


def test_a_line_needs_two_numbers_and_stays_in_its_box() -> None:
    assert words.sparkline([1.0, None]) == ""
    points = [tuple(map(float, p.split(","))) for p in words.sparkline([3, None, 1, 3]).split()]
    assert [x for x, _ in points] == [0, 60, 120]
    assert points[0][1] == points[2][1] == 2 and points[1][1] == 22
