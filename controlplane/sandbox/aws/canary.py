"""A canary and its runs, in Synthetics' own words."""

import re
import threading
import uuid
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

KEPT_RUNS = 1000
SCHEDULE = re.compile(r"rate\((\d{1,4}) (minute|minutes|hour)\)")

OPTIONAL = ("RunConfig", "VpcConfig", "ArtifactConfig", "ProvisionedResourceCleanup", "KmsKeyArn")
"""Members of CreateCanary that come back as they were given (RunConfig without its variables)."""

CHANGEABLE = (
    *OPTIONAL,
    "ArtifactS3Location",
    "Code",
    "ExecutionRoleArn",
    "FailureRetentionPeriodInDays",
    "RuntimeVersion",
    "Schedule",
    "SuccessRetentionPeriodInDays",
)


def seconds_of(expression: str) -> float | None:
    """Answer the seconds of a `rate(...)`; 0 is "once"; None for what the sandbox does not know."""
    found = SCHEDULE.fullmatch(expression.strip())
    if not found:
        return None
    return float(found[1]) * (3600 if found[2] == "hour" else 60)


@dataclass
class Canary:
    """A canary; `given` is what it was created with. interval is an override, in seconds."""

    given: dict[str, Any]
    created: datetime
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    state: str = "READY"
    modified: datetime | None = None
    started: datetime | None = None
    stopped: datetime | None = None
    due: datetime | None = None
    interval: float | None = None
    runs: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=KEPT_RUNS))
    running: threading.Event = field(default_factory=threading.Event)

    @property
    def name(self) -> str:
        """Its name, unique in the account and region."""
        return str(self.given["Name"])

    @property
    def target(self) -> str:
        """The URL that a run asks for, "" where none is given."""
        variables = (self.given.get("RunConfig") or {}).get("EnvironmentVariables") or {}
        return str(variables.get("TARGET_URL", ""))

    @property
    def timeout(self) -> float:
        """Seconds that a run may take."""
        return float((self.given.get("RunConfig") or {}).get("TimeoutInSeconds") or 60)

    def every(self) -> float:
        """Answer the seconds between two runs; 0 where it runs once."""
        if self.interval is not None:
            return self.interval
        return seconds_of(self.given["Schedule"]["Expression"]) or 0.0

    def start(self, now: datetime) -> None:
        """Run at once, then by the schedule."""
        self.state, self.started, self.due = "RUNNING", now, now

    def stop(self, now: datetime) -> None:
        """Run no more."""
        self.state, self.stopped, self.due = "STOPPED", now, None

    def take_turn(self, now: datetime) -> bool:
        """Whether a run is due now; if so the next one is set."""
        if self.due is None or self.due > now or self.running.is_set():
            return False
        every = self.every()
        # Runs that were missed (a slow target, a clock that leapt) are not caught up with.
        self.due = max(self.due + timedelta(seconds=every), now) if every else None
        self.running.set()
        return True

    def change(self, given: dict[str, Any], now: datetime) -> None:
        """Take what UpdateCanary gives."""
        new = {name: given[name] for name in CHANGEABLE if given.get(name) is not None}
        self.given = {**self.given, **new}
        self.modified = now

    def begin(self, now: datetime) -> dict[str, Any]:
        """Note a run that begins."""
        run = {
            "Id": str(uuid.uuid4()),
            "Name": self.name,
            "Status": {"State": "RUNNING", "TestResult": "UNKNOWN"},
            "Timeline": {"Started": now},
            "ArtifactS3Location": self.given["ArtifactS3Location"],
        }
        self.runs.appendleft(run)
        return run

    def describe(self, arn: str) -> dict[str, Any]:
        """Answer it in botocore's shape."""
        given = self.given
        code = given.get("Code") or {}
        shown: dict[str, Any] = {
            "Id": self.id,
            "Name": self.name,
            "Code": {"SourceLocationArn": f"{arn}/code", "Handler": code.get("Handler", "")},
            "ExecutionRoleArn": given["ExecutionRoleArn"],
            "Schedule": {"DurationInSeconds": 0} | given["Schedule"],
            "SuccessRetentionPeriodInDays": given.get("SuccessRetentionPeriodInDays") or 31,
            "FailureRetentionPeriodInDays": given.get("FailureRetentionPeriodInDays") or 31,
            "Status": {"State": self.state},
            "Timeline": self._timeline(),
            "ArtifactS3Location": given["ArtifactS3Location"],
            "RuntimeVersion": given["RuntimeVersion"],
            "Tags": given.get("Tags") or {},
        }
        shown |= {name: given[name] for name in OPTIONAL if given.get(name)}
        return shown

    def _timeline(self) -> dict[str, Any]:
        return {
            "Created": self.created,
            "LastModified": self.modified or self.created,
            "LastStarted": self.started,
            "LastStopped": self.stopped,
        }
