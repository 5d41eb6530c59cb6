"""CodeDeploy's answers, as its model spells them, and the clients that give them."""

from datetime import timedelta
from typing import Any

from tests.controlplane.actions.making import NOW, TOKEN

NAMES = {"applicationName": "shop", "deploymentGroupName": "shop-prod"}
S3 = {
    "bucket": "towpath-artifacts-444444444444",
    "key": "releases/shop/shop.zip",
    "bundleType": "zip",
    "version": "v1",
}
REVISION = {"revisionType": "S3", "s3Location": S3}
ACTIVE = ["Created", "Queued", "InProgress", "Baking", "Ready"]


def info(deployment: str = "d-OURS", status: str = "InProgress", **given: Any) -> dict[str, Any]:
    """A DeploymentInfo; ours, by its description."""
    fields: dict[str, Any] = {
        "deploymentId": deployment,
        "status": status,
        "creator": "user",
        "createTime": NOW,
        "description": f"towpath {TOKEN} shop/prod e-1",
        "revision": REVISION,
    }
    return {**fields, **given}


def foreign(deployment: str = "d-THEIRS", status: str = "InProgress") -> dict[str, Any]:
    return info(deployment, status, description="by hand")


def scripted_read(stub: Any, *infos: dict[str, Any], ids: list[str] | None = None) -> None:
    """BatchGetDeployments will be asked for these (or for ids) and answer these."""
    wanted = {"deploymentIds": ids or [one["deploymentId"] for one in infos]}
    stub.add_response("batch_get_deployments", {"deploymentsInfo": list(infos)}, wanted)


def scripted_list(stub: Any, *infos: dict[str, Any], **only: Any) -> None:
    """ListDeployments (with these filters), and the reading of what it lists."""
    ids = [one["deploymentId"] for one in infos]
    stub.add_response("list_deployments", {"deployments": ids}, {**NAMES, **only})
    if infos:
        scripted_read(stub, *infos)


def scripted_find(stub: Any, *infos: dict[str, Any]) -> None:
    """The search for our token among what began since a little before the task did."""
    scripted_list(stub, *infos, createTimeRange={"start": NOW - timedelta(minutes=15)})


def scripted_active(stub: Any, *infos: dict[str, Any]) -> None:
    scripted_list(stub, *infos, includeOnlyStatuses=ACTIVE)
