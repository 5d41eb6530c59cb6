"""Git deliveries whose host could not be asked: kept when they come, taken once it answers.

A host delivers once and does not come again by itself. What it told was verified, so it is kept; one
replica at a time asks again, with growing pauses, and in the order in which it was told. Taking one twice
starts once (the dedupe key), so it is deleted after it was taken. After a day it is given up, and said.
"""

import json
import logging
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from controlplane.actions.base import ActionError
from controlplane.actions.git.base import Hosts, Told
from controlplane.engine.git_intake import GitIntake
from controlplane.store import late
from controlplane.store.database import Database

log = logging.getLogger(__name__)

DAY = 24 * 3600.0
BATCH = 100
LEAST, LONGEST = 15.0, 900.0
"""Seconds between two tries."""


class LateDeliveries:
    """Keeps them, and takes them later."""

    def __init__(
        self, database: Database, hosts: Hosts, intake: GitIntake, now: Callable[[], float]
    ) -> None:
        self._database, self._hosts, self._intake, self._now = database, hosts, intake, now

    def keep(self, host: str, told: list[Told], reason: str) -> bool:
        """Keep what could not be taken now; False where too many wait already."""
        rows = [json.dumps(asdict(one)) for one in told]
        with self._database.begin() as connection:
            return late.add(connection, host, rows, self._now(), reason)

    def run_once(self) -> int:
        """Take what can be taken now; how many were. One host that is away holds up no other."""
        taken, away = 0, set[str]()
        with self._database.begin() as connection:
            lost = late.give_up(connection, self._now() - DAY)
            late.forget(connection, self._now() - 2 * DAY)
            rows = late.due(connection, self._now(), BATCH)
        if lost:
            log.error(
                "%d Git deliveries were given up after a day: push again, or start by hand", lost
            )
        for row in rows:
            if row.host in away:
                continue
            try:
                self._take(row.host, row.told)
            except ActionError as error:
                if not error.permanent:
                    away.add(row.host)
                self._put_off(row, error)
                continue
            with self._database.begin() as connection:
                late.done(connection, row.id)
            taken += 1
        return taken

    def _take(self, name: str, text: str) -> None:
        host = self._hosts.get(name)
        if host is None:
            raise ActionError(f"{name} is not in TOWPATH_GIT any more")
        given = json.loads(text)
        files = given.pop("files")
        self._intake.take(host, Told(**given, files=None if files is None else tuple(files)))

    def _put_off(self, row: Any, error: ActionError) -> None:
        """A host that refused one of them is there for the others."""
        pause = min(LEAST * 2.0 ** min(row.tries, 10), LONGEST)
        until = self._now() + max(pause, error.retry_after or 0.0)
        only = row.id if error.permanent else None
        log.warning("what %s told waits: %s", row.host, error)
        with self._database.begin() as connection:
            late.put_off(connection, row.host, until, str(error)[:500], only)
