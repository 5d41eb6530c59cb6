"""One build: what it was asked for, how it goes on in time, and how CodeBuild shows it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from controlplane.sandbox.codebuild.orders import PHASES, STATES, Course

RUNNING, GOOD = "IN_PROGRESS", "SUCCEEDED"
WORKING = PHASES[:-1]


@dataclass
class Made:
    """What a build wrote: its identifier ("" for the primary one), where, and the SHA-256 of it."""

    identifier: str
    bucket: str
    key: str
    sha256: str


@dataclass
class Run:
    """A build. asked: the request as it came; project: what was known of the project then."""

    id: str
    number: int
    asked: Mapping[str, Any]
    project: Mapping[str, Any]
    course: Course
    begun: datetime
    status: str = RUNNING
    ended: datetime | None = None
    cause: tuple[str, str] | None = None
    made: list[Made] = field(default_factory=list)

    @property
    def due(self) -> datetime:
        """When it ends by itself."""
        return self.begun + timedelta(seconds=self.course.seconds)

    @property
    def source(self) -> dict[str, Any]:
        """Where its source lies: what the build was told, or else the project."""
        own = dict(self.project["source"])
        if self.asked.get("sourceTypeOverride"):
            own = {"type": self.asked["sourceTypeOverride"]}
        if self.asked.get("sourceLocationOverride"):
            own["location"] = self.asked["sourceLocationOverride"]
        if self.asked.get("buildspecOverride"):
            own["buildspec"] = self.asked["buildspecOverride"]
        return own

    @property
    def variables(self) -> list[dict[str, str]]:
        """Its environment variables: the project's, and over them those of the build."""
        project = self.project["environment"].get("environmentVariables") or []
        both = [*project, *(self.asked.get("environmentVariablesOverride") or [])]
        by_name = {one["name"]: one for one in both}
        return [{"type": "PLAINTEXT", **one} for one in by_name.values()]

    def ends(self, status: str, now: datetime, phase: str = "", message: str = "") -> None:
        """Note how it ended, and in which phase where that was bad."""
        self.status, self.ended = status, now
        self.cause = (phase, message) if phase else None

    def exports(self) -> list[dict[str, str]]:
        """Answer what its buildspec exports, where that is written in the request."""
        try:
            spec = json.loads(str(self.source.get("buildspec") or "{}"))
        except ValueError:
            spec = {}
        known = {one["name"]: one["value"] for one in self.variables} | dict(self.course.exports)
        known |= {"CODEBUILD_BUILD_ID": self.id}
        names = (spec.get("env") or {}).get("exported-variables") or list(self.course.exports)
        return [{"name": name, "value": known.get(name, "")} for name in names]

    def phase(self, now: datetime) -> str:
        """Answer the phase that it is in."""
        if self.ended is not None:
            return PHASES[-1]
        share = (now - self.begun) / max(self.due - self.begun, timedelta(milliseconds=1))
        return WORKING[min(max(int(share * len(WORKING)), 0), len(WORKING) - 1)]

    def phases(self, now: datetime) -> list[dict[str, Any]]:
        """Answer the phases so far; the last one of a bad build says why."""
        reached = self.cause[0] if self.cause else self.phase(now)
        last = PHASES.index(reached) if reached in PHASES else len(PHASES) - 1
        shown: list[dict[str, Any]] = [
            {"phaseType": name, "startTime": self.begun, "phaseStatus": GOOD}
            for name in PHASES[: last + 1]
        ]
        if self.ended is None:
            del shown[-1]["phaseStatus"]
        elif self.cause:
            context = {"statusCode": "COMMAND_EXECUTION_ERROR", "message": self.cause[1]}
            bad = self.status if self.status in STATES else "FAILED"
            shown[-1] |= {"phaseStatus": bad, "contexts": [context]}
        return shown

    def shown(self, account: str, region: str, now: datetime) -> dict[str, Any]:
        """Answer it in botocore's shape."""
        group, stream = f"/aws/codebuild/{self.project['name']}", self.id.partition(":")[2]
        page = f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}"
        link = f"{page}#logsV2:log-groups/log-group/{group}/log-events/{stream}"
        others = [self._artifact(one) for one in self.made if one.identifier]
        primary = next((self._artifact(one) for one in self.made if not one.identifier), None)
        answer = {
            "id": self.id,
            "arn": f"arn:aws:codebuild:{region}:{account}:build/{self.id}",
            "buildNumber": self.number,
            "startTime": self.begun,
            "endTime": self.ended,
            "currentPhase": self.phase(now),
            "buildStatus": self.status,
            "buildComplete": self.ended is not None,
            "sourceVersion": self.asked.get("sourceVersion"),
            "projectName": self.project["name"],
            "phases": self.phases(now),
            "source": self.source,
            "artifacts": primary or {"location": ""},
            "secondaryArtifacts": others,
            "environment": {
                **self.project["environment"],
                "environmentVariables": self.variables,
            },
            "logs": {"groupName": group, "streamName": stream, "deepLink": link},
            "exportedEnvironmentVariables": self.exports() if self.status == GOOD else [],
            "encryptionKey": self.asked.get("encryptionKeyOverride"),
        }
        return {name: value for name, value in answer.items() if value is not None}

    def _artifact(self, one: Made) -> dict[str, Any]:
        said = {"location": f"arn:aws:s3:::{one.bucket}/{one.key}", "sha256sum": one.sha256}
        return {**said, **({"artifactIdentifier": one.identifier} if one.identifier else {})}
