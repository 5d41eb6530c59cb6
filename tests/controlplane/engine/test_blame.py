"""Who is to blame where several releases share a target, and whom a quarantine keeps out."""

import pytest

from controlplane.sandbox.scripted import after, judging, source_of
from controlplane.store import ledger
from monitors.base import Outcome, Verdict
from tests.support.house import ANNE, BAD, GOOD, House, action, deploying, pipeline, source

WORSE = "sha256:" + "c" * 64


@pytest.fixture
def house(empty: House) -> House:
    return empty


def quarantined(house: House) -> frozenset[str]:
    with house.database.read() as connection:
        return ledger.quarantined(connection)


def released(house: House, digest: str, name: str = "shop") -> str:
    house.drivers["S3"].default = source_of(digest)
    execution = house.start(name)
    house.wait(3)
    return execution


def test_one_bad_release_does_not_condemn_those_it_overtook(house: House) -> None:
    house.apply(pipeline(source(), deploying("Prod"), mode="PARALLEL"))
    released(house, GOOD)
    house.wait(20)
    fine, worse = released(house, BAD), released(house, WORSE)
    house.drivers["CloudWatchAlarm"].default = judging(Verdict.FAIL)
    house.wait(30)
    assert quarantined(house) == {WORSE}
    assert {house.execution(one).status for one in (fine, worse)} == {"Failed"}
    assert [row.rolls_back for row in house.rows() if row.type == "ROLLBACK"] == [worse]


def test_a_quarantined_digest_gets_into_no_stage_of_another_pipeline(house: House) -> None:
    house.apply(pipeline(source(), deploying("Prod")))
    house.apply(pipeline(source(), deploying("Dev"), name="other"))
    released(house, GOOD)
    house.wait(20)
    house.drivers["CloudWatchAlarm"].default = judging(Verdict.FAIL)
    released(house, BAD)
    house.wait(20)
    refused = released(house, BAD, "other")
    assert house.stages(refused) == {"Source": "Succeeded", "Dev": "Cancelled"}
    assert "a person must lift it with a reason" in house.execution(refused).reason


def test_a_digest_that_goes_bad_elsewhere_gets_no_further_where_it_is(house: House) -> None:
    checks = {"name": "Check", "actions": [action("Smoke", "NoOp")]}
    house.apply(pipeline(source(), deploying("Prod")))
    house.apply(pipeline(source(), checks, deploying("Dev"), name="other"))
    released(house, GOOD)
    house.wait(20)
    house.drivers["NoOp"].default = after(60)
    inside = released(house, BAD, "other")
    house.drivers["CloudWatchAlarm"].default = judging(Verdict.FAIL)
    released(house, BAD)
    house.wait(400, step=5)
    assert house.stages(inside) == {"Source": "Succeeded", "Check": "Succeeded", "Dev": "Cancelled"}


def test_one_that_waits_in_front_is_turned_away_when_the_way_opens(house: House) -> None:
    house.apply(pipeline(source(), deploying("Prod")))
    house.apply(pipeline(source(), deploying("Dev"), name="other"))
    released(house, GOOD)
    house.wait(20)
    house.commands.disable_transition("other", "Dev", ANNE, reason="freeze")
    waits = released(house, BAD, "other")
    house.drivers["CloudWatchAlarm"].default = judging(Verdict.FAIL)
    released(house, BAD)
    house.wait(20)
    house.commands.enable_transition("other", "Dev", ANNE, reason="freeze is over")
    assert house.stages(waits)["Dev"] == "Cancelled"


def test_a_failed_stage_that_is_not_rolled_back_follows_what_is_under_way(house: House) -> None:
    stage = deploying("Prod", watched=False)
    where = {"Account": "prod", "ApplicationName": "shop", "DeploymentGroupName": "other"}
    other = action("Other", "CodeDeploy", configuration=where, inputArtifacts=[{"name": "App"}])
    del stage["onFailure"]
    house.apply(pipeline(source(), {**stage, "actions": [*stage["actions"], other]}))
    house.drivers["CodeDeploy"].scripts = {
        "Deploy": after(0, Outcome.FAILED),
        "Other": after(10),
    }
    execution = released(house, GOOD)
    assert house.stages(execution)["Prod"] == "Stopping"
    house.wait(100)
    assert house.stages(execution)["Prod"] == "Failed"
    assert "action.succeeded" in house.kinds(execution)
