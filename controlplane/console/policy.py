"""The headers of the console's answers: what a page may load, and how long a file is kept."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_SECURITY = "; ".join(  # noqa: FLY002 - one directive a line
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
"""All comes from here and nothing is inline: text that got past an escape still cannot run."""


class Policy:
    """Adds them as an answer begins."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Files are asked for again each time, by their ETag; pages are never kept."""
        kept = "no-cache" if "/console/static/" in scope.get("path", "") else "no-store"

        async def headed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Content-Security-Policy"] = CONTENT_SECURITY
                headers["Cache-Control"] = kept
            await send(message)

        await self._app(scope, receive, headed)
