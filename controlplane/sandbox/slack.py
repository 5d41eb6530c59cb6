"""A Slack on loopback: keeps messages, enforces Slack's limits, signs the presses of buttons.

For the demo and the tests. It speaks the part of the Web API that Towpath uses: auth.test,
chat.postMessage, chat.update, chat.delete, chat.postEphemeral, views.open, views.update, the addresses for
answers, and Socket Mode. What it does not emulate it refuses with a clear 400.
"""

import threading
from collections import deque
from collections.abc import Mapping
from http.server import ThreadingHTTPServer
from typing import Any
from urllib.parse import urlencode

import httpx

from controlplane.clock import Clock, system_clock
from controlplane.sandbox.slack_http import ACTIONS, Answer, handler
from controlplane.sandbox.slack_rules import Complaint, buttons
from controlplane.sandbox.slack_signing import (
    APP_TOKEN,
    command_payload,
    form,
    press_payload,
    signed,
    submission_payload,
)
from controlplane.sandbox.slack_sockets import SlackSockets
from controlplane.sandbox.slack_workspace import Workspace

CHANNELS = {"C1": "releases", "C2": "on-call"}
MAX_CALLS = 2_000
ANSWER_WITHIN = 3.0  # seconds: as long as Slack waits for the answer to a press


class FakeSlack:
    """One workspace behind a port of loopback. Safe under threads."""

    def __init__(self, port: int, channels: Mapping[str, str], now: Clock) -> None:
        """Serve until stopped; port 0 takes a free one."""
        self._workspace, self._now = Workspace(channels, now), now
        self._calls: deque[tuple[str, dict[str, Any]]] = deque(maxlen=MAX_CALLS)
        self._disturbances: dict[str, deque[Answer]] = {}
        self._lock = threading.Lock()
        self.sockets = SlackSockets()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), handler(self._call))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/api/"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """Close the ports."""
        self.sockets.stop()
        self._server.shutdown()
        self._server.server_close()

    def messages(self) -> list[dict[str, Any]]:
        """List every message, oldest first.

        Each has channel, ts, text, blocks, thread_ts ("" where it stands in the channel),
        reply_broadcast, metadata and edits (how many times it was changed).
        """
        with self._lock:
            return [dict(message) for message in self._workspace.messages.values()]

    def calls(self) -> list[tuple[str, dict[str, Any]]]:
        """List the last calls, oldest first: the method and its arguments."""
        with self._lock:
            return list(self._calls)

    def rate_limit(self, method: str, times: int = 1, retry_after: int = 1) -> None:
        """Answer the next calls of a method with 429."""
        headers = {"Retry-After": str(retry_after)}
        self._disturb(method, times, (429, {"ok": False, "error": "ratelimited"}, headers))

    def break_down(self, method: str, times: int = 1, status: int = 503) -> None:
        """Answer the next calls of a method with a fault of the server."""
        self._disturb(method, times, (status, {"ok": False, "error": "service_unavailable"}, {}))

    def delete(self, ts: str) -> None:
        """Take a message away, as a person may. KeyError where there is none."""
        with self._lock:
            del self._workspace.messages[ts]

    def press(
        self, message_ts: str, action_id: str, user: str = "U1"
    ) -> tuple[dict[str, str], bytes]:
        """Make the signed request of a press: headers and body; LookupError as of `pressed`."""
        return self.sign(self.pressed(message_ts, action_id, user))

    def pressed(self, message_ts: str, action_id: str, user: str = "U1") -> dict[str, Any]:
        """What is told of a press. LookupError where there is no such message, or no such button."""
        with self._lock:
            message = self._workspace.messages[message_ts]
            found = [one for one in buttons(message["blocks"]) if one[1]["action_id"] == action_id]
            if not found:
                raise LookupError(f"the message {message_ts} has no button {action_id!r}")
            told = message | {
                "channel_name": self._workspace.channels[message["channel"]],
                "response_url": self._hook(user, message["channel"]),
                "trigger_id": self._workspace.trigger(),
            }
        return press_payload(told, *found[0], user, self._now())

    def submission(self, view_id: str, comment: str, user: str = "U1") -> dict[str, Any]:
        """What is told of a modal that is sent off with a comment. KeyError where there is none."""
        with self._lock:
            return submission_payload(self._workspace.views[view_id], comment, user)

    def command(self, text: str, user: str = "U1") -> dict[str, str]:
        """What is told of `/towpath text`."""
        with self._lock:
            return command_payload(text, user, self._workspace.trigger(), self._hook(user, "C1"))

    def sign(self, payload: Mapping[str, Any]) -> tuple[dict[str, str], bytes]:
        """Headers and body of the request by which HTTP tells it."""
        body = urlencode(payload).encode() if "command" in payload else form(payload)
        return signed(body, self._now()), body

    def whispers(self) -> list[dict[str, str]]:
        """What single people were told, oldest first: user, channel and text of each."""
        with self._lock:
            return list(self._workspace.whispers)

    def views(self) -> dict[str, dict[str, Any]]:
        """The modals that were opened, by id, as they stand."""
        with self._lock:
            return dict(self._workspace.views)

    def _hook(self, user: str, channel: str) -> str:
        return self.url.replace("/api/", self._workspace.hook(user, channel))

    def deliver(
        self, url: str, message_ts: str, action_id: str, user: str = "U1"
    ) -> tuple[int, str]:
        """Press a button and post that to an interactivity endpoint; answer its status and body."""
        headers, body = self.press(message_ts, action_id, user)
        answer = httpx.post(url, content=body, headers=headers, timeout=ANSWER_WITHIN)
        return answer.status_code, answer.text

    def _disturb(self, method: str, times: int, answer: Answer) -> None:
        with self._lock:
            self._disturbances.setdefault(method, deque()).extend([answer] * times)

    def _connection(self, token: str) -> dict[str, Any]:
        if token != APP_TOKEN:
            return {"ok": False, "error": "invalid_auth" if token else "not_authed"}
        return {"ok": True, "url": self.sockets.url()}

    def _call(self, method: str, token: str, arguments: dict[str, Any]) -> Answer:
        with self._lock:
            self._calls.append((method, arguments))
            kind = ACTIONS if method.startswith(ACTIONS) else method
            if waiting := self._disturbances.get(kind):
                return waiting.popleft()
            if method.startswith(ACTIONS):
                return self._workspace.respond(method, arguments), {}, {}
            if method == "apps.connections.open":
                return 200, self._connection(token), {}
            result = self._workspace.call(method, token, arguments)
        if not isinstance(result, Complaint):
            return 200, {"ok": True, **result}, {}
        answer: dict[str, Any] = {"ok": False, "error": result.error}
        if result.messages:
            told = [f"[ERROR] {one}" for one in result.messages]
            answer |= {"errors": list(result.messages), "response_metadata": {"messages": told}}
        return 200, answer, {}


def serve_slack(
    port: int = 0, channels: Mapping[str, str] = CHANNELS, now: Clock = system_clock
) -> FakeSlack:
    """Serve a new workspace (channels: id to name) on loopback; call its stop() in the end."""
    return FakeSlack(port, channels, now)
