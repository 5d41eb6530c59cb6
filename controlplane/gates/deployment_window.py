"""Rule/AWS/DeploymentWindow: allowed and denied times, with a time zone, and holidays from a calendar.

Calendars that are only named come from the settings, as a file's path or an address: one that cannot be read
keeps the gate closed, for it may hold a holiday.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import httpx

from controlplane.gates.base import AT_ONCE, HANDLE, interval, now_of, said
from controlplane.gates.calendars import LONGEST
from controlplane.gates.windows import is_written_out, window
from monitors.base import MonitorError, Outcome, Progress, Task, Verdict
from monitors.edge import declared, each_task
from monitors.web import TooLargeError, TooSlowError, checked, fetch

KEPT = timedelta(minutes=10)
"""How long a calendar that was read is not read again."""
WITHIN = timedelta(seconds=10)


class Calendars:
    """Reads named calendars, and keeps each for a while."""

    def __init__(
        self, http: httpx.Client, now: Callable[[], datetime], places: Mapping[str, str]
    ) -> None:
        """places: the path or address of each calendar, by name."""
        self._http, self._now, self._places = http, now, places
        self._read: dict[str, tuple[datetime, str]] = {}

    def text(self, name: str) -> str:
        """A calendar's text; MonitorError where it cannot be read, ValueError where nobody knows it."""
        if name not in self._places:
            known = ", ".join(sorted(self._places)) or "none"
            raise ValueError(f"there is no calendar named {name!r} in the settings: {known}")
        read = self._read.get(name)
        if read is None or self._now() - read[0] > KEPT:
            read = self._read[name] = (self._now(), self._fetched(self._places[name]))
        return read[1]

    def _fetched(self, place: str) -> str:
        try:
            if not place.startswith(("https://", "http://")):
                with Path(place).open("rb") as file:
                    return _text(place, file.read(LONGEST + 1))
            request = self._http.build_request("GET", checked(place))
            answer = fetch(self._http, request, self._now, limit=LONGEST, within=WITHIN)
        except (OSError, httpx.HTTPError, TooLargeError, TooSlowError) as error:
            raise MonitorError(f"the calendar {place} cannot be read: {error}") from error
        if answer.status != httpx.codes.OK:
            raise MonitorError(f"the calendar {place} cannot be read: HTTP {answer.status}")
        return _text(place, answer.body)


def _text(place: str, body: bytes) -> str:
    if len(body) > LONGEST:
        raise MonitorError(f"the calendar {place} is larger than {LONGEST} bytes")
    return body.decode("utf-8", "replace")


class DeploymentWindow:
    """Open in the allowed times. It says when it opens next."""

    endpoint = ("Calendar",)

    def __init__(self, calendars: Calendars) -> None:
        self._calendars = calendars

    def start(self, task: Task) -> Progress:
        """Begin; the first look is due at once."""
        with declared():
            interval(task.configuration)
        return Progress(Outcome.RUNNING, HANDLE, "not looked at yet", AT_ONCE)

    def look(self, tasks: Sequence[Task]) -> Mapping[str, Progress | MonitorError]:
        """Where each stands in its own time zone."""
        return each_task(tasks, self._look)

    def stop(self, task: Task) -> None:
        """Nothing runs outside."""

    def _look(self, task: Task) -> Progress:
        configuration, now = task.configuration, now_of(task)
        name = configuration.get("Calendar", "")
        named = {} if not name or is_written_out(name) else {name: self._calendars.text(name)}
        times, every = window(configuration, named), interval(configuration)
        zone = str(times.zone)
        if times.is_open(now):
            return said(Verdict.PASS, f"the window is open ({zone})", every)
        opens = times.opens_at(now)
        if opens is None:
            return said(
                Verdict.FAIL, "the window does not open within five years", max(every, KEPT)
            )
        return said(Verdict.FAIL, "the window is closed", max(opens - now, AT_ONCE), opens, zone)
