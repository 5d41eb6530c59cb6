"""The HTTP of the sandbox's Slack: bodies as JSON or forms, answers as Slack gives them."""

import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl

from controlplane.sandbox.slack_rules import NotEmulatedError

MAX_BODY = 1 << 20
ACTIONS = "/actions/T1/"
"""Below it are the addresses for answers: `response_url`s."""

Answer = tuple[int, dict[str, Any], dict[str, str]]
"""Status, JSON and headers of an answer."""

Call = Callable[[str, str, dict[str, Any]], Answer]
"""Answers a method, a token and arguments."""


class Handler(BaseHTTPRequestHandler):
    """Gives every call to `call`, which the subclass made by `handler` sets."""

    protocol_version = "HTTP/1.1"
    call: Call

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdecimal()) or int(length) > MAX_BODY:
            self.close_connection = True
            self._reply(413, {"ok": False, "error": "request_too_large"}, {})
            return
        raw = self.rfile.read(int(length))
        self._reply(*self._answer(raw))

    def _answer(self, raw: bytes) -> Answer:
        if not self.path.startswith(("/api/", ACTIONS)):
            return _refused(404, "not_emulated", "only /api/ and addresses for answers are served")
        try:
            arguments = _arguments(self.headers.get("Content-Type", ""), raw)
        except (ValueError, RecursionError):
            return _refused(200, "invalid_json", "the body can not be read")
        if not isinstance(arguments, dict):
            return _refused(200, "json_not_object", "the body is not an object")
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        try:
            return self.call(self.path.removeprefix("/api/"), token, arguments)
        except NotEmulatedError as error:
            return _refused(400, "not_emulated", str(error))

    def _reply(self, status: int, answer: dict[str, Any], headers: dict[str, str]) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the base's name
        """Stay quiet: the calls are kept."""


def handler(call: Call) -> type[Handler]:
    """Make the handler of a server that gives every call to `call`."""
    return type("SlackHandler", (Handler,), {"call": staticmethod(call)})


def _refused(status: int, error: str, detail: str) -> Answer:
    return status, {"ok": False, "error": error, "detail": detail}, {}


def _arguments(content_type: str, raw: bytes) -> Any:
    if "json" in content_type:
        return json.loads(raw or b"{}")
    form: dict[str, Any] = dict(parse_qsl(raw.decode(), max_num_fields=100))
    return form | {name: json.loads(form[name]) for name in form.keys() & {"blocks", "metadata"}}
