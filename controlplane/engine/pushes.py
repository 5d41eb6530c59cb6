"""Outside work that tells of its own end: whoever waits for it looks at once, and not when it is due.

An event is not believed, only followed by a look, so a forged, doubled or late one costs one call and
changes nothing.
"""

from collections.abc import Callable

from controlplane.actions.base import WorkEvent
from controlplane.engine.structures import Structures
from controlplane.engine.tasks import jobs
from controlplane.store import actions
from controlplane.store.database import Database


class Pushes:
    """Wakes the rows that wait for what ended."""

    def __init__(
        self, database: Database, structures: Structures, now: Callable[[], float]
    ) -> None:
        self._database = database
        self._structures = structures
        self._now = now

    def take(self, event: WorkEvent) -> int:
        """Make them due; how many there were."""
        waiting = self._waiting(event)
        if not waiting:  # nearly always: most deployments of an account are not ours
            return 0
        with self._database.begin() as connection:
            now = self._database.time(connection, self._now)
            woken = sum(actions.wake(connection, row_id, now) for row_id in waiting)
            self._database.tell(connection)
        self._database.wake()
        return woken

    def _waiting(self, event: WorkEvent) -> list[int]:
        """Rows with that handle, of that account and region: ids are the vendor's, and not secret."""
        with self._database.read() as connection:
            rows = actions.waiting_for(connection, event.handle)
            found = jobs(connection, self._structures, rows, self._now())
        where = (event.account, event.region)
        return [job.row.id for job in found if (job.task.account, job.task.region) == where]
