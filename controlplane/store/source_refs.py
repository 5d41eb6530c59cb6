"""What started last from each branch and pull request: a delivery that comes late does not move it back."""

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from controlplane.store.tables import SourceRef, table

REF = table(SourceRef)
R = REF.c


def newest(connection: Connection, pipeline: str, action: str, ref: str) -> str:
    """The revision that a pipeline started with last from there; "" where none has."""
    wanted = R.pipeline == pipeline, R.action == action, R.ref == ref
    return str(connection.execute(select(R.revision).where(*wanted)).scalar() or "")


def move(connection: Connection, key: tuple[str, str, str], new: str, old: str | None) -> bool:
    """Say what started now; False where it is not old any more that started last.

    key: pipeline, action, ref. old: "" for none yet; None for whatever it was.
    """
    pipeline, action, ref = key
    mine = update(REF).where(R.pipeline == pipeline, R.action == action, R.ref == ref)
    if old:
        mine = mine.where(R.revision == old)
    if old != "" and connection.execute(mine.values(revision=new)).rowcount:
        return True
    if old:
        return False
    row = {"pipeline": pipeline, "action": action, "ref": ref, "revision": new}
    try:
        with connection.begin_nested():
            connection.execute(insert(REF), row)
    except IntegrityError:
        return False
    return True
