"""The control API under /_sandbox/: JSON in, JSON out, a table of routes to which others add."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from controlplane.sandbox.aws import clock

PREFIX = "/_sandbox/"
MAX_BODY = 4 << 20


class ControlError(Exception):
    """A request to the control API that can not be done; the sentence goes to who asked."""


@dataclass(frozen=True, slots=True)
class Order:
    """One request: `method`, the query's parameters, and the JSON object sent ({} if none)."""

    method: str
    query: Mapping[str, str]
    body: Mapping[str, Any]

    def text(self, name: str) -> str:
        """Answer a string of the body; ControlError where it is missing."""
        value = self.body.get(name)
        if not isinstance(value, str) or not value:
            raise ControlError(f"{name} is missing: give it as a string.")
        return value


Answerer = Callable[[Order], Any]
"""Answers an order with anything that JSON can say."""

_routes: dict[str, Answerer] = {}


def route(path: str, answer: Answerer) -> None:
    """Serve a path (it starts with /_sandbox/) with a callable; the last one given wins."""
    if not path.startswith(PREFIX):
        raise ValueError(f"{path} does not start with {PREFIX}")
    _routes[path] = answer


def reply(environ: Mapping[str, Any]) -> tuple[int, bytes]:
    """Answer a request to the control API: a status and JSON."""
    try:
        answer = _routes.get(str(environ.get("PATH_INFO", "")))
        if answer is None:
            return 404, _json({"error": "no such route", "routes": sorted(_routes)})
        return 200, _json(answer(_order(environ)))
    except ControlError as error:
        return 400, _json({"error": str(error)})


def _order(environ: Mapping[str, Any]) -> Order:
    method = str(environ.get("REQUEST_METHOD", "GET"))
    query = dict(parse_qsl(str(environ.get("QUERY_STRING", "")), max_num_fields=50))
    if method not in ("POST", "PUT"):
        return Order(method, query, {})
    # A page in a browser cannot send this type to another origin without asking first.
    if not str(environ.get("CONTENT_TYPE", "")).startswith("application/json"):
        raise ControlError("Send Content-Type: application/json.")
    length = str(environ.get("CONTENT_LENGTH") or "0")
    if not length.isdecimal() or int(length) > MAX_BODY:
        raise ControlError("The body is over 4 MiB.")
    try:
        body = json.loads(environ["wsgi.input"].read(int(length)) or b"{}")
    except (ValueError, RecursionError):
        raise ControlError("The body is no JSON.") from None
    if not isinstance(body, dict):
        raise ControlError("The body is no JSON object.")
    return Order(method, query, body)


def _json(value: Any) -> bytes:
    return json.dumps(value, default=str).encode()


def _health(_order: Order) -> Any:
    return {"status": "ok", "now": clock.now()}


def _calls(order: Order) -> Any:
    from controlplane.sandbox.aws import recorder

    limit = order.query.get("limit", str(recorder.KEPT))
    if not limit.isdecimal():
        raise ControlError("limit is no number.")
    service, operation = order.query.get("service", ""), order.query.get("operation", "")
    return {"calls": recorder.calls(service, operation, int(limit))}


route("/_sandbox/health", _health)
route("/_sandbox/calls", _calls)
