"""Serves the embedded AWS on loopback, in a thread."""

import threading
from types import TracebackType
from typing import Self

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import make_server

from controlplane.sandbox.aws import install, tick
from controlplane.sandbox.aws.door import Door
from controlplane.sandbox.aws.fault_desk import RULES


class Quiet(MotoRequestHandler):  # type: ignore[misc]  # moto ships no types
    """Writes no line per request: the calls are recorded."""

    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 the base's name
        """Stay quiet."""


class Server:
    """A running sandbox: its `url`, and `stop()`. Also a context manager."""

    def __init__(self, host: str, port: int, tick_every: float) -> None:
        self._server = make_server(host, port, Door(), threaded=True, request_handler=Quiet)
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._server.serve_forever, daemon=True)]
        if tick_every:
            self._threads.append(
                threading.Thread(target=self._tick, args=(tick_every,), daemon=True)
            )
        self.port: int = self._server.server_port
        self.url = f"http://{host}:{self.port}"

    def start(self) -> Self:
        """Start its threads."""
        for thread in self._threads:
            thread.start()
        return self

    def stop(self) -> None:
        """Stop answering, and wait for the threads."""
        self._stopping.set()
        RULES.clear()  # who hangs by a fault is let go
        self._server.shutdown()
        self._server.server_close()
        for thread in self._threads:
            thread.join(timeout=5)

    def _tick(self, every: float) -> None:
        while not self._stopping.wait(every):
            tick()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def serve(port: int = 0, host: str = "127.0.0.1", tick_every: float = 0.0) -> Server:
    """Serve the embedded AWS; port 0 takes a free one.

    tick_every: seconds between the steps of the simulation; 0 leaves ticking to the caller.
    """
    install()
    return Server(host, port, tick_every).start()
