"""Backpressure: so many requests at once, so many that wait for a short while, and a clear 429 for the rest.

Refusing early keeps what was let in quick: a queue that may grow answers everybody too late. Requests that
wait for an event (long polls, streams) are counted apart, for they hold a place but no thread. Probes and
metrics are never refused: they must answer when nothing else does.
"""

import asyncio
import hashlib
import re
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from controlplane.api.problems import problem

EXEMPT = frozenset({"/healthz", "/readyz", "/metrics"})
PRESSES = re.compile(r"/slack/[a-z]+")
"""From the few addresses that Slack has, for everybody there: no bound of one client counts for them."""
WAITS = re.compile(r"/api/v1/events|/console/pipelines/[^/]+/events")
RETRY_AFTER = 1
ACCESS_KEY = re.compile("AWS4-HMAC-SHA256 +Credential=[^/, ]+")


@dataclass(frozen=True, slots=True)
class Bounds:
    """most: at once. of_one: of one client, those that wait with them. queue: who may wait, for `patience`."""

    most: int
    of_one: int
    queue: int
    patience: float = 2.0


class TooManyRequestsError(Exception):
    """One more is refused; the message is a sentence for whoever asked."""


class Gate:
    """Lets in so many at once, in the order in which they came. For one event loop."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._inside = 0
        self._clients: Counter[str] = Counter()
        self._queue: deque[asyncio.Future[None]] = deque()

    @asynccontextmanager
    async def passing(self, client: str) -> AsyncIterator[None]:
        """Be inside; TooManyRequestsError where there is no place."""
        if self._clients[client] >= self._bounds.of_one:
            raise TooManyRequestsError(
                f"{self._bounds.of_one} requests of yours are being answered already"
            )
        self._clients[client] += 1
        try:
            await self._enter()
            try:
                yield
            finally:
                self._leave()
        finally:
            self._clients[client] -= 1
            if not self._clients[client]:
                del self._clients[client]

    async def _enter(self) -> None:
        if self._inside < self._bounds.most:
            self._inside += 1
            return
        if len(self._queue) >= self._bounds.queue:
            raise TooManyRequestsError("too many requests wait already")
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append(turn)
        try:
            async with asyncio.timeout(self._bounds.patience):
                await turn
        except BaseException as error:
            if turn.done() and not turn.cancelled():
                self._leave()  # the place was handed over as the time ran out
            if turn in self._queue:
                self._queue.remove(turn)
            if isinstance(error, TimeoutError):
                raise TooManyRequestsError("there was no place in time") from None
            raise

    def _leave(self) -> None:
        """Hand the place to whoever waits longest; it is never free in between."""
        while self._queue:
            turn = self._queue.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._inside -= 1


class Pressure:
    """The gates in front of an application."""

    def __init__(self, app: ASGIApp, *, ordinary: Bounds, waiting: Bounds, presses: Bounds) -> None:
        """waiting: for requests that wait for an event. presses: for what Slack sends."""
        self._app = app
        self._ordinary = Gate(ordinary)
        self._others = ((WAITS, Gate(waiting)), (PRESSES, Gate(presses)))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let in, or answer 429."""
        if scope["type"] != "http" or scope["path"] in EXEMPT:
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        others = (gate for paths, gate in self._others if paths.fullmatch(path))
        gate = next(others, self._ordinary)
        try:
            async with gate.passing(client_of(scope)):
                await self._app(scope, receive, send)
        except TooManyRequestsError as error:
            told = {"Retry-After": str(RETRY_AFTER)}
            await problem(429, f"{error}; ask again.", (), told)(scope, receive, send)


def client_of(scope: Scope) -> str:
    """Who asks: the holder of a token or a session, for behind a proxy all addresses are one."""
    headers = Headers(scope=scope)
    said = headers.get("authorization") or headers.get("cookie")
    if said and (key := ACCESS_KEY.match(said)):
        # The rest is of this one request. The id alone is no secret: from elsewhere it is another client.
        said = f"{key[0]} {_address(scope)}"
    if said:
        return hashlib.blake2s(said.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
    return _address(scope)


def _address(scope: Scope) -> str:
    return str((scope.get("client") or ("",))[0])
