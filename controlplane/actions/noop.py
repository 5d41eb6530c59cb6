"""Test/Custom/NoOp: ends at once, as it is told. For rehearsals and benchmarks.

Configuration: Result, "SUCCEEDED" (the default) or "FAILED".
"""

from collections.abc import Mapping, Sequence

from controlplane.actions.base import ActionError, MonitorError, Outcome, Progress, Task

ENDS = {
    "SUCCEEDED": Progress(Outcome.SUCCEEDED, summary="did nothing"),
    "FAILED": Progress(Outcome.FAILED, summary="failed, as its configuration asks for"),
}


class NoOp:
    """Does nothing, without a thread."""

    inline = True

    def start(self, task: Task) -> Progress:
        """End as the configuration says."""
        result = task.configuration.get("Result") or "SUCCEEDED"
        if result not in ENDS:
            raise ActionError(f"Result {result!r} is neither SUCCEEDED nor FAILED.", permanent=True)
        return ENDS[result]

    def look(self, tasks: Sequence[Task]) -> Mapping[str, Progress | MonitorError]:
        """Say again how it ended."""
        return {task.token: self.start(task) for task in tasks}

    def stop(self, task: Task) -> None:
        """Nothing runs."""
