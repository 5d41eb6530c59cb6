"""An instance: a directory as its file system, a loopback port, and the service process on it."""

import hashlib
import http.client
import os
import signal
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

DRAIN = 2.0  # seconds that requests in flight may take when an instance leaves the rotation
LONGEST_ANSWER = 64 * 1024


@dataclass
class Instance:
    """One machine of an environment; it satisfies the agent's Host."""

    id: str
    account: str
    region: str
    environment_name: str
    root: Path
    port: int
    lifeline: int
    tags: Mapping[str, str] = field(default_factory=dict)
    busy: threading.Lock = field(default_factory=threading.Lock)
    in_service: bool = False
    in_flight: int = 0
    _turn: threading.Condition = field(default_factory=threading.Condition)

    @property
    def url(self) -> str:
        """Where its service listens."""
        return f"http://127.0.0.1:{self.port}/"

    def environment(self) -> dict[str, str]:
        """Answer what every process on it finds in its environment."""
        return {
            "INSTANCE_ID": self.id,
            "INSTANCE_DIR": str(self.root),
            "HOME": str(self.root),
            "PORT": str(self.port),
            "ENVIRONMENT": self.environment_name,
            "LIFELINE_FD": str(self.lifeline),
        }

    def block_traffic(self) -> None:
        """Leave the rotation, once the requests in flight were answered."""
        with self._turn:
            self.in_service = False
            self._turn.wait_for(lambda: self.in_flight == 0, timeout=DRAIN)

    def allow_traffic(self) -> None:
        """Come into the rotation."""
        with self._turn:
            self.in_service = True

    def enter(self) -> bool:
        """Begin a request to it; False where it is out of the rotation."""
        with self._turn:
            self.in_flight += self.in_service
            return self.in_service

    def leave(self) -> None:
        """End a request that `enter` began."""
        with self._turn:
            self.in_flight -= 1
            self._turn.notify_all()

    def serving(self) -> dict[str, Any]:
        """Ask the service what it is, now.

        Answers {"instance", "url", "in_service", "status", "release", "digest"}; status is 0, and
        release and digest None, where nothing answers. A 503 has its release and digest too.
        """
        status, headers = self._ask()
        return {
            "instance": self.id,
            "url": self.url,
            "in_service": self.in_service,
            "status": status,
            "release": int(headers["X-Release"]) if "X-Release" in headers else None,
            "digest": headers.get("X-Digest") or None,
        }

    def _ask(self) -> tuple[int, Mapping[str, str]]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("GET", "/")
            answer = connection.getresponse()
            answer.read(LONGEST_ANSWER)
        except (OSError, http.client.HTTPException):
            return 0, {}
        else:
            return answer.status, dict(answer.headers)
        finally:
            connection.close()

    def process(self) -> int | None:
        """Answer the id of its service process, None where none is known."""
        try:
            return int((self.root / "run" / "shop.pid").read_text("ascii"))
        except (OSError, ValueError):
            return None

    def kill(self) -> None:
        """End its service process, if it is still there and still its own."""
        pid = self.process()
        if pid and belongs_to(pid, self.root):
            os.kill(pid, signal.SIGKILL)


def belongs_to(pid: int, root: Path) -> bool:
    """Tell whether a process was started from below a folder: ids are used again by others."""
    try:
        return str(root).encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False  # gone, or a system without /proc: there the lifeline alone ends it


def instance_id(environment: str, number: int) -> str:
    """Make an instance id that is the same in every sandbox."""
    return "i-" + hashlib.sha256(f"{environment}/{number}".encode()).hexdigest()[:17]
