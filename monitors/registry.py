"""Every monitor that we have, by its provider's name: two literal tables.

Adding one touches its file and one line here; the conformance suite finds it.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx

from accounts.base import Clients
from accounts.breaker import Breakers
from accounts.lending import Lender
from monitors.base import Check, Signal
from monitors.checks.aws_lambda import Lambda
from monitors.checks.http import HttpJourney
from monitors.checks.inspector import InspectorFindings
from monitors.checks.synthetics import SyntheticsCanary
from monitors.heard import Heard
from monitors.signals.cloudwatch_alarm import CloudWatchAlarm
from monitors.signals.cloudwatch_metric import CloudWatchMetric
from monitors.signals.prometheus import Prometheus


@dataclass(frozen=True, slots=True)
class Parts:
    """What monitors are made of.

    sites, prometheus, alertmanager: base addresses by the names that a declaration may use.
    calendars: paths or addresses of iCalendar texts, by name.
    environ: where bearer tokens are looked up. breakers: for what is not asked through `clients`.
    git: the Git hosts, as `controlplane.actions.git` makes them.
    heard: which accounts tell of their deployments' ends by themselves.
    lender: who lends credentials of an account to somebody else.
    opened: opens what is sealed in a pipeline's configuration.
    commands_project: the CodeBuild project that commands run in where they name none.
    """

    clients: Clients
    now: Callable[[], datetime]
    http: httpx.Client
    sites: Mapping[str, str] = field(default_factory=dict)
    prometheus: Mapping[str, str] = field(default_factory=dict)
    alertmanager: Mapping[str, str] = field(default_factory=dict)
    calendars: Mapping[str, str] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    breakers: Breakers | None = None
    heard: Heard | None = None
    lender: Lender | None = None
    opened: Callable[[str, Mapping[str, str]], Mapping[str, str]] = lambda _, given: given
    git: Any = None
    commands_project: str = ""


SIGNALS: Mapping[str, Callable[[Parts], Signal]] = {
    "CloudWatchAlarm": lambda parts: CloudWatchAlarm(parts.clients, parts.now),
    "CloudWatchMetric": lambda parts: CloudWatchMetric(parts.clients, parts.now),
    "PrometheusQuery": lambda parts: Prometheus(
        parts.http, parts.now, parts.prometheus, parts.environ, parts.breakers
    ),
}

CHECKS: Mapping[str, Callable[[Parts], Check]] = {
    "HttpJourney": lambda parts: HttpJourney(parts.http, parts.now, parts.sites),
    "InspectorFindings": lambda parts: InspectorFindings(parts.clients, parts.now),
    "Lambda": lambda parts: Lambda(parts.clients),
    "SyntheticsCanary": lambda parts: SyntheticsCanary(parts.clients),
}
