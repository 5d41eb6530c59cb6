"""Elastic Beanstalk of one account and region, as plain calls in botocore's shapes; Fault where it refuses.

An update that fails leaves the environment at the version that it had, as Elastic Beanstalk does.
https://docs.aws.amazon.com/elasticbeanstalk/latest/api/API_UpdateEnvironment.html
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from controlplane.sandbox.aws.faults import Fault

WRONG = "InvalidParameterValue"
STARTING = "Environment update is starting."
DONE = "Environment update completed successfully."
FAILED = "Failed to deploy application."

Asked = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Course:
    """How an update goes. fails: what Elastic Beanstalk says of it; "" where it does well."""

    seconds: float = 1.0
    fails: str = ""


@dataclass
class Environment:
    """One environment: what it runs, and the update that is under way. updates: how many were begun."""

    application: str
    name: str
    version: str
    began: datetime
    status: str = "Ready"
    wanted: str = ""
    due: datetime | None = None
    course: Course = field(default_factory=Course)
    updates: int = 0
    events: list[dict[str, Any]] = field(default_factory=list)

    def tell(self, said: str, now: datetime, severity: str = "INFO") -> None:
        """Add an event, the newest first."""
        named = {"ApplicationName": self.application, "EnvironmentName": self.name}
        event = {"Message": said, "EventDate": now, "Severity": severity, **named}
        self.events.insert(0, event)

    def update(self, version: str, course: Course, now: datetime) -> None:
        """Begin to go to a version."""
        self.status, self.wanted, self.course = "Updating", version, course
        self.due = now + timedelta(seconds=course.seconds)
        self.updates += 1
        self.tell(STARTING, now)

    def advance(self, now: datetime) -> None:
        """End what is due by now."""
        if self.due is None or now < self.due:
            return
        self.status, self.due = "Ready", None
        if self.course.fails:
            self.tell(self.course.fails, now, "ERROR")
            return
        self.version = self.wanted
        self.tell("New application version was deployed to running EC2 instances.", now)
        self.tell(DONE, now)

    def describe(self) -> dict[str, Any]:
        """Show it as DescribeEnvironments does."""
        shown = {
            "ApplicationName": self.application,
            "EnvironmentName": self.name,
            "EnvironmentId": f"e-{self.name}",
            "Status": self.status,
            "Health": "Green" if self.status == "Ready" else "Grey",
            "AbortableOperationInProgress": self.status == "Updating",
            "DateCreated": self.began,
        }
        return {**shown, **({"VersionLabel": self.version} if self.version else {})}


class Beanstalk:
    """Applications, versions and environments; time passes when `advance` says so."""

    def __init__(self, account: str, region: str) -> None:
        """Begin with nothing."""
        self.where = f"arn:aws:elasticbeanstalk:{region}:{account}"
        self.lock = threading.RLock()
        self.versions: dict[str, dict[str, dict[str, Any]]] = {}
        self.environments: dict[tuple[str, str], Environment] = {}
        self.courses: dict[tuple[str, str], Course] = {}

    def advance(self, now: datetime) -> None:
        """End what is due by now."""
        with self.lock:
            for one in self.environments.values():
                one.advance(now)

    def create_application(self, asked: Asked, now: datetime) -> dict[str, Any]:
        name = str(asked["ApplicationName"])
        if name in self.versions:
            raise Fault(WRONG, f"Application {name} already exists.")
        self.versions[name] = {}
        return {"Application": {"ApplicationName": name, "DateCreated": now}}

    def create_environment(self, asked: Asked, now: datetime) -> dict[str, Any]:
        application, name = str(asked["ApplicationName"]), str(asked["EnvironmentName"])
        label = str(asked.get("VersionLabel") or "")
        if label:
            self._version(application, label)
        made = Environment(application, name, label, now)
        self.environments[application, name] = made
        return made.describe()

    def create_application_version(self, asked: Asked, now: datetime) -> dict[str, Any]:
        application, label = str(asked["ApplicationName"]), str(asked["VersionLabel"])
        known = self._application(application)
        if label in known:
            raise Fault(WRONG, f"Application Version {label} already exists.")
        known[label] = {
            "ApplicationName": application,
            "VersionLabel": label,
            "Description": str(asked.get("Description") or ""),
            "SourceBundle": dict(asked.get("SourceBundle") or {}),
            "ApplicationVersionArn": f"{self.where}:applicationversion/{application}/{label}",
            "DateCreated": now,
            "Status": "UNPROCESSED",
        }
        return {"ApplicationVersion": known[label]}

    def describe_application_versions(self, asked: Asked, _now: datetime) -> dict[str, Any]:
        known = self._application(str(asked["ApplicationName"]))
        labels = asked.get("VersionLabels")
        newest = list(reversed(known.values()))
        return {
            "ApplicationVersions": [
                one for one in newest if not labels or one["VersionLabel"] in labels
            ]
        }

    def describe_environments(self, asked: Asked, _now: datetime) -> dict[str, Any]:
        names, application = asked.get("EnvironmentNames"), asked.get("ApplicationName")
        return {
            "Environments": [
                one.describe()
                for one in self.environments.values()
                if application in (None, one.application) and (not names or one.name in names)
            ]
        }

    def describe_events(self, asked: Asked, _now: datetime) -> dict[str, Any]:
        """List an environment's events, the newest first."""
        one = self._environment(asked)
        since = asked.get("StartTime")
        since = since.replace(tzinfo=UTC) if since else None  # moto reads it without its zone
        found = [event for event in one.events if since is None or event["EventDate"] >= since]
        return {"Events": found[: int(asked.get("MaxRecords") or 1000)]}

    def update_environment(self, asked: Asked, now: datetime) -> dict[str, Any]:
        one, label = self._environment(asked), str(asked["VersionLabel"])
        self._version(one.application, label)
        if one.status != "Ready":
            said = f"Environment named {one.name} is in an invalid state for this operation. Must be Ready."
            raise Fault(WRONG, said)
        one.update(label, self.courses.get((one.application, one.name), Course()), now)
        return one.describe()

    def abort_environment_update(self, asked: Asked, now: datetime) -> dict[str, Any]:
        one = self._environment(asked)
        if one.status == "Updating":
            one.status, one.course = "Aborting", Course(0.0, "Environment update was aborted.")
            one.due = now + timedelta(seconds=1)
        return {}

    def delete_application_version(self, asked: Asked, _now: datetime) -> dict[str, Any]:
        self._application(str(asked["ApplicationName"])).pop(str(asked["VersionLabel"]), None)
        return {}

    def _application(self, name: str) -> dict[str, dict[str, Any]]:
        if name not in self.versions:
            raise Fault(WRONG, f"No Application named '{name}' found.")
        return self.versions[name]

    def _version(self, application: str, label: str) -> dict[str, Any]:
        known = self._application(application)
        if label not in known:
            raise Fault(WRONG, f"No Application Version named '{label}' found.")
        return known[label]

    def _environment(self, asked: Asked) -> Environment:
        name = str(asked.get("EnvironmentName"))
        application = asked.get("ApplicationName")
        found = [
            one
            for one in self.environments.values()
            if one.name == name and application in (None, one.application)
        ]
        if not found:
            said = f"No Environment found for EnvironmentName = '{name}'."
            raise Fault(WRONG, said)
        return found[0]


OPERATIONS = (
    "abort_environment_update",
    "create_application",
    "create_application_version",
    "create_environment",
    "delete_application_version",
    "describe_application_versions",
    "describe_environments",
    "describe_events",
    "update_environment",
)
"""What is emulated, as boto3's methods are named."""
