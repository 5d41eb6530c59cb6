"""How soon to look again: soon at first, then as rarely as waiting has been long."""

from datetime import timedelta

from monitors.base import Task

SOONEST = 1.0
LATEST = 15.0
SHARE = 1 / 10


def pace(task: Task) -> timedelta:
    """Answer a tenth of the time that the task has run so far, between 1 and 15 seconds.

    So what looking adds to a check is at most a tenth of its length, be that seconds or hours.
    """
    if task.now is None or task.since is None:
        return timedelta(seconds=SOONEST)
    age = (task.now - task.since).total_seconds()
    return timedelta(seconds=min(max(age * SHARE, SOONEST), LATEST))
