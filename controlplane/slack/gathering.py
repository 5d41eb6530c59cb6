"""Many who press at once are stored by one commit: whoever has the turn writes for all who wait.

Each is acknowledged once what he asked for is durable. A disk that is slow to commit makes the groups larger,
and nobody waits for more than two commits: his own, and the one that had begun when he came.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from controlplane.store import slack_inbox
from controlplane.store.database import Database


@dataclass(slots=True)
class _Asked:
    """One of those who wait. new: None until it is stored; error: why it could not be."""

    key: str
    kind: str
    payload: str
    new: bool | None = None
    error: Exception | None = None

    @property
    def over(self) -> bool:
        return self.new is not None or self.error is not None


class Gathering:
    """Of one process; other replicas have their own."""

    def __init__(self, database: Database, now: Callable[[], float]) -> None:
        self._database = database
        self._now = now
        self._turn = threading.Lock()
        self._lock = threading.Lock()
        self._waiting: list[_Asked] = []

    def store(self, key: str, kind: str, payload: str) -> bool:
        """Answer when it is durable; False where it was there already. Raises what its commit did."""
        mine = _Asked(key, kind, payload)
        with self._lock:
            self._waiting.append(mine)
        with self._turn:
            if not mine.over:
                self._write_all()
        if mine.error is not None:
            raise mine.error
        return bool(mine.new)

    def _write_all(self) -> None:
        with self._lock:
            group, self._waiting = self._waiting, []
        try:
            self._write(group)
        except Exception:  # noqa: BLE001 - one that cannot be written spoils no other
            for one in group:
                try:
                    self._write([one])
                except Exception as error:  # noqa: BLE001 - told to him who asked
                    one.error = error

    def _write(self, group: Sequence[_Asked]) -> None:
        with self._database.begin() as connection:
            now = self._database.time(connection, self._now)
            new = [slack_inbox.add(connection, o.key, o.kind, o.payload, now) for o in group]
            if any(new):
                self._database.tell(connection)
        for one, is_new in zip(group, new, strict=True):
            one.new = is_new
        if any(new):
            self._database.wake()
