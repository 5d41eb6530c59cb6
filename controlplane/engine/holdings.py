"""What this replica holds: claimed rows, their fences, and until when each is surely its own.

Counted by the machine's monotonic clock from before the transaction that claimed it, so it ends no later
than the lease in the database does, whatever becomes of clocks. No fence holds at a vendor: a call must
not go out once another replica may have made it.
"""

import time
from collections.abc import Callable, Iterable, Mapping

from controlplane.engine.tasks import Job


class Holdings:
    """Safe under threads as dictionaries are: one thread takes and renews, others ask."""

    def __init__(self, lease: float) -> None:
        """lease: seconds."""
        self.tick: Callable[[], float] = time.monotonic
        self._lease = lease
        self._fences: dict[int, int] = {}
        self._until: dict[int, float] = {}
        self._began = 0.0

    def begin(self) -> None:
        """A transaction begins, in which rows may be claimed or renewed."""
        self._began = self.tick()

    def take(self, job: Job) -> None:
        """Its row was claimed in the transaction that has just committed."""
        self._fences[job.row.id] = job.row.fence
        self._until[job.row.id] = self._began + self._lease

    def renewed(self, ids: Iterable[int]) -> None:
        """Their leases were made longer in the transaction that has just committed."""
        held = [id_ for id_ in ids if id_ in self._fences]
        self._until |= dict.fromkeys(held, self._began + self._lease)

    def let_go(self, job: Job) -> None:
        """Its outcome is about to be written, or it is left to its lease."""
        if self._fences.get(job.row.id) == job.row.fence:
            self._fences.pop(job.row.id)
            self._until.pop(job.row.id, None)

    def fences(self) -> Mapping[int, int]:
        """What is held now: {row: fence}."""
        return dict(self._fences)

    def are_ours(self, jobs: Iterable[Job]) -> bool:
        """True while nobody can have claimed any of them since, another replica or we ourselves."""
        now = self.tick()
        return all(
            self._fences.get(job.row.id) == job.row.fence and now < self._until.get(job.row.id, 0.0)
            for job in jobs
        )
