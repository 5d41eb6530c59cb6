"""How the installation fares: what keeps it from working, and what is wrong while the rest goes on.

One gathering for /readyz, the doctor and the log. Nothing here raises for what it finds: that is its answer.
"""

import logging
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from controlplane.engine import owners, retention
from controlplane.engine.retention import Keep
from controlplane.engine.structures import BrokenStructureError, Structures
from controlplane.store import accounts, condition, executions, late, pipelines, replicas, schema
from controlplane.store.condition import Fault, Watch
from controlplane.store.database import Database
from controlplane.store.replicas import Me

log = logging.getLogger(__name__)

NAMED = 5
"""Of many broken rows so many are named."""


def our_version() -> str:
    """The version of this code."""
    try:
        return version("towpath")
    except PackageNotFoundError:  # run from a folder that nobody installed
        return "unknown"


class Health:
    """Of one process and the database that it shares."""

    def __init__(
        self,
        database: Database,
        structures: Structures,
        now: Callable[[], float],
        keep: Keep | None = None,
    ) -> None:
        """keep: where finished executions go."""
        self._keep = keep
        self._database, self._structures, self._now = database, structures, now
        self._watch = Watch(database.engine, now)
        self.me = Me(owners.me(), our_version(), schema.OURS, now())

    def beat(self) -> None:
        """Say to the other replicas that we are here; that it could not be written is remembered."""
        try:
            with self._database.begin() as connection:
                replicas.beat(connection, self.me, self._database.time(connection, self._now))
        except SQLAlchemyError as error:
            log.warning("no heartbeat: %s", condition.sentence(error, self._database.engine.url))

    def leave(self) -> None:
        """Say that we are going."""
        try:
            with self._database.begin() as connection:
                replicas.leave(connection, self.me)
        except SQLAlchemyError as error:
            log.warning("left in silence: %s", condition.sentence(error, self._database.engine.url))

    def problems(self) -> dict[str, str]:
        """What keeps us from working, by name."""
        try:
            with self._database.read() as connection:
                connection.exec_driver_sql("SELECT 1")
        except SQLAlchemyError as error:
            return {"database": condition.sentence(error, self._database.engine.url)}
        lately = self._watch.recent()
        lately.pop(Fault.DOWN, None)  # it answers again
        return {"database": "; ".join(lately.values())} if lately else {}

    def degraded(self) -> dict[str, str]:
        """What is wrong while the rest goes on, by name. Empty where the database does not answer."""
        try:
            with self._database.read() as connection:
                return {name: said for name, said in self._asked(connection) if said}
        except SQLAlchemyError:
            return {}  # `problems` says so

    def findings(self) -> list[dict[str, Any]]:
        """The doctor's: one a question, {ok, account, operation, message, mend}."""
        problems, degraded = self.problems(), self.degraded()
        if problems:
            return [_finding("database", problems["database"])]
        fine = {
            "database": f"{condition.place(self._database.engine.url)} answers",
            "schema": f"is at revision {schema.OURS}, which is this version's",
            "replicas": "all are of this version",
            "rows": "all that is stored can be read",
            "archive": retention.fine(self._keep),
            "Git deliveries": "all were taken",
        }
        return [_finding(name, degraded.get(name, ""), fine[name]) for name in fine]

    def _asked(self, connection: Connection) -> Iterator[tuple[str, str]]:
        yield "schema", schema.said(schema.revision(connection))
        now = self._database.time(connection, self._now)
        others = [r for r in replicas.here(connection, now) if r.version != self.me.version]
        yield (
            "replicas",
            _many(
                "replicas of other versions run too: {}; finish the upgrade",
                [f"{row.name} ({row.version}, schema {row.schema_revision})" for row in others],
            ),
        )
        yield "rows", _many("{}", list(self._broken(connection)))
        yield "archive", retention.wrong(self._keep)
        yield "Git deliveries", _many("{}", list(map(_late, late.standing(connection))))

    def _broken(self, connection: Connection) -> Iterator[str]:
        """Rows that cannot be read."""
        for row in pipelines.all_(connection):
            try:
                self._structures.pipeline(connection, row.name, row.version)
            except BrokenStructureError as error:
                yield str(error)
        for row in executions.open_rollbacks(connection):
            try:
                self._structures.stages(connection, row)
            except BrokenStructureError as error:
                yield str(error)
        yield from accounts.broken(connection)


def _many(text: str, found: list[str]) -> str:
    if not found:
        return ""
    more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
    return text.format("; ".join(found[:NAMED]) + more)


def _late(row: Any) -> str:
    """What a Git host told and nobody could take; that some wait is known by the log."""
    host, waiting, lost, why = row
    mend = "" if host.startswith(late.PIPELINE) else ": let it answer, or start by hand"
    said = [f"{waiting} wait for {host}"] * bool(waiting) + [
        f"{lost} of {host} were given up"
    ] * bool(lost)
    return f"{' and '.join(said)} ({why}){mend}"


def _finding(operation: str, wrong: str, fine: str = "") -> dict[str, Any]:
    what, _, mend = wrong.rpartition(": ") if wrong else (fine, "", "")
    return {
        "ok": not wrong,
        "account": "",
        "operation": f"installation:{operation}",
        "message": what or wrong,
        "mend": mend if what else "",
    }
