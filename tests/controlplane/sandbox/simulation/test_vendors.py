"""The simulated vendors behave as AWS does where the drivers would notice."""

from random import Random
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from accounts.models import Purpose
from controlplane.sandbox.simulation.cloud import RELEASES, Cloud, SimulatedClients
from controlplane.sandbox.simulation.cloudwatch import Sight
from controlplane.sandbox.simulation.releases import Flaw, Release
from controlplane.sandbox.simulation.weather import Mood, Spell, Weather

NOW = 1_767_603_600.0
PLACE = ("dev", "eu-west-1")
GROUP = {"applicationName": "shop", "deploymentGroupName": "shop-dev"}


@pytest.fixture
def cloud() -> Cloud:
    made = Cloud(Random(1), Weather(Random(1), clear=True), NOW)
    made.add_group(PLACE, "shop-dev", auto=False)
    made.tick(NOW)
    return made


def client(cloud: Cloud, service: str = "codedeploy") -> Any:
    return SimulatedClients(cloud).client(service, *PLACE, Purpose.DEPLOY)


def deploy(cloud: Cloud, number: int, flaw: Flaw = Flaw.NONE) -> str:
    version = cloud.release(Release("shop", number, flaw, "dev"))
    s3 = {"bucket": RELEASES, "key": "shop.zip", "version": version}
    revision = {"revisionType": "S3", "s3Location": s3}
    made = client(cloud).create_deployment(**GROUP, revision=revision, description="towpath tp-1 x")
    return str(made["deploymentId"])


def status(cloud: Cloud, deployment: str) -> str:
    (info,) = client(cloud).batch_get_deployments(deploymentIds=[deployment])["deploymentsInfo"]
    return str(info["status"])


def code(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def test_a_group_has_one_active_deployment(cloud: Cloud) -> None:
    first = deploy(cloud, 1)
    with pytest.raises(ClientError) as refused:
        deploy(cloud, 2)
    assert code(refused) == "DeploymentLimitExceededException"
    cloud.tick(NOW + 60)
    assert status(cloud, first) == "Succeeded"
    assert status(cloud, deploy(cloud, 2)) == "Created"


def test_a_bad_release_fails_and_stays_on_the_instances_that_it_reached(cloud: Cloud) -> None:
    bad = deploy(cloud, 1, Flaw.FAILS)
    cloud.tick(NOW + 60)
    assert status(cloud, bad) == "Failed"
    assert [release.number for _, release in cloud.served(PLACE, "shop-dev")] == [1, 1]


def test_a_stop_with_a_rollback_brings_back_what_succeeded_before(cloud: Cloud) -> None:
    deploy(cloud, 1)
    cloud.tick(NOW + 60)
    bad = deploy(cloud, 2)
    client(cloud).stop_deployment(deploymentId=bad, autoRollbackEnabled=True)
    cloud.tick(NOW + 64)
    assert status(cloud, bad) == "Stopped"
    cloud.tick(NOW + 180)
    assert [release.number for _, release in cloud.served(PLACE, "shop-dev")] == [1, 1]


def alarm(cloud: Cloud) -> str:
    answer = client(cloud, "cloudwatch").describe_alarms(AlarmNames=["shop-dev"])
    return str(answer["MetricAlarms"][0]["StateValue"])


def test_the_alarm_follows_what_is_served_and_what_the_monitoring_sees(cloud: Cloud) -> None:
    assert alarm(cloud) == "OK"
    deploy(cloud, 1, Flaw.ALARMS)
    cloud.tick(NOW + 60)
    assert alarm(cloud) == "ALARM"
    watching = cloud.cloudwatch[PLACE]
    watching.sight, watching.sight_until = Sight.ABSENT, NOW + 90
    cloud.tick(NOW + 70)
    assert alarm(cloud) == "INSUFFICIENT_DATA"


def test_a_time_out_after_the_effect_hides_a_deployment_that_is_there(cloud: Cloud) -> None:
    cloud.weather.spells.append(Spell(Mood.LOST, "dev", "codedeploy", NOW + 1, 1.0))
    with pytest.raises(ReadTimeoutError):
        deploy(cloud, 1)
    cloud.tick(NOW + 2)
    assert len(client(cloud).list_deployments(**GROUP)["deployments"]) == 1


def test_what_is_denied_for_ever_stays_when_the_weather_clears(cloud: Cloud) -> None:
    for until in (NOW + 60, float("inf")):
        cloud.weather.spells.append(Spell(Mood.DENIED, "dev", "s3", until, 1.0))
    cloud.weather.clear_up()
    with pytest.raises(ClientError) as refused:
        client(cloud, "s3").head_object(Bucket=RELEASES, Key="shop.zip")
    assert code(refused) == "AccessDeniedException"
    assert len(cloud.weather.spells) == 1
