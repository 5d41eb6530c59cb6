"""A stack is a target like any other: its ledger, its last known good, its way back."""

import pytest

from controlplane.sandbox.scripted import after, source_of
from controlplane.store import ledger
from monitors.base import Outcome
from tests.support.house import BAD, GOOD, House, action, pipeline, source

TARGET = "prod//shop"


@pytest.fixture
def house(empty: House) -> House:
    where = {"Account": "prod", "StackName": "shop", "ActionMode": "CREATE_UPDATE"}
    update = action(
        "Update", "CloudFormation", configuration=where, inputArtifacts=[{"name": "App"}]
    )
    stage = {"name": "Prod", "actions": [update], "onFailure": {"result": "ROLLBACK"}}
    empty.apply(pipeline(source(), stage))
    return empty


def test_a_stack_whose_update_fails_goes_back_to_the_template_that_was_good(house: House) -> None:
    house.start()
    house.drivers["S3"].default = source_of(BAD)
    house.drivers["CloudFormation"].default = after(1, Outcome.FAILED, "UPDATE_ROLLBACK_COMPLETE")
    house.start()
    house.wait(20)
    back = house.rows()[0]
    assert (back.type, back.digest, back.rollback_state) == ("ROLLBACK", GOOD, "done")
    (restored,) = house.drivers["CloudFormationRestore"].started
    (undone,) = [
        t for t in house.drivers["CloudFormation"].started if t.execution == back.rolls_back
    ]
    assert restored.configuration["DeploymentToken"] == undone.token
    assert restored.configuration["RevisionDigest"] == GOOD
    with house.database.read() as connection:
        fared = [(one.digest, one.status) for one in ledger.entries(connection, TARGET)]
    assert fared == [(GOOD, "GOOD"), (BAD, "BAD"), (GOOD, "GOOD")]


def test_a_first_update_that_fails_is_stopped_and_a_person_is_paged(house: House) -> None:
    house.drivers["CloudFormation"].default = after(1, Outcome.FAILED, "ROLLBACK_COMPLETE")
    bad = house.start()
    house.wait(20)
    assert any("no last known good" in said for said in house.texts("person.paged", bad))
    assert not house.drivers["CloudFormationRestore"].started
