"""Who came in, who left and who was turned away: in the audit log, bounded where anybody could fill it."""

import logging

from sqlalchemy.exc import DBAPIError

from controlplane.engine.refusals import Person
from controlplane.identity.attempts import MOST, Attempts
from controlplane.store import audit
from controlplane.store.condition import fault_of
from controlplane.store.database import Database

log = logging.getLogger(__name__)
NOBODY = "nobody"


def refused(
    database: Database,
    attempts: Attempts,
    now: float,
    came: tuple[str, str, str],
    way: str = "",
    most: int = MOST,
) -> None:
    """Count a failure; TooManyAttemptsError where its client must wait. came: door, client, and why not."""
    door, client, why = came
    key = key_of(door, client, way)
    attempts.check(key, most)
    if attempts.failed(key, most):
        note(database, now, Person(NOBODY, door), "sign-in.refused", f"from {client}: {why}")


def key_of(door: str, client: str, way: str = "") -> str:
    """As whom a client is counted: a build with an old token locks nobody out of the console.

    way: where a door has a second one, whose failures close the first to nobody.
    """
    return f"{door}/{way} {client}"


def note(database: Database, now: float, who: Person, kind: str, text: str) -> None:
    """Write one entry, where that can be written: where it cannot, whoever came is answered all the same."""
    try:
        with database.begin() as connection:
            audit.note(connection, now, who, kind, text)
    except DBAPIError as error:
        if fault_of(error) is None:
            raise
        log.warning("%s of %s is not written down: the database is ill", kind, who.name)
