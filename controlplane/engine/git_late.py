"""Git deliveries whose host could not be asked, or whose pipeline be read: kept when they come, taken later.

A host delivers once and does not come again by itself. What it told was verified, so it is kept; one
replica at a time asks again, with growing pauses, and in the order in which it was told. Taking one twice
starts once (the dedupe key), so it is deleted after it was taken. After a day it is given up, and said; what
waits for a pipeline, which a person must mend, after a month. Storing that pipeline anew hurries it.
"""

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from controlplane.actions.base import ActionError
from controlplane.actions.git.base import Host, Hosts, Told
from controlplane.engine.git_intake import GitIntake
from controlplane.engine.sources import Sources
from controlplane.engine.waiting import Waiting
from controlplane.store import late
from controlplane.store.database import Database

log = logging.getLogger(__name__)

DAY = 24 * 3600.0
MONTH = 30 * DAY
BATCH = 100
LEAST, LONGEST = 15.0, 900.0
"""Seconds between two tries."""


class LateDeliveries:
    """Keeps them, and takes them later."""

    def __init__(
        self,
        database: Database,
        hosts: Hosts,
        intake: GitIntake,
        now: Callable[[], float],
        sources: Sources,
    ) -> None:
        self._database, self._hosts, self._intake, self._now = database, hosts, intake, now
        self._sources = sources
        self._waiting = Waiting(database, intake.structures, now)

    def keep(self, host: str, told: list[Told], reason: str) -> bool:
        """Keep what could not be taken now; False where too many wait already."""
        rows = [json.dumps(asdict(one)) for one in told]
        with self._database.begin() as connection:
            return late.add(connection, host, rows, self._now(), reason)

    def keep_for(self, host: str, told: Told, unread: Mapping[str, str]) -> bool:
        """Keep it for pipelines that cannot be read now; False where too many wait for one already."""
        text = json.dumps({"host": host, "told": asdict(told)})
        what = f"a push to {told.repository} ({told.ref}, {told.commit[:12]})"
        return self._waiting.keep(unread, what, text)

    def run_once(self) -> int:
        """Take what can be taken now; how many were. One host that is away holds up no other."""
        taken, away = 0, set[str]()
        with self._database.begin() as connection:
            now = self._now()
            lost = late.give_up(connection, now - DAY, now - MONTH)
            late.forget(connection, now - 2 * DAY, now - MONTH - DAY)
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
        given = json.loads(text)
        if name.startswith(late.PIPELINE):
            self._take_for(name.removeprefix(late.PIPELINE), given)
            return
        host, told = self._host(name), _told(given)
        taken = self._intake.take(host, told)
        if taken.unread and not self.keep_for(name, told, taken.unread):
            raise ActionError("too much waits for a pipeline that cannot be read")

    def _take_for(self, pipeline: str, given: Mapping[str, Any]) -> None:
        """It is of one pipeline's only: the others have taken it when it came."""
        if "event" in given:
            self._sources.look_again(pipeline, given["event"])
            return
        taken = self._intake.take(self._host(given["host"]), _told(given["told"]), pipeline)
        if why := taken.unread.get(pipeline):
            raise ActionError(why)

    def _host(self, name: str) -> Host:
        host = self._hosts.get(name)
        if host is None:
            raise ActionError(f"{name} is not in TOWPATH_GIT any more")
        return host

    def _put_off(self, row: Any, error: ActionError) -> None:
        """A host that refused one of them is there for the others."""
        pause = min(LEAST * 2.0 ** min(row.tries, 10), LONGEST)
        until = self._now() + max(pause, error.retry_after or 0.0)
        only = row.id if error.permanent else None
        log.warning("what %s told waits: %s", row.host, error)
        with self._database.begin() as connection:
            late.put_off(connection, row.host, until, str(error)[:500], only)


def _told(given: Mapping[str, Any]) -> Told:
    files = given["files"]
    return Told(**{**given, "files": None if files is None else tuple(files)})
