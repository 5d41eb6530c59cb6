"""CodeDeploy's operations; moto routes, parses and serialises them by botocore's model."""

from datetime import UTC, datetime
from typing import Any

from moto.codedeploy.responses import CodeDeployResponse
from moto.core.responses import ActionResult, EmptyResult

from controlplane.sandbox.codedeploy import configs, render
from controlplane.sandbox.codedeploy.backend import Backend
from controlplane.sandbox.codedeploy.checks import GROUP_NAMES, check_statuses
from controlplane.sandbox.codedeploy.errors import Fault, limit_batch, not_emulated
from controlplane.sandbox.codedeploy.model import Deployment, Group
from controlplane.sandbox.codedeploy.paging import page

PAGE = 100


class Response(CodeDeployResponse):  # type: ignore[misc]  # moto ships no types that mypy follows
    """One method for each emulated operation; any other is refused by the server."""

    @property
    def _backend(self) -> Backend:
        backend: Backend = self.codedeploy_backend
        return backend

    def _group(self, name: str = "deploymentGroupName") -> Group:
        group = self._get_param(name)
        if not group:
            raise Fault("DeploymentGroupNameRequiredException", "Deployment group name is required")
        return self._backend.group(self._get_param("applicationName"), group)

    def _deployment(self) -> Deployment:
        return self._backend.deployment(self._get_param("deploymentId"))

    # --- applications and configurations ---

    def create_application(self) -> ActionResult:
        platform = self._get_param("computePlatform") or "Server"
        if platform not in configs.PLATFORMS:
            raise not_emulated(f"the compute platform {platform}, only Server and Lambda")
        identity = self._backend.create_application(
            self._get_param("applicationName"), platform, self._get_param("tags")
        )
        return ActionResult({"applicationId": identity})

    def list_deployment_configs(self) -> ActionResult:
        return ActionResult({"deploymentConfigsList": list(configs.NAMES)})

    def get_deployment_config(self) -> ActionResult:
        name = self._get_param("deploymentConfigName")
        return ActionResult({"deploymentConfigInfo": configs.describe(name)})

    # --- groups ---

    def create_deployment_group(self) -> ActionResult:
        given = dict(self._get_params())
        name = given["deploymentGroupName"]
        group = self._backend.create_group(given["applicationName"], name, _settings(given))
        if given.get("tags"):
            arn = f"deploymentgroup:{group.application}/{group.name}"
            self._backend.tagger.tag_resource(self._backend._arn(arn), given["tags"])  # noqa: SLF001
        return ActionResult({"deploymentGroupId": group.id})

    def update_deployment_group(self) -> ActionResult:
        group = self._group("currentDeploymentGroupName")
        given = dict(self._get_params())
        name = given.get("newDeploymentGroupName") or group.name
        self._backend.update_group(group, name, _settings(given))
        return ActionResult({"hooksNotCleanedUp": []})

    def delete_deployment_group(self) -> ActionResult:
        self._get_param("applicationName")
        group = self._group()
        with self._backend.lock:
            del self._backend.groups[group.application, group.name]
        return ActionResult({"hooksNotCleanedUp": []})

    def get_deployment_group(self) -> ActionResult:
        return ActionResult({"deploymentGroupInfo": self._group_info(self._group())})

    def batch_get_deployment_groups(self) -> ActionResult:
        application = self._get_param("applicationName")
        names = limit_batch(self._get_param("deploymentGroupNames"))
        self._backend.get_application(application)
        known = [self._backend.groups.get((application, name)) for name in names]
        absent = [n for n, group in zip(names, known, strict=True) if not group]
        answer: dict[str, Any] = {
            "deploymentGroupsInfo": [self._group_info(group) for group in known if group]
        }
        if absent:
            answer["errorMessage"] = f"Deployment groups do not exist: {', '.join(absent)}"
        return ActionResult(answer)

    def list_deployment_groups(self) -> ActionResult:
        application = self._get_param("applicationName")
        self._backend.get_application(application)
        names = [name for owner, name in self._backend.groups if owner == application]
        names, token = page(names, self._get_param("nextToken"), PAGE)
        return ActionResult(
            {"applicationName": application, "deploymentGroups": names, "nextToken": token}
        )

    def _group_info(self, group: Group) -> dict[str, Any]:
        with self._backend.lock:
            return render.group_info(group, self._backend.of_group(group))

    # --- deployments ---

    def create_deployment(self) -> ActionResult:
        deployment = self._backend.start(self._group(), dict(self._get_params()))
        return ActionResult({"deploymentId": deployment.id})

    def get_deployment(self) -> ActionResult:
        with self._backend.lock:
            return ActionResult({"deploymentInfo": render.deployment_info(self._deployment())})

    def batch_get_deployments(self) -> ActionResult:
        names = limit_batch(self._get_param("deploymentIds"))
        with self._backend.lock:
            known = [self._backend.deployments[n] for n in names if n in self._backend.deployments]
            return ActionResult({"deploymentsInfo": [render.deployment_info(d) for d in known]})

    def list_deployments(self) -> ActionResult:
        check_statuses(self._get_param("includeOnlyStatuses"))
        if self._get_param("externalId"):
            raise not_emulated("the filter externalId")
        with self._backend.lock:
            names = [d.id for d in self._candidates() if self._wanted(d)]
        names, token = page(names, self._get_param("nextToken"), PAGE)
        return ActionResult({"deployments": names, "nextToken": token})

    def stop_deployment(self) -> ActionResult:
        roll_back = self._get_param("autoRollbackEnabled")
        status = self._backend.stop(self._deployment(), roll_back)
        message = {
            "Succeeded": "No more instances can be deployed to: the deployment was stopped.",
            "Pending": "Stopping deployment: an instance is being deployed to.",
        }[status]
        return ActionResult({"status": status, "statusMessage": message})

    def continue_deployment(self) -> EmptyResult:
        deployment = self._deployment()
        if not deployment.active:
            raise Fault("DeploymentAlreadyCompletedException", f"{deployment.id} has ended.")
        raise Fault(
            "UnsupportedActionForDeploymentTypeException",
            "A call was submitted that is not supported for the specified deployment type.",
        )

    def _candidates(self) -> list[Deployment]:
        application, group = (
            self._get_param("applicationName"),
            self._get_param("deploymentGroupName"),
        )
        if application and group:
            return self._backend.of_group(self._group())
        if application or group:
            missing = "DeploymentGroupName" if application else "ApplicationName"
            raise Fault(f"{missing}RequiredException", f"{missing} must be specified")
        return list(reversed(self._backend.deployments.values()))

    def _wanted(self, deployment: Deployment) -> bool:
        statuses, span = (
            self._get_param("includeOnlyStatuses"),
            self._get_param("createTimeRange") or {},
        )
        start, end = _utc(span.get("start")), _utc(span.get("end"))
        if start and end and start > end:
            raise Fault("InvalidTimeRangeException", "The start time must be before the end time.")
        return (
            (not statuses or deployment.status in statuses)
            and (not start or deployment.created >= start)
            and (not end or deployment.created <= end)
        )

    # --- targets ---

    def list_deployment_targets(self) -> ActionResult:
        deployment = self._deployment()
        wanted = (self._get_param("targetFilters") or {}).get("TargetStatus")
        with self._backend.lock:
            targets = [*deployment.targets.items()]
            shift = deployment.shift
            names = [name for name, one in targets if not wanted or one.status in wanted]
            names += [shift.id] if shift and (not wanted or shift.status in wanted) else []
        names, token = page(names, self._get_param("nextToken"), PAGE)
        return ActionResult({"targetIds": names, "nextToken": token})

    def batch_get_deployment_targets(self) -> ActionResult:
        deployment = self._deployment()
        names = limit_batch(self._get_param("targetIds") or [])
        if not names:
            raise Fault("DeploymentTargetIdRequiredException", "A target ID was not provided.")
        with self._backend.lock:
            return ActionResult({"deploymentTargets": [self._target(deployment, n) for n in names]})

    def get_deployment_target(self) -> ActionResult:
        with self._backend.lock:
            target = self._target(self._deployment(), self._get_param("targetId"))
            return ActionResult({"deploymentTarget": target})

    def _target(self, deployment: Deployment, name: str) -> dict[str, Any]:
        if deployment.shift and name == deployment.shift.id:
            arn = self._backend.notices.function_arn(name)
            return render.shift_info(deployment, deployment.shift, arn)
        if name not in deployment.targets:
            raise Fault(
                "DeploymentTargetDoesNotExistException",
                f"The target {name} does not belong to the deployment {deployment.id}",
            )
        arn = self._backend.notices.instance_arn(name)
        return render.target_info(deployment, deployment.targets[name], arn)


def _utc(time: datetime | None) -> datetime | None:
    """Answer a time of moto's parser, which leaves the zone out."""
    return time.replace(tzinfo=UTC) if time and time.tzinfo is None else time


def _settings(given: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if name not in GROUP_NAMES}
