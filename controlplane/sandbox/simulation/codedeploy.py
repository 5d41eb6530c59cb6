"""CodeDeploy of one account and region: groups of two instances, deployments that take virtual time.

One deployment at a time in a group; a stop takes a moment; a rollback is a deployment of its own. What
each instance serves is kept, so that whether a bad release is off a target is read and not believed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any

from controlplane.sandbox.simulation.refusals import RefusalError

ACTIVE = ("Created", "Queued", "InProgress", "Ready")
INSTANCES = 2
BRIEFEST, LONGEST = 4.0, 45.0
STOPS_WITHIN = 3.0
BATCH = 25

Place = tuple[str, str, str]
"""Bucket, key, version of a revision."""


@dataclass(slots=True)
class Deployment:
    """One deployment. fails: its last instance does not come up; stops: when a stop takes effect."""

    id: str
    group: str
    place: Place
    description: str
    creator: str
    created: float
    lasts: float
    fails: bool
    status: str = "Created"
    stops: float | None = None
    roll_back: bool = False
    rollback: str = ""
    done: int = 0

    @property
    def token(self) -> str:
        """Towpath's token, "" where it is not Towpath's."""
        words = self.description.split()
        return words[1] if words[:1] == ["towpath"] and len(words) > 1 else ""


@dataclass(slots=True)
class Group:
    """A deployment group. instances: what each serves, and by which deployment. auto: rolls back itself."""

    name: str
    auto: bool = False
    instances: list[Deployment | None] = field(default_factory=lambda: [None] * INSTANCES)
    deployments: list[Deployment] = field(default_factory=list)

    def active(self) -> Deployment | None:
        """The one deployment that has not ended."""
        last = self.deployments[-1] if self.deployments else None
        return last if last is not None and last.status in ACTIVE else None


@dataclass(slots=True)
class CodeDeploy:
    """Moves when told the time."""

    account: str
    region: str
    chance: Random
    fails: Callable[[str, Place], bool]
    """Whether a revision's deployment fails in an account."""
    created: Callable[["CodeDeploy", Deployment], None]
    """Told of every deployment before it is there."""
    groups: dict[str, Group] = field(default_factory=dict)
    by_id: dict[str, Deployment] = field(default_factory=dict)
    now: float = 0.0

    def create(
        self, group: Group, place: Place, description: str, creator: str = "user"
    ) -> Deployment:
        """Begin a deployment; refused while another is active."""
        if group.active() is not None:
            said = f"The Deployment Group '{group.name}' already has an active Deployment"
            raise RefusalError("DeploymentLimitExceededException", said)
        made = Deployment(
            id=f"d-{self.account}-{self.region}-{len(self.by_id) + 1}",
            group=group.name,
            place=place,
            description=description,
            creator=creator,
            created=self.now,
            lasts=self.chance.uniform(BRIEFEST, LONGEST),
            fails=self.fails(self.account, place),
        )
        self.created(self, made)
        self.by_id[made.id] = made
        group.deployments.append(made)
        return made

    def tick(self, now: float) -> None:
        """Bring every deployment to where it is at this time."""
        self.now = now
        for group in self.groups.values():
            while (active := group.active()) is not None and self._move(group, active):
                pass

    def _move(self, group: Group, one: Deployment) -> bool:
        """True where it ended now."""
        if one.stops is not None and one.stops <= self.now:
            return self._end(group, one, "Stopped", back=one.roll_back)
        age = self.now - one.created
        one.status = "InProgress" if age > 0 else "Created"
        while one.done < INSTANCES and age >= one.lasts * (one.done + 1) / (INSTANCES + 1):
            group.instances[one.done] = one
            one.done += 1
        if age < one.lasts:
            return False
        return self._end(group, one, "Failed" if one.fails else "Succeeded", back=group.auto)

    def _end(self, group: Group, one: Deployment, status: str, *, back: bool) -> bool:
        one.status = status
        good = [d for d in group.deployments if d.status == "Succeeded" and d is not one]
        if status != "Succeeded" and back and good and one.creator != "codeDeployRollback":
            made = self.create(group, good[-1].place, "", "codeDeployRollback")
            made.fails = False
            one.rollback = made.id
        return True

    # --- by boto3's names -----------------------------------------------------------------------

    def create_deployment(self, **asked: Any) -> dict[str, Any]:
        """Begin one."""
        s3 = asked["revision"]["s3Location"]
        place = (s3["bucket"], s3["key"], s3.get("version", ""))
        made = self.create(self._group(asked), place, asked.get("description", ""))
        return {"deploymentId": made.id}

    def list_deployments(self, **asked: Any) -> dict[str, Any]:
        """Newest first."""
        wanted = asked.get("includeOnlyStatuses")
        start = asked.get("createTimeRange", {}).get("start")
        found = [
            one.id
            for one in reversed(self._group(asked).deployments)
            if (not wanted or one.status in wanted) and (not start or _at(one.created) >= start)
        ]
        return {"deployments": found[:100]}

    def batch_get_deployments(self, **asked: Any) -> dict[str, Any]:
        """25 at most."""
        ids: Sequence[str] = asked["deploymentIds"]
        if len(ids) > BATCH:
            raise RefusalError("BatchLimitExceededException")
        return {"deploymentsInfo": [self._info(self.by_id[i]) for i in ids if i in self.by_id]}

    def get_deployment_group(self, **asked: Any) -> dict[str, Any]:
        """With its last deployments."""
        group = self._group(asked)
        info: dict[str, Any] = {"deploymentGroupName": group.name}
        good = [one for one in group.deployments if one.status == "Succeeded"]
        if good:
            info["lastSuccessfulDeployment"] = {"deploymentId": good[-1].id}
        if group.deployments:
            info["lastAttemptedDeployment"] = {"deploymentId": group.deployments[-1].id}
        return {"deploymentGroupInfo": info}

    def stop_deployment(self, **asked: Any) -> dict[str, Any]:
        """Takes effect a moment later."""
        found = self.by_id.get(asked["deploymentId"])
        if found is None:
            raise RefusalError("DeploymentDoesNotExistException")
        if found.status not in ACTIVE:
            raise RefusalError("DeploymentAlreadyCompletedException")
        if found.stops is None:
            found.stops = self.now + self.chance.uniform(0, STOPS_WITHIN)
        found.roll_back = bool(asked.get("autoRollbackEnabled"))
        return {"status": "Pending"}

    def list_deployment_targets(self, **asked: Any) -> dict[str, Any]:
        """None is told of: the reason of a failure is the deployment's."""
        del asked
        return {"targetIds": []}

    def _group(self, asked: Mapping[str, Any]) -> Group:
        name = asked["deploymentGroupName"]
        if name not in self.groups:
            raise RefusalError("DeploymentGroupDoesNotExistException")
        return self.groups[name]

    def _info(self, one: Deployment) -> dict[str, Any]:
        bucket, key, version = one.place
        info: dict[str, Any] = {
            "deploymentId": one.id,
            "description": one.description,
            "status": one.status,
            "creator": one.creator,
            "createTime": _at(one.created),
            "revision": {
                "revisionType": "S3",
                "s3Location": {"bucket": bucket, "key": key, "version": version},
            },
            "deploymentOverview": _overview(one),
        }
        if one.rollback:
            info["rollbackInfo"] = {"rollbackDeploymentId": one.rollback}
        if one.status == "Failed":
            info["errorInformation"] = {"code": "HEALTH_CONSTRAINTS", "message": "too few healthy"}
        return info


def _overview(one: Deployment) -> dict[str, int]:
    left = INSTANCES - one.done
    if one.status in ACTIVE:
        return {"Succeeded": one.done, "Pending": left, "InProgress": 0, "Failed": 0, "Skipped": 0}
    failed = 1 if one.status == "Failed" else 0
    skipped = left if one.status == "Stopped" else 0
    good = INSTANCES - failed - skipped
    return {"Succeeded": good, "Pending": 0, "InProgress": 0, "Failed": failed, "Skipped": skipped}


def _at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
