"""Socket Mode of the sandbox's Slack: connections that apps open, each message to one of them.

https://docs.slack.dev/apis/events-api/using-socket-mode
"""

import itertools
import json
import threading
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

ACKNOWLEDGED_WITHIN = 3.0
"""Seconds: as long as Slack waits."""


class NotAcknowledgedError(Exception):
    """No connection is open, or none acknowledged in time; Slack would send it again."""


class SlackSockets:
    """A port of loopback for WebSockets; each URL opens one connection. Safe under threads."""

    def __init__(self) -> None:
        """Listen on a free port until stopped."""
        self._tickets: set[str] = set()
        self._numbers = itertools.count(1)
        self._open: list[ServerConnection] = []
        self._answers: dict[str, Any] = {}
        self._changed = threading.Condition()
        self._server = serve(self._talk, "127.0.0.1", 0)
        self._port = self._server.socket.getsockname()[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """Close the connections and the port."""
        self._server.shutdown()
        self.drop()

    def url(self) -> str:
        """A new URL, good for one connection."""
        with self._changed:
            ticket = f"t{next(self._numbers)}"
            self._tickets.add(ticket)
        return f"ws://127.0.0.1:{self._port}/link/?ticket={ticket}"

    def open(self) -> int:
        """How many connections are open."""
        with self._changed:
            return len(self._open)

    def wait_for(self, many: int, seconds: float = 10.0) -> bool:
        """Wait until so many are open; False where that did not come."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self._open) == many, seconds)

    def drop(self) -> None:
        """Lose every connection, as a network may."""
        with self._changed:
            lost = list(self._open)
        for connection in lost:
            connection.close()

    def send(self, kind: str, payload: dict[str, Any]) -> Any:
        """Tell one connection, answer what it acknowledged with. kind: "interactive" or "slash_commands"."""
        with self._changed:
            if not self._open:
                raise NotAcknowledgedError("no connection is open")
            number = next(self._numbers)
            connection, envelope = self._open[number % len(self._open)], f"e{number}"
        message = {"type": kind, "envelope_id": envelope, "payload": payload}
        connection.send(json.dumps(message | {"accepts_response_payload": True}))
        with self._changed:
            if not self._changed.wait_for(lambda: envelope in self._answers, ACKNOWLEDGED_WITHIN):
                raise NotAcknowledgedError(f"{envelope} was not acknowledged")
            return self._answers.pop(envelope)

    def _talk(self, connection: ServerConnection) -> None:
        path = connection.request.path if connection.request is not None else ""
        with self._changed:
            ticket = path.rpartition("=")[2]
            if ticket not in self._tickets:
                return
            self._tickets.remove(ticket)
        connection.send(json.dumps({"type": "hello", "num_connections": 1}))
        with self._changed:
            self._open.append(connection)
            self._changed.notify_all()
        try:
            for message in connection:
                self._hear(message)
        except ConnectionClosed:
            pass
        finally:
            with self._changed:
                self._open.remove(connection)
                self._changed.notify_all()

    def _hear(self, message: str | bytes) -> None:
        answer = json.loads(message)
        with self._changed:
            self._answers[str(answer.get("envelope_id"))] = answer.get("payload")
            self._changed.notify_all()
