"""Old executions leave the database: into an archive first, on disk for sure, and only then out of the tables.

A crash in between loses nothing: what was not taken out yet is written once more. So an execution may be in
two files; the one in the later file counts.
"""

import gzip
import hashlib
import json
import logging
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from controlplane.settings import Settings
from controlplane.store import archive, tally
from controlplane.store.archive import Document
from controlplane.store.database import Database

log = logging.getLogger(__name__)

DAY = 86_400.0
FILE = 500
"""Executions a file."""
AT_ONCE = 25
"""Executions a transaction: the engine waits for no more than that."""
MOST = 20_000
"""Executions a run."""
PAUSE = 0.02
"""Seconds between two transactions, in which others get their turn."""
NOWHERE = "none"
GIB = 1 << 30
LEAST_FREE = GIB
"""Bytes: less is named before it is nothing."""


@dataclass(frozen=True, slots=True)
class Keep:
    """How long executions stay, and where they go then; folder None: nowhere, they are deleted."""

    days: float
    folder: Path | None


def wanted(settings: Settings) -> Keep | None:
    """What the settings ask for; None where executions stay for ever."""
    if not settings.keep_days or not settings.archive:
        return None
    nowhere = settings.archive == NOWHERE
    return Keep(settings.keep_days, None if nowhere else Path(settings.archive))


def wrong(keep: Keep | None, usage: Callable[[Path], Any] = shutil.disk_usage) -> str:
    """What would keep executions from being archived, with the mend; "" where nothing would.

    usage: tells how much is free, in bytes, where a folder lies.
    """
    if keep is None or keep.folder is None:
        return ""
    folder = keep.folder
    try:
        if not folder.is_dir():
            return f"the archive {folder} is no folder that is there: create it, or mount its disk"
        if not os.access(folder, os.W_OK | os.X_OK):
            return f"the archive {folder} cannot be written: give it to Towpath's user"
        free = usage(folder).free
    except OSError as error:
        return f"the archive {folder} cannot be examined ({error.strerror}): see to its disk"
    if free < LEAST_FREE:
        return (
            f"the archive {folder} has {free / GIB:.1f} GiB left: make room, or nothing is let go"
        )
    return ""


def fine(keep: Keep | None) -> str:
    """How it stands where nothing is wrong."""
    if keep is None:
        return "nothing is archived, executions stay for ever"
    if keep.folder is None:
        return f"executions are deleted {keep.days:g} days after their end, without a copy"
    try:
        free = f"{shutil.disk_usage(keep.folder).free / GIB:.1f} GiB"
    except OSError:
        free = "an unknown size"
    return f"{keep.folder} can be written, {free} is free"


def run_once(
    database: Database,
    keep: Keep | None,
    now: float,
    *,
    pause: Callable[[float], object],
    most: int = MOST,
) -> int:
    """Count in what ended, then take out what is old enough; how many executions went.

    pause: waits so many seconds, and answers True where the process is to end: then the rest is left.
    One replica at a time (`Database.alone`). OSError where the archive cannot be written: nothing is deleted.
    """
    _tally(database, pause)
    if keep is None:
        return 0
    before, after, gone = now - keep.days * DAY, "", 0
    while gone < most and not pause(0):
        with database.read() as connection:
            ids = archive.finished(connection, before, after, min(FILE, most - gone))
            found = archive.documents(connection, ids) if ids else []
        if not found:
            break
        if keep.folder is not None:
            write(keep.folder, found)
        gone += _remove(database, found, before, pause)
        after = ids[-1]
    if gone:
        log.info("%d executions that ended %g days ago were archived", gone, keep.days)
    return gone


def _tally(database: Database, pause: Callable[[float], object]) -> None:
    """Before rows go, what they say is in the counters."""
    while True:
        with database.begin() as connection:
            if tally.fold(connection):
                return
        if pause(PAUSE):
            return


def _remove(
    database: Database,
    found: Sequence[Document],
    before: float,
    pause: Callable[[float], object],
) -> int:
    gone = 0
    for begin in range(0, len(found), AT_ONCE):
        with database.begin() as connection:
            gone += archive.remove(connection, found[begin : begin + AT_ONCE], before)
        if pause(PAUSE):
            break
    return gone


def write(folder: Path, found: Sequence[Document]) -> Path:
    """One execution a line, with all that hangs on it. The same executions give the same file."""
    text = "".join(json.dumps(one, separators=(",", ":")) + "\n" for one in found).encode()
    first: Any = found[0]["execution"]
    day = datetime.fromtimestamp(first["started_at"], UTC).date().isoformat()
    name = f"{first['id']}-{hashlib.sha256(text).hexdigest()[:12]}.jsonl.gz"
    place = folder / day
    place.mkdir(parents=True, exist_ok=True)
    unfinished = place / f".{name}"
    with unfinished.open("wb") as file:
        file.write(gzip.compress(text, mtime=0))
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(place / name)
    for changed in (place, folder):
        _sync(changed)
    return place / name


def _sync(folder: Path) -> None:
    """The name of a new file is on disk only when its folder is."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
