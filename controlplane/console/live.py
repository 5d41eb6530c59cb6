"""Live pages: each has its stream; all share one poll, and one drawing for all who may the same.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

import asyncio
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import PlainTextResponse
from fastapi.sse import EventSourceResponse, format_sse_event

from controlplane.console.csrf import masked
from controlplane.console.desk import Desk
from controlplane.console.session import (
    COOKIE,
    GivenSession,
    Session,
    SessionRoute,
    SignedOutError,
    session_in,
)
from controlplane.console.templates import render
from controlplane.console.views import pipeline_view
from controlplane.engine.refusals import CommandError
from controlplane.engine.structures import BrokenStructureError
from controlplane.store.grants import Grants
from controlplane.store.roles import Permission

router = APIRouter(route_class=SessionRoute)

TICK = 2.0
"""Seconds after which a page is drawn again without an event: a bake goes on in silence."""
CALM = 0.4
"""Seconds that a drawing serves everybody, however many events there are."""
BEAT = 10.0
"""Seconds after which an unchanged page is sent again: the browser sees that we are there."""
LONGEST = 300.0
"""Seconds after which a stream ends: the browser comes back, and is asked anew who it is."""
MOST = 500


@dataclass(slots=True)
class _Drawing:
    """The newest rendering of a page for all who may the same. at: the loop's time. open: who looks at it."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    html: str = ""
    seen: int = -1
    at: float = float("-inf")
    open: int = 0


class Live:
    """Draws each page once for all who look at it."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._marker = secrets.token_hex(32)  # stands where each session's own CSRF token goes
        self._drawings: dict[tuple[str, Grants], _Drawing] = {}
        self.open = 0

    async def stream(self, name: str, session: Session, cookie: str) -> AsyncIterator[bytes]:
        """Answer the page's fragment whenever it changes, as unnamed messages.

        It ends with the session: whose token was revoked sees no more than a beat.
        """
        loop = asyncio.get_running_loop()
        began, sent, sent_at, seen = loop.time(), "", float("-inf"), -1
        asked, csrf = began, masked(session.csrf)
        drawing = self._drawings.setdefault((name, session.grants), _Drawing())
        drawing.open += 1
        self.open += 1
        try:
            while loop.time() - began < LONGEST:
                if loop.time() - asked >= BEAT:
                    asked = loop.time()
                    await run_in_threadpool(session_in, self._desk, cookie)
                html, seen = await self._fresh(drawing, name, session, seen)
                if html != sent or loop.time() - sent_at >= BEAT:
                    sent, sent_at = html, loop.time()
                    yield format_sse_event(data_str=html.replace(self._marker, csrf))
                seen = await self._desk.changes.after(seen, TICK)
        except SignedOutError:
            return
        finally:
            self.open -= 1
            drawing.open -= 1
            if not drawing.open:
                self._drawings.pop((name, session.grants), None)

    async def _fresh(
        self, drawing: _Drawing, name: str, session: Session, seen: int
    ) -> tuple[str, int]:
        """Answer a drawing, at most a tick old, that knows event `seen`; and what it knows."""
        loop = asyncio.get_running_loop()
        async with drawing.lock:
            age = loop.time() - drawing.at
            if age < CALM and seen > drawing.seen:
                await asyncio.sleep(CALM - age)
            if seen > drawing.seen or age >= TICK * 0.9:
                drawing.html, known = await run_in_threadpool(self._draw, name, session.grants)
                drawing.seen, drawing.at = max(known, seen), loop.time()
            return drawing.html, drawing.seen

    def _draw(self, name: str, grants: Grants) -> tuple[str, int]:
        nobody = Session(name="", grants=grants, csrf=self._marker)
        try:
            view = pipeline_view(self._desk, nobody, name)
        except (CommandError, BrokenStructureError) as error:
            return render("_gone.html", {"refusal": str(error)}), -1
        return render("_live.html", {**view, "csrf": self._marker}), view["last_event"]


@router.get("/pipelines/{name}/events")
async def events(
    request: Request,
    name: Annotated[str, Path(pattern=r"^[A-Za-z0-9.@_-]{1,100}$")],
    session: GivenSession,
) -> Response:
    """Answer the stream of one page."""
    session.require(Permission.READ, name)
    live: Live = request.app.state.live
    if live.open >= MOST:
        told = {"Retry-After": "30"}
        return PlainTextResponse("Too many pages are open; reload by hand.", 429, told)
    # A proxy that buffers would hold the messages back.
    cookie = request.cookies.get(COOKIE, "")
    stream = live.stream(name, session, cookie)
    return EventSourceResponse(stream, headers={"X-Accel-Buffering": "no"})
