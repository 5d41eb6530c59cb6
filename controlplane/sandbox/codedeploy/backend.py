"""CodeDeploy of one account and region: groups, deployments, one at a time, and their ends."""

import secrets
import string
import threading
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from moto.codedeploy.models import CodeDeployBackend

from controlplane.clock import Clock
from controlplane.sandbox.aws import clock
from controlplane.sandbox.codedeploy.checks import check_request, check_settings
from controlplane.sandbox.codedeploy.configs import DEFAULTS
from controlplane.sandbox.codedeploy.errors import Fault
from controlplane.sandbox.codedeploy.model import (
    AFTER_TRAFFIC,
    BEFORE_TRAFFIC,
    IN_PLACE,
    Deployment,
    Group,
    Host,
    LifecycleEvent,
    Target,
)
from controlplane.sandbox.codedeploy.notices import Notices, guarded
from controlplane.sandbox.codedeploy.rollback import revision_to_restore, wants_rollback
from controlplane.sandbox.codedeploy.rollout import Rollout
from controlplane.sandbox.codedeploy.shifting import Shifting, target_of

STOP_AT_ONCE = 1.0  # seconds that StopDeployment waits for a deployment with nothing in flight


@dataclass
class Surroundings:
    """What the emulated CodeDeploy finds around it.

    hosts: answers the instances of an account and region. closing: set it to end all deployments.
    """

    hosts: Callable[[str, str], Iterable[Host]]
    now: Clock = clock.now
    closing: threading.Event = field(default_factory=threading.Event)
    threads: list[threading.Thread] = field(default_factory=list)

    def close(self) -> None:
        """End every deployment and wait for its threads."""
        self.closing.set()
        for thread in self.threads:
            thread.join(timeout=10)


