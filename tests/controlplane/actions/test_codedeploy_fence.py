"""What somebody deployed by hand since is not overwritten, and a person is told what and whose it is."""

from datetime import timedelta
from typing import Any

import pytest

from controlplane.actions import codedeploy_api as api
from controlplane.actions import codedeploy_fence as fence
from controlplane.actions.base import ActionError
from tests.controlplane.actions.codedeploy_answers import NAMES, info, scripted_list, scripted_read
from tests.controlplane.actions.making import GROUP, NOW, task
from tests.support.clients import stubbed

UNDONE = info("d-BAD", "Failed", description="towpath tp-bad shop/prod e-1")
LATER = NOW + timedelta(minutes=5)
BACK = {"rollbackTriggeringDeploymentId": "d-BAD"}
OF_OURS = [
    info("d-BAD"),
    info("d-1", description="towpath tp-bad shop/prod e-1"),
    info("d-1", description="towpath tp-old restores shop/prod e-0", createTime=LATER),
    info("d-1", description="", creator="codeDeployRollback", rollbackInfo=BACK, createTime=LATER),
    info("d-1", description="", creator="autoscaling", createTime=LATER),
    info("d-1", description="by hand", createTime=NOW - timedelta(hours=1)),
]
OF_STRANGERS = [
    info("d-1", description="by hand", createTime=LATER),
    info("d-1", description="towpath tp-new shop/prod e-2", createTime=LATER),
    info("d-1", description="towpath tp-new restores other/prod e-2", createTime=LATER),
    info("d-1", description="", creator="codeDeployRollback", createTime=LATER),
]


def restoring(deployment: str = "d-BAD", **given: Any) -> Any:
    known = {**GROUP, "DeploymentToken": "tp-bad", "DeploymentId": deployment}
    return task(**{"configuration": known, **given})


def group(client: Any) -> api.Group:
    return api.Group(client, "prod", "shop", "shop-prod")


@pytest.mark.parametrize("newest", OF_OURS)
def test_what_is_ours_or_older_is_no_stranger(newest: dict[str, Any]) -> None:
    with stubbed("codedeploy") as (client, stub):
        if not fence._ours(restoring(), newest):
            scripted_read(stub, UNDONE)
        fence.refuse_strangers(restoring(), group(client), newest)


@pytest.mark.parametrize("newest", OF_STRANGERS)
def test_what_is_newer_and_not_ours_is_not_overwritten(newest: dict[str, Any]) -> None:
    with stubbed("codedeploy") as (client, stub):
        scripted_read(stub, UNDONE)
        with pytest.raises(ActionError, match="not overwritten") as caught:
            fence.refuse_strangers(restoring(), group(client), newest)
    assert caught.value.permanent
    assert "d-1 of shop/shop-prod in prod (by " in str(caught.value)
    assert "(d-BAD)" in str(caught.value)


@pytest.mark.parametrize(
    ("description", "ours"), [("towpath tp-x shop/prod e-0", True), ("x", False)]
)
def test_where_ours_never_arrived_only_what_this_stage_put_there_is_ours(
    description: str,
    ours: bool,
) -> None:
    since = NOW - api.LOOKED_BACK - api.SKEW
    with stubbed("codedeploy") as (client, stub):
        scripted_list(stub, createTimeRange={"start": since})
        newest = info("d-1", description=description, createTime=LATER)
        try:
            fence.refuse_strangers(restoring(""), group(client), newest)
        except ActionError:
            assert not ours
        else:
            assert ours


def test_a_way_back_that_was_planned_before_there_was_a_fence_has_none() -> None:
    with stubbed("codedeploy") as (client, _):
        fence.refuse_strangers(task(configuration=GROUP), group(client), OF_STRANGERS[0])


def test_a_group_without_deployments_remembers_nothing() -> None:
    with stubbed("codedeploy") as (client, stub):
        stub.add_response("get_deployment_group", {"deploymentGroupInfo": {}}, NAMES)
        assert fence.remembered(group(client)) == fence.Memory("", "")
