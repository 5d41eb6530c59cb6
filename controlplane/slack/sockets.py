"""Socket Mode, for networks that nobody may call from outside: the same listeners, by connections we open.

Slack gives each message to one of an app's connections (ten at the most) and asks now and then that one is
opened anew, so there are two. A message is acknowledged once it is stored: what a lost connection leaves
unacknowledged Slack sends again by the other one, and the key of it makes that harmless.
https://docs.slack.dev/apis/events-api/using-socket-mode
"""

import logging
import threading
from collections.abc import Callable, Sequence

from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

log = logging.getLogger(__name__)

CONNECTIONS = 2
LOOKING = 1.0
PAUSES = (1.0, 2.0, 5.0, 10.0, 30.0)
"""Seconds between tries to open a connection, while they fail."""


class Sockets:
    """Keeps the connections open, until stopped."""

    def __init__(self, app: App, token: str, url: str, pauses: Sequence[float] = PAUSES) -> None:
        """token: of the app (xapp-…). url: the base of the Web API."""
        self._app = app
        self._token, self._url = token, url
        self._pauses = pauses
        self._stop = threading.Event()
        self.handlers: list[SocketModeHandler] = []

    def run(self) -> None:
        """Until `stop`: open what is not open, with growing pauses while Slack does not let us."""
        failures = 0
        try:
            while not self._stop.is_set():
                failures = 0 if self._kept_open() else failures + 1
                pause = self._pauses[min(failures, len(self._pauses)) - 1] if failures else LOOKING
                self._stop.wait(pause)
        finally:
            self._close(self.handlers)

    def stop(self) -> None:
        """Take no more; what is stored and not acknowledged yet is sent again to another replica."""
        self._stop.set()

    def open(self) -> int:
        """How many connections are open."""
        return sum(handler.client.is_connected() for handler in self.handlers)

    def _kept_open(self) -> bool:
        """Put new connections in the place of those that are lost; False where one could not be opened."""
        lost = [handler for handler in self.handlers if not handler.client.is_connected()]
        self._close(lost)
        self.handlers = [handler for handler in self.handlers if handler not in lost]
        while len(self.handlers) < CONNECTIONS and not self._stop.is_set():
            handler = self._new()
            try:
                handler.client.connect()
            except Exception as error:  # noqa: BLE001 - the client raises what its socket does
                self._close([handler])
                log.warning("Socket Mode: no connection (%s); trying again", _told(error))
                return False
            self.handlers.append(handler)
        return True

    def _new(self) -> SocketModeHandler:
        # No retry handlers: they would sleep here, deaf to a stop. One that is lost we replace ourselves.
        web = WebClient(token=self._token, base_url=self._url, timeout=5, retry_handlers=[])
        return SocketModeHandler(
            self._app,
            self._token,
            logger=log,
            web_client=web,
            auto_reconnect_enabled=False,
        )

    def _close(self, handlers: Sequence[SocketModeHandler]) -> None:
        closing: list[Callable[[], None]] = [handler.close for handler in handlers]
        for close in closing:
            try:
                close()
            except Exception as error:  # noqa: BLE001 - it is lost anyway
                log.info("a connection of Socket Mode did not close: %s", type(error).__name__)


def _told(error: Exception) -> str:
    if isinstance(error, SlackApiError):
        return f"Slack says {error.response.get('error', error.response.status_code)}"
    return (
        type(error).__name__ if isinstance(error, SlackClientError | OSError) else repr(error)[:200]
    )
