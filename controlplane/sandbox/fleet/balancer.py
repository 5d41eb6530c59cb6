"""The load balancer of one environment: round robin over the instances in service.

Its door, on a loopback port, is for canaries, journeys and people; the traffic generator asks it
for an instance and goes there itself.
"""

import http.client
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from controlplane.sandbox.fleet.instance import LONGEST_ANSWER, Instance

TIMEOUT = 2.0  # seconds that an instance may take to answer


class Balancer:
    """Chooses instances, and serves at `url`."""

    def __init__(self, instances: Sequence[Instance]) -> None:
        self._instances, self._turn, self._lock = instances, 0, threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _handler(self.choose))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/"
        threading.Thread(
            target=self._server.serve_forever, args=(0.1,), name="balancer", daemon=True
        ).start()

    @contextmanager
    def choose(self) -> Iterator[Instance | None]:
        """Hold the next instance in service for one request; None where there is none."""
        chosen = next((one for one in self._order() if one.enter()), None)
        try:
            yield chosen
        finally:
            if chosen:
                chosen.leave()

    def close(self) -> None:
        """Close the door."""
        self._server.shutdown()
        self._server.server_close()

    def _order(self) -> list[Instance]:
        with self._lock:
            self._turn = (self._turn + 1) % len(self._instances)
            return [*self._instances[self._turn :], *self._instances[: self._turn]]


class _Server(ThreadingHTTPServer):
    request_queue_size = 64
    daemon_threads = True


def _handler(
    choose: Callable[[], AbstractContextManager[Instance | None]],
) -> type[BaseHTTPRequestHandler]:
    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with choose() as instance:
                status, headers, body = forward(instance, self.path)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Keep no log."""

    return Door


def forward(instance: Instance | None, path: str) -> tuple[int, dict[str, str], bytes]:
    """Ask an instance; answer status, headers and body, 503 or 502 of our own where it fails."""
    if instance is None:
        return http.client.SERVICE_UNAVAILABLE, {}, b"no instance is in service\n"
    connection = http.client.HTTPConnection("127.0.0.1", instance.port, timeout=TIMEOUT)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read(LONGEST_ANSWER)
    except (OSError, http.client.HTTPException):
        return http.client.BAD_GATEWAY, {}, b"the instance does not answer\n"
    else:
        kept = ("Content-Type", "X-Release", "X-Digest")
        return answer.status, {n: answer.headers[n] for n in kept if n in answer.headers}, body
    finally:
        connection.close()
