"""ECS of one account and region, as plain calls: botocore's shapes in and out, Fault where it refuses."""

import threading
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from controlplane.sandbox.aws.faults import Fault
from controlplane.sandbox.aws.paging import page
from controlplane.sandbox.ecs.definitions import Definitions
from controlplane.sandbox.ecs.rollouts import Course, Service

MOST = 100
AT_ONCE = 10
"""Services that one DescribeServices takes."""
WRONG = "InvalidParameterException"

Asked = Mapping[str, Any]


class Ecs:
    """Clusters, services and task definitions; time passes when `advance` says so, or somebody asks."""

    def __init__(self, account: str, region: str) -> None:
        """Begin with nothing."""
        self.where = f"arn:aws:ecs:{region}:{account}"
        self.lock = threading.RLock()
        self.definitions = Definitions(account, region)
        self.clusters: dict[str, dict[str, Any]] = {}
        self.services: dict[tuple[str, str], Service] = {}
        self.courses: dict[tuple[str, str], Course] = {}

    def advance(self, now: datetime) -> None:
        """Let what is due by now happen."""
        with self.lock:
            for service in self.services.values():
                service.advance(now)

    def create_cluster(self, asked: Asked, _now: datetime) -> dict[str, Any]:
        name = str(asked.get("clusterName") or "default")
        arn = f"{self.where}:cluster/{name}"
        self.clusters[name] = {"clusterArn": arn, "clusterName": name, "status": "ACTIVE"}
        return {"cluster": self.clusters[name]}

    def register_task_definition(self, asked: Asked, now: datetime) -> dict[str, Any]:
        return self.definitions.register(asked, now)

    def describe_task_definition(self, asked: Asked, _now: datetime) -> dict[str, Any]:
        return self.definitions.describe(asked)

    def list_task_definitions(self, asked: Asked, _now: datetime) -> dict[str, Any]:
        return self.definitions.list(asked)

    def deregister_task_definition(self, asked: Asked, _now: datetime) -> dict[str, Any]:
        return self.definitions.deregister(asked)

    def create_service(self, asked: Asked, now: datetime) -> dict[str, Any]:
        cluster, name = self._cluster(asked), str(asked["serviceName"])
        if (cluster, name) in self.services:
            raise Fault(WRONG, "Creation of service was not idempotent.")
        definition = self.definitions.find(str(asked["taskDefinition"]))["taskDefinitionArn"]
        made = Service(name, cluster, self.where, dict(asked), now)
        self.services[cluster, name] = made
        made.begin(definition, Course(0.0), now)
        made.advance(now)
        return {"service": made.describe()}

    def update_service(self, asked: Asked, now: datetime) -> dict[str, Any]:
        """Begin a deployment; the task definition that it has already begins none, but where forced."""
        service = self._service(asked)
        wanted = str(asked.get("taskDefinition") or service.primary.definition)
        definition = self.definitions.find(wanted)["taskDefinitionArn"]
        service.asked |= {
            key: value
            for key, value in asked.items()
            if key in ("desiredCount", "deploymentConfiguration") and value is not None
        }
        if definition != service.primary.definition or asked.get("forceNewDeployment"):
            course = self.courses.get((service.cluster, service.name), Course())
            service.begin(definition, course, now)
        return {"service": service.describe()}

    def describe_services(self, asked: Asked, _now: datetime) -> dict[str, Any]:
        cluster, names = self._cluster(asked), [str(one) for one in asked["services"]]
        if len(names) > AT_ONCE:
            raise Fault(WRONG, "services can have at most 10 items.")
        known = [(name, self.services.get((cluster, name.rpartition("/")[2]))) for name in names]
        missing = f"{self.where}:service/{cluster}"
        return {
            "services": [found.describe() for _, found in known if found],
            "failures": [
                {"arn": f"{missing}/{name}", "reason": "MISSING"}
                for name, found in known
                if not found
            ],
        }

    def list_service_deployments(self, asked: Asked, _now: datetime) -> dict[str, Any]:
        """List what UpdateService began, the newest first."""
        service = self._service(asked)
        shown = [
            {
                "serviceDeploymentArn": f"{self.where}:service-deployment/{service.name}/{one.number}",
                "serviceArn": service.arn,
                "clusterArn": f"{self.where}:cluster/{service.cluster}",
                "createdAt": one.began,
                "targetServiceRevisionArn": service.revision(one),
                "status": one.ended,
                "statusReason": one.reason,
            }
            for one in reversed(service.rollouts)
            if not one.by_ecs
        ]
        most = min(int(asked.get("maxResults") or MOST), MOST)
        part, token = page(shown, most, asked.get("nextToken"), WRONG)
        return {"serviceDeployments": part, **({"nextToken": token} if token else {})}

    def describe_service_revisions(self, asked: Asked, _now: datetime) -> dict[str, Any]:
        known = {
            service.revision(one): one
            for service in self.services.values()
            for one in service.rollouts
        }
        found = [(arn, known.get(arn)) for arn in asked["serviceRevisionArns"]]
        return {
            "serviceRevisions": [
                {"serviceRevisionArn": arn, "taskDefinition": one.definition}
                for arn, one in found
                if one
            ],
            "failures": [{"arn": arn, "reason": "MISSING"} for arn, one in found if not one],
        }

    def _cluster(self, asked: Asked) -> str:
        name = str(asked.get("cluster") or "default").rpartition("/")[2]
        if name not in self.clusters:
            raise Fault("ClusterNotFoundException", "Cluster not found.")
        return name

    def _service(self, asked: Asked) -> Service:
        found = self.services.get((self._cluster(asked), str(asked["service"]).rpartition("/")[2]))
        if found is None:
            raise Fault("ServiceNotFoundException", "Service not found.")
        return found


OPERATIONS = (
    "create_cluster",
    "create_service",
    "deregister_task_definition",
    "describe_service_revisions",
    "describe_services",
    "describe_task_definition",
    "list_service_deployments",
    "list_task_definitions",
    "register_task_definition",
    "update_service",
)
"""What is emulated, as boto3's methods are named."""
