"""Approval/AWS/Manual: wait for a person's word. Calls nothing outside.

The words come through any door (console, API, command line, Slack) to the engine, which counts them and
hands over what they came to as task.answer: JSON of {"status": "Approved" | "Rejected", "by", "summary",
"door"}. The engine's time-out is the only clock: an approval that waits costs nothing, but where people are
to be reminded, or several have to agree on what may change meanwhile.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from controlplane.actions.base import ActionError, MonitorError, Outcome, Progress, Task
from monitors.edge import each_task

EVERY = timedelta(minutes=1)
"""How often somebody looks whether to remind, and whether what was agreed on is still there."""
WATCHED = ("RemindAfter", "Quorum")
OUTCOMES = {"Approved": Outcome.SUCCEEDED, "Rejected": Outcome.FAILED}


class Approval:
    """Open until somebody answers."""

    inline = True

    def start(self, task: Task) -> Progress:
        """Open it: RUNNING, with nobody having to look until an answer wakes it."""
        return self._stand(task)

    def look(self, tasks: Sequence[Task]) -> Mapping[str, Progress | MonitorError]:
        """Report what was answered; RUNNING where nothing was."""
        return each_task(tasks, self._stand)

    def stop(self, task: Task) -> None:
        """Nothing runs outside."""

    def _stand(self, task: Task) -> Progress:
        link = task.configuration.get("ExternalEntityLink", "")
        if not task.answer:
            text = task.configuration.get("CustomData", "") or f"{task.stage} waits for an approval"
            again = EVERY if any(key in task.configuration for key in WATCHED) else None
            return Progress(Outcome.RUNNING, task.token, text, again, url=link)
        answer = _read(task)
        status, by = str(answer["status"]), str(answer.get("by", "somebody"))
        summary = str(answer.get("summary", ""))
        door = f" ({answer['door']})" if answer.get("door") else ""
        return Progress(
            OUTCOMES[status],
            handle=task.token,
            summary=f"{status} by {by}{door}" + (f": {summary}" if summary else ""),
            url=link,
            output={"Status": status, "ApprovedBy": by, "Summary": summary},
        )


def _read(task: Task) -> dict[str, Any]:
    try:
        answer = json.loads(task.answer)
    except ValueError:
        answer = None
    if not isinstance(answer, dict) or answer.get("status") not in tuple(OUTCOMES):
        raise ActionError(
            f"The answer to {task.action} is neither Approved nor Rejected: {task.answer[:100]!r}.",
            permanent=True,
        )
    return answer
