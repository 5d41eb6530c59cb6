"""Lambda deployments and the way back, against the sandbox: what counts is where the alias sends traffic."""

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from moto import mock_aws

from controlplane.actions.base import ActionError, MonitorError, Outcome, Progress, Task
from controlplane.actions.codedeploy import CodeDeploy
from controlplane.actions.codedeploy_restore import CodeDeployRestore
from controlplane.actions.codedeploy_stop import CodeDeployStop
from tests.controlplane.actions.making import GROUP, bundle, task
from tests.controlplane.sandbox.codedeploy.functions_lab import FunctionsLab
from tests.support.clients import StubClients


class Way:
    """The three drivers, and the function that they act on."""

    def __init__(self, shop: FunctionsLab) -> None:
        self.shop = shop
        by_name = {"codedeploy": shop.codedeploy, "s3": shop.s3, "lambda": shop.functions}
        self.clients = StubClients(**by_name)
        self.deploy = CodeDeploy(self.clients)
        self.stop, self.restore = CodeDeployStop(self.clients), CodeDeployRestore(self.clients)

    def deploying(self, current: str, target: str) -> Task:
        location, version = self.shop.upload(current, target)
        made = bundle(location=location, version=version)
        token = f"tp-{current}-{target}"
        now = self.shop.clock()
        return task(configuration=GROUP, inputs=(made,), token=token, since=now, now=now)

    def good(self) -> Task:
        """Version 2 was deployed, and is the last known good."""
        one = self.deploying("1", "2")
        self.shop.end(self.deploy.start(one).handle)
        self.shop.clock.advance(60)
        return one

    def bad(self) -> tuple[Task, str]:
        """Version 3 has a tenth of the traffic."""
        one = self.deploying("2", "3")
        begun = self.deploy.start(one).handle
        self.shop.until(begun, 10)
        return one, begun

    def stopping(self, bad: Task, deployment: str) -> Task:
        known = {**GROUP, "DeploymentToken": bad.token, "DeploymentId": deployment}
        return task(configuration=known, token="tp-stop", now=self.shop.clock())

    def restoring(self, good: Task, bad: Task, deployment: str) -> Task:
        (artifact,) = good.inputs
        revision = {"RevisionLocation": artifact.location, "RevisionVersion": artifact.version}
        one = self.stopping(bad, deployment)
        given = {**one.configuration, **revision, "RevisionDigest": artifact.digest}
        return replace(one, configuration=given, token="tp-restore")

    def run(self, driver: Any, one: Task) -> Progress:
        """Start it, and look until it has ended; the sandbox's threads need real time."""
        progress: Progress = driver.start(one)
        deadline = time.monotonic() + 20
        while progress.outcome is Outcome.RUNNING:
            assert time.monotonic() < deadline, progress
            threading.Event().wait(0.01)
            seen = driver.look([replace(one, handle=progress.handle)])[one.token]
            assert not isinstance(seen, MonitorError), seen
            progress = seen
        return progress


@pytest.fixture
def way() -> Iterator[Way]:
    with mock_aws():
        shop = FunctionsLab()
        yield Way(shop)
        shop.close()


def test_what_is_in_flight_is_stopped_and_the_alias_sends_all_traffic_back(way: Way) -> None:
    good, (bad, deployment) = way.good(), way.bad()
    stopped = way.run(way.stop, way.stopping(bad, deployment))
    assert stopped.output["RollbackDeploymentId"]
    assert "LeftAsItIs" not in stopped.output
    restored = way.run(way.restore, way.restoring(good, bad, deployment))
    assert restored.summary.startswith("the alias live of shop is at 2")
    assert way.shop.alias() == ("2", {})


