"""Test/Custom/WaveBake: the wait between two waves; ends when bake and pause are over. It only tells time.

Whether the next wave may begin then is decided by the signals (controlplane.engine.waves). Configuration:
BakeTime and Pause, such as "10m" and "0s". Counted from when the wait began, which stands in its row, so
a restart neither shortens nor lengthens it.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from controlplane.actions.base import ActionError, MonitorError, Outcome, Progress, Task
from monitors.values import duration

NOTHING = timedelta(0)
HANDLE = "clock"


class WaveBake:
    """Waits, without a thread."""

    inline = True

    def start(self, task: Task) -> Progress:
        """Begin to wait."""
        bake, pause = _times(task)
        said = f"baking for {task.configuration.get('BakeTime', '0s')}"
        if pause:
            said += f", then a pause of {task.configuration['Pause']}"
        return Progress(Outcome.RUNNING, handle=HANDLE, summary=said, look_after=bake + pause)

    def look(self, tasks: Sequence[Task]) -> Mapping[str, Progress | MonitorError]:
        """Say which are over."""
        return {task.token: _stands(task) for task in tasks}

    def stop(self, task: Task) -> None:
        """Nothing runs."""


def _stands(task: Task) -> Progress | MonitorError:
    if task.since is None or task.now is None:
        return MonitorError("nobody knows when this wait began, or what time it is")
    try:
        bake, pause = _times(task)
    except ActionError as error:
        return error
    left = task.since + bake + pause - task.now
    if left <= NOTHING:
        return Progress(Outcome.SUCCEEDED, handle=task.handle, summary="its time is over")
    said = "pausing" if left <= pause else "baking"
    return Progress(Outcome.RUNNING, handle=task.handle, summary=said, look_after=left)


def _times(task: Task) -> tuple[timedelta, timedelta]:
    try:
        bake = duration(task.configuration, "BakeTime", NOTHING)
        return bake, duration(task.configuration, "Pause", NOTHING)
    except ValueError as error:
        raise ActionError(str(error), permanent=True) from error
