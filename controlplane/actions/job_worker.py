"""A job that somebody comes for: a worker polls for it, and says how it went. Calls nothing outside.

The job is on record before this is asked (engine.work); what the worker says wakes the action.
https://docs.aws.amazon.com/codepipeline/latest/userguide/actions-create-custom-action.html
"""

from collections.abc import Mapping, Sequence

from controlplane.actions.base import MonitorError, Progress, Task
from controlplane.actions.job_words import stand
from monitors.edge import each_task


class JobWorker:
    """Waits for a worker's word."""

    inline = True

    def start(self, task: Task) -> Progress:
        """Say how the job stands: a worker may have been quicker."""
        return stand(task)

    def look(self, tasks: Sequence[Task]) -> Mapping[str, Progress | MonitorError]:
        """Say how each stands."""
        return each_task(tasks, stand)

    def stop(self, task: Task) -> None:
        """Nothing to call: what a worker says of an action that is over is refused."""