def test_an_alias_that_somebody_left_split_is_made_whole(way: Way) -> None:
    good, (bad, deployment) = way.good(), way.bad()
    way.shop.codedeploy.stop_deployment(deploymentId=deployment, autoRollbackEnabled=False)
    way.shop.end(deployment)
    split = way.run(way.stop, way.stopping(bad, deployment))
    assert "the alias live of shop is split 90/10 between 2 and 3. Run: aws" in split.summary
    assert way.run(way.restore, way.restoring(good, bad, deployment)).outcome is Outcome.SUCCEEDED
    assert way.shop.alias() == ("2", {})


def test_what_was_deployed_in_full_goes_back_without_a_deployment(way: Way) -> None:
    good, (bad, deployment) = way.good(), way.bad()
    way.shop.end(deployment)
    assert way.shop.alias() == ("3", {})
    way.run(way.restore, way.restoring(good, bad, deployment))
    assert way.shop.alias() == ("2", {})
    assert len(way.shop.codedeploy.list_deployments(**GROUP_NAMES)["deployments"]) == 2


GROUP_NAMES = {"applicationName": "shop", "deploymentGroupName": "shop-prod"}


def test_where_nothing_is_put_back_a_person_hears_what_to_run(way: Way) -> None:
    bad = way.deploying("1", "2")
    deployment = way.deploy.start(bad).handle
    way.shop.until(deployment, 10)
    stopped = way.run(way.stop, way.stopping(bad, deployment))
    assert stopped.output["LeftAsItIs"] == (
        "the alias live of shop is split 90/10 between 1 and 2. Run: aws lambda update-alias "
        "--function-name shop --name live --function-version 1 "
        "--routing-config AdditionalVersionWeights={}"
    )


def test_a_version_that_somebody_else_chose_is_not_overwritten(way: Way) -> None:
    good, (bad, deployment) = way.good(), way.bad()
    way.shop.end(deployment)
    way.shop.functions.update_alias(FunctionName="shop", Name="live", FunctionVersion="5")
    with pytest.raises(ActionError, match="version 5 is not overwritten") as caught:
        way.restore.start(way.restoring(good, bad, deployment))
    assert caught.value.permanent
    assert way.shop.alias() == ("5", {})


def test_a_deployment_that_somebody_made_since_is_not_overwritten(way: Way) -> None:
    good, (bad, deployment) = way.good(), way.bad()
    way.shop.end(deployment)
    way.shop.end(way.shop.by_hand("3", "4", description="hot fix"))
    with pytest.raises(ActionError, match=r"by user, 'hot fix', Succeeded\) is newer than"):
        way.restore.start(way.restoring(good, bad, deployment))
    assert way.shop.alias() == ("4", {})


def test_an_alias_that_changes_after_it_was_pointed_back_fails_the_way_back(way: Way) -> None:
    good, (bad, deployment) = way.good(), way.bad()
    way.shop.end(deployment)
    one = way.restoring(good, bad, deployment)
    begun = way.restore.start(one)
    way.shop.functions.update_alias(FunctionName="shop", Name="live", FunctionVersion="5")
    seen = way.restore.look([replace(one, handle=begun.handle)])[one.token]
    assert isinstance(seen, Progress)
    assert seen.outcome is Outcome.FAILED
    assert "is at 5, which" not in seen.summary
    assert "--function-version 2" in seen.summary


def test_a_way_back_that_is_begun_twice_is_the_same(way: Way) -> None:
    good, (bad, deployment) = way.good(), way.bad()
    way.shop.end(deployment)
    one = way.restoring(good, bad, deployment)
    first, second = way.restore.start(one), way.restore.start(replace(one, again=True))
    assert (first.handle, second.outcome) == (second.handle, Outcome.SUCCEEDED)


def test_a_function_acts_under_the_role_that_rolls_back_narrowed_to_it(way: Way) -> None:
    good, (bad, deployment) = way.good(), way.bad()
    way.shop.end(deployment)
    way.clients.asked.clear()
    way.run(way.restore, way.restoring(good, bad, deployment))
    asked = [one for one in way.clients.asked if one.service == "lambda"]
    assert {one.purpose for one in asked} == {"rollback"}
    assert all(":function:shop" in arn for one in asked for arn in one.scope.resources)
