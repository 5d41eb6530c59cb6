"""What people wait for at the console: the first paint in a real browser, and a change on 500 open pages.

The 500 pages are streams in this very process, beside the server: what they take is part of the figure.
Alone: `python -m tests.bench --only pages`.
"""

import asyncio
import statistics
import time
from collections.abc import Sequence
from itertools import cycle, islice

import httpx

from controlplane.store.roles import Role
from tests.bench.parts import Run, folder
from tests.bench.table import Line
from tests.support.browsing import CHROMIUM, everything, launched, visiting
from tests.support.doors import SAME_SITE, Doors, served
from tests.support.house import ANNE

PAGES, SESSIONS = 500, 10
"""Open pages, and the sessions that they share: the most of one is 100."""
EVENTS = "/console/pipelines/shop/events"
PAINTED = """new Promise(done => new PerformanceObserver(list => list.getEntries()
    .filter(one => one.name === "first-contentful-paint").forEach(one => done(one.startTime))
).observe({type: "paint", buffered: true}))"""


def lines(run: Run) -> list[Line]:
    """Of an installation that has something of everything."""
    with folder() as place:
        doors = Doors(place)
        everything(doors)
        with served(doors.app) as url:
            seen = asyncio.run(_fan_out(doors, url, run.rounds))
            painted = _paints(doors, url, run.rounds) if CHROMIUM.exists() else {}
        doors.house.database.close()
    last = [one[-1] for one in seen]
    middle = [statistics.median(one) for one in seen]
    what = f"console: a change is on {PAGES} open pages, p50 / the last of them"
    here = f"{statistics.median(middle):.2f} / {statistics.median(last):.2f} s"
    return [
        Line(what, here, "≤ 1 s"),
        *(
            Line(f"console: first paint of {path}, p50 / slowest", _told(times), "≤ 400 ms")
            for path, times in painted.items()
        ),
    ]


def _told(times: Sequence[float]) -> str:
    return f"{statistics.median(times):.0f} / {max(times):.0f} ms"


def _paints(doors: Doors, url: str, rounds: int) -> dict[str, list[float]]:
    """Milliseconds of first loads: nothing is kept from one to the next."""
    found: dict[str, list[float]] = {"/": [], "/pipelines/shop": []}
    with launched() as browser:
        for path in [*found] * rounds:
            with visiting(browser, url, doors.tokens[Role.VIEWER]) as came:
                found[path].append(came.go(path).evaluate(PAINTED))
    return found


class Stream:
    """One open page: it notes when a change of this name comes."""

    def __init__(self) -> None:
        self.first, self.mark = asyncio.Event(), b""
        self.at, self.seen = 0.0, asyncio.Event()

    def expect(self, mark: str) -> None:
        """Wait for another change from now on."""
        self.mark = mark.encode()
        self.seen.clear()

    async def read(self, url: httpx.URL, cookie: str) -> None:
        """Read until it is cancelled. A message is shorter than what one read may bring."""
        reader, writer = await asyncio.open_connection(url.host, url.port)
        head = f"GET {EVENTS} HTTP/1.1\r\nHost: towpath\r\nCookie: {cookie}\r\n\r\n"
        writer.write(head.encode())
        kept = b""
        while part := await reader.read(1 << 18):
            kept = (kept + part)[-(1 << 18) :]
            if b"\n\n" in kept:
                self.first.set()
            if self.mark and self.mark in kept and not self.seen.is_set():
                self.at = time.perf_counter()
                self.seen.set()


async def _fan_out(doors: Doors, url: str, rounds: int) -> list[list[float]]:
    """Seconds from the change to each page, sorted; one list a round."""
    streams, found = [Stream() for _ in range(PAGES)], []
    cookies = islice(cycle(await asyncio.to_thread(_sessions, doors, url)), PAGES)
    tasks = [
        asyncio.create_task(stream.read(httpx.URL(url), cookie))
        for stream, cookie in zip(streams, cookies, strict=True)
    ]
    await asyncio.gather(*(stream.first.wait() for stream in streams))
    for number in range(rounds):
        for stream in streams:
            stream.expect(f"reason number {number}.")
        await asyncio.to_thread(_open, doors)  # what is closed already keeps its first reason
        began = time.perf_counter()
        await asyncio.to_thread(_close, doors, number)
        await asyncio.gather(*(stream.seen.wait() for stream in streams))
        found.append(sorted(stream.at - began for stream in streams))
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return found


def _open(doors: Doors) -> None:
    doors.house.commands.enable_transition("shop", "Prod", ANNE, reason="again")


def _close(doors: Doors, number: int) -> None:
    doors.house.commands.disable_transition("shop", "Prod", ANNE, reason=f"reason number {number}.")


def _sessions(doors: Doors, url: str) -> list[str]:
    """The cookies of some people."""
    with httpx.Client(base_url=url, headers=SAME_SITE) as client:
        answers = [
            client.post("/console/login", data={"token": doors.token(Role.VIEWER)})
            for _ in range(SESSIONS)
        ]
    return [answer.headers["set-cookie"].partition(";")[0] for answer in answers]
