"""One service's deployments: begun, completed, failed, and rolled back by the circuit breaker.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

ENOUGH = 3
"""Failed tasks after which the circuit breaker acts; one a second fails here."""
BROKEN = "ECS deployment circuit breaker: tasks failed to start."


@dataclass(frozen=True, slots=True)
class Course:
    """How a deployment goes. fails: why its tasks do not start; "" where it does well."""

    seconds: float = 1.0
    fails: str = ""


@dataclass
class Rollout:
    """One deployment. by_ecs: it is the circuit breaker's way back, and no UpdateService began it."""

    number: int
    definition: str
    began: datetime
    course: Course
    by_ecs: bool = False
    state: str = "IN_PROGRESS"
    reason: str = ""
    failed: int = 0
    ended: str = "IN_PROGRESS"
    """As ListServiceDeployments says it."""


@dataclass
class Service:
    """A service: its settings as they were given, and what was deployed, the newest last."""

    name: str
    cluster: str
    where: str
    asked: dict[str, Any]
    began: datetime
    rollouts: list[Rollout] = field(default_factory=list)
    shown: list[Rollout] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)

    @property
    def primary(self) -> Rollout:
        """What it is to run."""
        return self.shown[-1]

    def begin(
        self, definition: str, course: Course, now: datetime, *, by_ecs: bool = False
    ) -> None:
        """Begin a deployment; what ran goes on until it is completed."""
        rollout = Rollout(len(self.rollouts) + 1, definition, now, course, by_ecs)
        self.rollouts.append(rollout)
        self.shown.append(rollout)
        if len(self.shown) > 1 and self.shown[-2].state == "IN_PROGRESS" and not by_ecs:
            self.shown[-2].ended = "STOPPED"

    def advance(self, now: datetime) -> None:
        """Let what is due by now happen."""
        one = self.primary
        if one.state != "IN_PROGRESS" or now < one.began + timedelta(seconds=one.course.seconds):
            return
        if one.course.fails:
            self._fail(one, now)
            return
        one.state, one.ended = "COMPLETED", "SUCCESSFUL"
        one.reason = f"ECS deployment ecs-svc/{one.number} completed."
        for other in self.rollouts:
            if other.ended == "ROLLBACK_IN_PROGRESS":
                other.ended = "ROLLBACK_SUCCESSFUL"
        self.shown = [one]
        self._tell(f"(service {self.name}) has reached a steady state.", now)

    def _fail(self, one: Rollout, now: datetime) -> None:
        passed = (now - one.began).total_seconds() - one.course.seconds
        one.failed = min(1 + int(passed), 99)
        self._tell(f"(service {self.name}) was unable to place a task: {one.course.fails}", now)
        breaker = (self.asked.get("deploymentConfiguration") or {}).get("deploymentCircuitBreaker")
        if not breaker or not breaker.get("enable") or one.failed < ENOUGH:
            return
        one.state, one.reason, one.ended = "FAILED", BROKEN, "STOPPED"
        good = next((r for r in reversed(self.rollouts) if r.state == "COMPLETED"), None)
        if breaker.get("rollback") and good is not None:
            one.ended = "ROLLBACK_IN_PROGRESS"
            self._tell(f"(service {self.name}) rolling back to ecs-svc/{good.number}.", now)
            self.begin(good.definition, Course(), now, by_ecs=True)

    def _tell(self, said: str, now: datetime) -> None:
        if not self.events or self.events[0]["message"] != said:
            self.events.insert(0, {"id": str(len(self.events)), "createdAt": now, "message": said})
            del self.events[100:]

    # --- as ECS shows it ---------------------------------------------------------------------------

    @property
    def arn(self) -> str:
        """Its ARN."""
        return f"{self.where}:service/{self.cluster}/{self.name}"

    def revision(self, rollout: Rollout) -> str:
        """Name the service revision that a deployment goes to."""
        return f"{self.where}:service-revision/{self.cluster}/{self.name}/{rollout.number}"

    def describe(self) -> dict[str, Any]:
        """Show it as DescribeServices does."""
        given = ("deploymentConfiguration", "deploymentController", "launchType", "propagateTags")
        return {
            "serviceArn": self.arn,
            "serviceName": self.name,
            "clusterArn": f"{self.where}:cluster/{self.cluster}",
            "status": "ACTIVE",
            "taskDefinition": self.primary.definition,
            "desiredCount": self.desired,
            "runningCount": self.desired,
            "pendingCount": 0,
            "deployments": [self._shown(one) for one in reversed(self.shown)],
            "events": list(self.events),
            "createdAt": self.began,
            **{key: self.asked[key] for key in given if self.asked.get(key)},
        }

    @property
    def desired(self) -> int:
        """How many tasks it is to have."""
        return int(self.asked.get("desiredCount") or 1)

    def _shown(self, one: Rollout) -> Mapping[str, Any]:
        runs = self.desired if one.state == "COMPLETED" else 0
        return {
            "id": f"ecs-svc/{one.number}",
            "status": "PRIMARY" if one is self.primary else "ACTIVE",
            "taskDefinition": one.definition,
            "desiredCount": self.desired,
            "pendingCount": self.desired - runs,
            "runningCount": runs,
            "failedTasks": one.failed,
            "createdAt": one.began,
            "updatedAt": one.began,
            "rolloutState": one.state,
            "rolloutStateReason": one.reason or f"ECS deployment ecs-svc/{one.number} in progress.",
        }