class Backend(CodeDeployBackend):  # type: ignore[misc]  # moto ships no types that mypy follows
    """CodeDeploy of one account and region. Safe under threads: take `lock` to read or change."""

    surroundings: ClassVar[Surroundings]

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.lock = threading.RLock()
        self.groups: dict[tuple[str, str], Group] = {}
        self.deployments: dict[str, Deployment] = {}
        self.notices = Notices(account_id, region_name)

    # --- groups ---

    def group(self, application: str, name: str) -> Group:
        """Answer the group of that name, or CodeDeploy's refusal."""
        self.get_application(application)
        if (application, name) not in self.groups:
            raise Fault(
                "DeploymentGroupDoesNotExistException",
                f"No Deployment Group found for name: {name}",
            )
        return self.groups[application, name]

    def create_group(self, application: str, name: str, settings: dict[str, Any]) -> Group:
        """Create a deployment group."""
        with self.lock:
            platform = self.get_application(application).compute_platform
            check_settings(settings, platform)
            if (application, name) in self.groups:
                raise Fault(
                    "DeploymentGroupAlreadyExistsException",
                    f"Deployment Group already exists with name: {name}",
                )
            group = Group(application, name, str(uuid.uuid4()), {}, platform)
            group.settings = {"deploymentConfigName": DEFAULTS[platform], **_given(settings)}
            self.groups[application, name] = group
            return group

    def update_group(self, group: Group, name: str, settings: dict[str, Any]) -> None:
        """Change settings of a group, or its name."""
        with self.lock:
            changed = {**group.settings, **_given(settings)}
            check_settings(changed, group.platform)
            if name != group.name and (group.application, name) in self.groups:
                raise Fault(
                    "DeploymentGroupAlreadyExistsException",
                    f"Deployment Group already exists with name: {name}",
                )
            del self.groups[group.application, group.name]
            group.name, group.settings = name, changed
            self.groups[group.application, name] = group

    # --- deployments ---

    def deployment(self, deployment_id: str) -> Deployment:
        """Answer the deployment of that id, or CodeDeploy's refusal."""
        if deployment_id not in self.deployments:
            raise Fault(
                "DeploymentDoesNotExistException",
                f"The deployment {deployment_id} could not be found",
            )
        return self.deployments[deployment_id]

    def of_group(self, group: Group) -> list[Deployment]:
        """List a group's deployments, newest first."""
        return [d for d in reversed(self.deployments.values()) if d.group is group]

    def start(self, group: Group, request: dict[str, Any], creator: str = "user") -> Deployment:
        """Create a deployment and set it to work in a thread of its own."""
        request = _given(request)
        check_request(request, group.platform)
        with self.lock:
            active = next((d.id for d in self.of_group(group) if d.active), None)
            if active:
                raise Fault(
                    "DeploymentLimitExceededException",
                    f"The Deployment Group '{group.name}' already has an active Deployment "
                    f"'{active}'",
                )
            deployment = self._new(group, request, creator)
            self.deployments[deployment.id] = deployment
        name = f"deploy-{deployment.id}"
        thread = threading.Thread(target=self._run, args=(deployment,), name=name, daemon=True)
        self.surroundings.threads.append(thread)
        thread.start()
        return deployment

    def stop(self, deployment: Deployment, roll_back: bool | None) -> str:  # noqa: FBT001
        """Ask a deployment to stop; answer CodeDeploy's status of that: Succeeded or Pending."""
        with self.lock:
            if not deployment.active:
                raise Fault(
                    "DeploymentAlreadyCompletedException",
                    f"The deployment {deployment.id} has already been completed.",
                )
            deployment.roll_back_on_stop = roll_back
            deployment.stop = deployment.stop or (
                "MANUAL_STOP",
                "The deployment was stopped by a user.",
            )
            working = [*deployment.targets.values(), deployment.shift]
            in_flight = any(t is not None and t.status == "InProgress" for t in working)
        if not in_flight:
            deployment.done.wait(STOP_AT_ONCE)
        return "Succeeded" if deployment.done.is_set() else "Pending"

    def _new(self, group: Group, request: dict[str, Any], creator: str) -> Deployment:
        name = "d-" + "".join(
            secrets.choice(string.ascii_uppercase + string.digits) for _ in range(9)
        )
        deployment = Deployment(name, group, request, self._now(), creator)
        deployment.previous_revision = revision_to_restore(self.of_group(group))
        if group.platform == "Lambda":
            deployment.shift = target_of(deployment, self.account_id)
            return deployment
        for host in self._hosts(group):
            events = [LifecycleEvent(event) for event in _events(group)]
            deployment.targets[host.id] = Target(host, events, deployment.created)
        return deployment

    def _hosts(self, group: Group) -> list[Host]:
        filters = group.settings.get("ec2TagFilters") or []
        everyone = self.surroundings.hosts(self.account_id, self.region_name)
        return [host for host in everyone if any(_matches(host, one) for one in filters)]

    def _now(self) -> datetime:
        return self.surroundings.now()

    def _run(self, deployment: Deployment) -> None:
        deployment.status = "Queued"
        around = self.surroundings
        where = (self.account_id, self.region_name)
        common = (*where, around.now, around.closing, self.notices)
        work = (
            Shifting(deployment, deployment.shift, *common)
            if deployment.shift
            else Rollout(deployment, *common)
        )
        status, error = work.run()
        with self.lock:  # nobody sees the end without what follows from it
            deployment.completed, deployment.error, deployment.status = self._now(), error, status
            follower = None if around.closing.is_set() else self._roll_back(deployment)
        deployment.done.set()
        told = {"Succeeded": "Success", "Failed": "Failure", "Stopped": "Stop"}[status]
        guarded(lambda: self.notices.deployment(told, deployment))
        if follower:
            guarded(lambda: self.notices.deployment("Rollback", follower))

    def _roll_back(self, failed: Deployment) -> Deployment | None:
        if not wants_rollback(failed):
            return None
        if not failed.previous_revision:
            failed.rollback = {"rollbackMessage": "There is no successful revision to roll back to"}
            return None
        request = {
            "revision": failed.previous_revision,
            "deploymentConfigName": failed.setting("deploymentConfigName"),
            "fileExistsBehavior": failed.request.get("fileExistsBehavior"),
        }
        follower = self.start(failed.group, request, creator="codeDeployRollback")
        message = f"Deployment {failed.id} was rolled back by deployment {follower.id}"
        follower.rollback = {
            "rollbackTriggeringDeploymentId": failed.id,
            "rollbackMessage": message,
        }
        failed.rollback = {"rollbackDeploymentId": follower.id, "rollbackMessage": message}
        return follower


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _matches(host: Host, one: dict[str, str]) -> bool:
    key, value, kind = one.get("Key"), one.get("Value"), one.get("Type", "KEY_AND_VALUE")
    has_key, has_value = key in host.tags, value in host.tags.values()
    return {
        "KEY_ONLY": has_key,
        "VALUE_ONLY": has_value,
        "KEY_AND_VALUE": has_key and host.tags[str(key)] == value,
    }[kind]


def _events(group: Group) -> tuple[str, ...]:
    style = group.settings.get("deploymentStyle") or {}
    if style.get("deploymentOption") == "WITH_TRAFFIC_CONTROL":
        return (*BEFORE_TRAFFIC, *IN_PLACE, *AFTER_TRAFFIC)
    return IN_PLACE
