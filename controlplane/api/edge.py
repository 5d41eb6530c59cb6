"""What every request passes first: its size is bounded, and its answer gets safe headers."""

import re
from collections.abc import Mapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from controlplane.api.problems import problem

LENGTH = re.compile(r"[0-9]{1,18}")
HEADERS: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
"""A door that knows better (the console's pages and files) says so itself."""


class BodyLimit:
    """Refuses bodies over a number of bytes, whether they tell their length or not."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        self._app = app
        self._most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count what is received."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = f"The body is over {self._most} bytes."
        told = Headers(scope=scope).get("content-length", "0")
        if LENGTH.fullmatch(told) is None or int(told) > self._most:
            await problem(413, refusal)(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._most:
                raise HTTPException(413, refusal)
            return message

        await self._app(scope, counted, send)


class SafeHeaders:
    """Adds the headers that every answer has."""

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        """https: browsers reach us by https, and shall not come otherwise."""
        self._app = app
        strict = {"Strict-Transport-Security": "max-age=31536000"} if https else {}
        self._headers = {**HEADERS, **strict}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add them as the answer begins."""

        async def headed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, headed)
