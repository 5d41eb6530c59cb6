"""What was told and waits for a pipeline that cannot be read: put down once, and said once."""

from collections.abc import Callable, Mapping

from controlplane.engine.structures import Structures
from controlplane.engine.transaction import transaction
from controlplane.journal import Fact
from controlplane.store import late
from controlplane.store.database import Database


class Waiting:
    """Keeps it until the pipeline can be read again (`git_late` takes it then)."""

    def __init__(
        self, database: Database, structures: Structures, now: Callable[[], float]
    ) -> None:
        self._database, self._structures, self._now = database, structures, now

    def keep(self, unread: Mapping[str, str], what: str, text: str) -> bool:
        """Keep a text for each pipeline; False where too many wait for one, which a log and /readyz say.

        unread: pipeline -> why it cannot be read. what: "a push to team/shop", for a person.
        """
        kept = True
        with transaction(self._database, self._structures, self._now) as tx:
            for pipeline, why in unread.items():
                place = f"{late.PIPELINE}{pipeline}"
                if late.is_first(tx.connection, place):  # the next ones say nothing new
                    said = f"{what} waits: {why}"
                    tx.journal.add(Fact(kind="source.waits", pipeline=pipeline, text=said))
                if not late.has(tx.connection, place, text):
                    kept &= late.add(tx.connection, place, [text], tx.now, why[:500])
        return kept
