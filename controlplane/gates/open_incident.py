"""Rule/Custom/OpenIncident: closed while an alert that matches is active, or an incident is open.

Where an Alertmanager is named it is asked (silenced and inhibited alerts do not count); where none is, the
incidents count that its webhook, or another's in the same words, has sent to Towpath.
https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import httpx

from accounts.breaker import Breakers, OpenError
from controlplane.gates.base import AT_ONCE, HANDLE, Seen, interval, known, said
from controlplane.gates.matchers import Matcher, matchers
from monitors.base import MonitorError, Outcome, Progress, Task, Verdict
from monitors.edge import declared, each_task
from monitors.values import text
from monitors.web import TooLargeError, TooSlowError, checked, fetch

INCIDENTS = "incidents"
"""What the engine found: a list of {name, labels} that are open."""
LIMIT = 4 * 1024 * 1024
WITHIN = timedelta(seconds=5)
SHOWN = 3
TOKEN = re.compile(r"(TOWPATH_)?ALERTMANAGER[A-Z0-9_]*")
"""Variables that may hold a token; as for Prometheus, no other secret of this process is sent anywhere."""


class Alertmanager(NamedTuple):
    """How to ask one. servers: address by name. environ: where bearer tokens are looked up."""

    http: httpx.Client
    now: Callable[[], datetime]
    servers: Mapping[str, str]
    environ: Mapping[str, str]
    breakers: Breakers

    def active(self, url: str, wanted: Sequence[Matcher], token: str) -> Seen:
        """Ask for the alerts that are active now."""
        request = self.http.build_request(
            "GET",
            f"{url}/api/v2/alerts",
            params={
                "active": "true",
                "silenced": "false",
                "inhibited": "false",
                "unprocessed": "true",
                "filter": [str(one) for one in wanted],
            },
            headers={"Authorization": f"Bearer {token}"} if token else {},
        )
        unheard = (httpx.TransportError, TooSlowError)
        try:
            with self.breakers.guard(("", "", request.url.netloc.decode(), False), unheard):
                answer = fetch(self.http, request, self.now, limit=LIMIT, within=WITHIN)
        except OpenError as error:
            raise MonitorError(str(error), retry_after=error.retry_after) from error
        except (httpx.HTTPError, TooLargeError, TooSlowError) as error:
            why = str(error) or type(error).__name__
            raise MonitorError(f"Alertmanager at {url} could not be reached: {why}") from error
        if answer.status != httpx.codes.OK:
            raise MonitorError(
                f"Alertmanager at {url} did not answer: HTTP {answer.status}",
                permanent=answer.status == httpx.codes.BAD_REQUEST,
            )
        return _active(answer.body, url)

    def place(self, configuration: Mapping[str, str]) -> str:
        """The address; ValueError where the settings know none of that name."""
        url = configuration.get("Url", "")
        if not url:
            name = text(configuration, "Alertmanager")
            if name not in self.servers:
                known_ = ", ".join(sorted(self.servers)) or "none"
                raise ValueError(
                    f"there is no Alertmanager named {name!r} in the settings: {known_}"
                )
            url = self.servers[name]
        return checked(url).rstrip("/")

    def token(self, configuration: Mapping[str, str]) -> str:
        """The bearer token that TokenEnv names, "" where it names none."""
        name = configuration.get("TokenEnv", "")
        if name and not TOKEN.fullmatch(name):
            raise ValueError(f"TokenEnv {name!r}: only variables like ALERTMANAGER_TOKEN are read")
        if name and not self.environ.get(name):
            raise ValueError(f"TokenEnv names {name}, which is not set where Towpath runs")
        return self.environ[name] if name else ""


class OpenIncident:
    """Asks an Alertmanager, or looks at what was sent to us."""

    endpoint = ("Alertmanager", "Url")

    def __init__(self, alertmanager: Alertmanager) -> None:
        self._alertmanager = alertmanager

    def start(self, task: Task) -> Progress:
        """Begin; the first look is due at once."""
        with declared():
            interval(task.configuration)
        return Progress(Outcome.RUNNING, HANDLE, "not looked at yet", AT_ONCE)

    def look(self, tasks: Sequence[Task]) -> Mapping[str, Progress | MonitorError]:
        """Each by itself: the matchers are part of the question."""
        return each_task(tasks, self._look)

    def stop(self, task: Task) -> None:
        """Nothing runs outside."""

    def _look(self, task: Task) -> Progress:
        configuration = task.configuration
        asked = bool(configuration.get("Alertmanager") or configuration.get("Url"))
        wanted = matchers(text(configuration, "Matchers"), equality=not asked)
        if asked:
            place, token = (
                self._alertmanager.place(configuration),
                self._alertmanager.token(configuration),
            )
            verdict, why = self._alertmanager.active(place, wanted, token)
        else:
            verdict, why = _sent(known(task, INCIDENTS), wanted)
        return said(verdict, why, interval(configuration))


def _sent(incidents: Sequence[Mapping[str, Any]], wanted: Sequence[Matcher]) -> Seen:
    names = [str(one["name"]) for one in incidents if all(m.holds(one["labels"]) for m in wanted)]
    return _seen(names)


def _active(body: bytes, url: str) -> Seen:
    """An answer that is not a list of alerts is no answer: it opens nothing."""
    try:
        alerts = json.loads(body)
        return _seen([str(alert["labels"].get("alertname", "an alert")) for alert in alerts])
    except (ValueError, RecursionError, TypeError, KeyError, AttributeError) as error:
        raise MonitorError(f"Alertmanager at {url} answered what is no list of alerts") from error


def _seen(names: Sequence[str]) -> Seen:
    if not names:
        return Verdict.PASS, "no incident is open"
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    named = ", ".join(sorted(names)[:SHOWN])
    return Verdict.FAIL, f"{len(names)} open: {named[:300]}{more}"
