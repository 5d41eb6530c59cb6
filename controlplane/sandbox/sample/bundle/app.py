# ruff: noqa: INP001
"""The sample service "shop": a real web service of the standard library, one per instance.

GET / answers JSON {"release", "digest", "environment"}; 503 where the pool of database connections
is exhausted. GET /healthz says that the process lives. GET /metrics speaks Prometheus' text format.
"""

import contextlib
import http.client
import json
import os
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from pool import ExhaustedError, Pool  # type: ignore[import-not-found]  # its neighbour in a bundle

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
WORK = 0.004  # seconds that a query takes
ENVIRONMENT = os.environ.get("ENVIRONMENT", "")
RELEASE = int(Path(__file__).with_name("release.txt").read_text("ascii"))
DIGEST = os.environ.get("BUNDLE_DIGEST", "")
POOL = Pool()


class Metrics:
    """Counts and times of the requests to /, for Prometheus."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._codes: dict[int, int] = {200: 0, 503: 0}
        self._buckets = [0] * len(BUCKETS)
        self._sum = 0.0

    def observe(self, code: int, seconds: float) -> None:
        """Count one answered request."""
        with self._lock:
            self._codes[code] += 1
            self._sum += seconds
            for index, bound in enumerate(BUCKETS):
                self._buckets[index] += seconds <= bound

    def text(self) -> str:
        """Render Prometheus' text format."""
        label, name = f'environment="{ENVIRONMENT}",release="{RELEASE}"', "http_request"
        with self._lock:
            lines = [f"# TYPE {name}s_total counter"]
            lines += [f'{name}s_total{{code="{c}",{label}}} {n}' for c, n in self._codes.items()]
            lines += [f"# TYPE {name}_duration_seconds histogram"]
            for bound, count in zip((*BUCKETS, "+Inf"), (*self._buckets, self._count), strict=True):
                lines.append(f'{name}_duration_seconds_bucket{{le="{bound}",{label}}} {count}')
            lines += [f"{name}_duration_seconds_sum{{{label}}} {self._sum:.6f}"]
            lines += [f"{name}_duration_seconds_count{{{label}}} {self._count}"]
        return "\n".join(lines) + "\n"

    @property
    def _count(self) -> int:
        return sum(self._codes.values())


METRICS = Metrics()


class Handler(BaseHTTPRequestHandler):
    """One request."""

    def do_GET(self) -> None:
        if self.path == "/healthz":
            self._answer(http.client.OK, "text/plain", "ok\n")
        elif self.path == "/metrics":
            self._answer(http.client.OK, "text/plain; version=0.0.4", METRICS.text())
        elif self.path.partition("?")[0] == "/":
            self._shop()
        else:
            self._answer(http.client.NOT_FOUND, "text/plain", "no such page\n")

    def _shop(self) -> None:
        started, code = time.perf_counter(), http.client.OK
        try:
            with POOL.connection():
                time.sleep(WORK)  # noqa: TID251 - the work of the sample
        except ExhaustedError:
            code = http.client.SERVICE_UNAVAILABLE
        body = {"release": RELEASE, "digest": DIGEST, "environment": ENVIRONMENT}
        if code != http.client.OK:
            body["error"] = "no database connection is free"
        METRICS.observe(code, time.perf_counter() - started)
        self._answer(code, "application/json", json.dumps(body))

    def _answer(self, code: int, kind: str, text: str) -> None:
        content = text.encode()
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("X-Release", str(RELEASE))
        self.send_header("X-Digest", DIGEST)
        self.end_headers()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Keep no log: the load would fill the disk."""


class Server(ThreadingHTTPServer):
    """Takes a burst of connections without refusing any."""

    request_queue_size = 128
    daemon_threads = True


def die_with(lifeline: int) -> None:
    """End this process as soon as the sandbox, at the other end of the pipe, is gone."""
    with contextlib.suppress(OSError):
        while os.read(lifeline, 1):
            pass
    os._exit(0)


def main() -> None:
    """Serve until killed."""
    with contextlib.suppress(OSError):
        os.setsid()  # leave the hook's process group
    if lifeline := os.environ.get("LIFELINE_FD"):
        threading.Thread(target=die_with, args=(int(lifeline),), daemon=True).start()
    Server(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()


if __name__ == "__main__":
    main()
