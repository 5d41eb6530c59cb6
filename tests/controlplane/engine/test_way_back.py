"""Where there is no last known good, a person is told what CodeDeploy put back by itself."""

import json

import pytest

from controlplane.api.words import next_step
from controlplane.sandbox.scripted import Script, after, source_of
from controlplane.store import queries
from monitors.base import Outcome, Progress, Task
from tests.support.house import ANNE, BAD, House, deploying, pipeline, source


@pytest.fixture
def house(empty: House) -> House:
    empty.apply(pipeline(source(), deploying("Prod")))
    empty.drivers["CodeDeploy"].default = after(1, Outcome.FAILED, "ScriptFailed: exit 1")
    return empty


def rolled_back_by(deployment: str) -> Script:
    """A stop after which CodeDeploy rolled back by itself, or did not."""
    output = {"RollbackDeploymentId": deployment, "RolledBackTo": "s3://a/b.zip?versionId=v1"}

    def script(_task: Task, _asked: int) -> Progress:
        return Progress(Outcome.SUCCEEDED, "d-1", "d-1 is stopped", output=output)

    return script


def left_as_it_is(_task: Task, _asked: int) -> Progress:
    output = {"RollbackDeploymentId": "", "LeftAsItIs": "the alias live of shop is split 90/10"}
    return Progress(Outcome.SUCCEEDED, "d-1", "d-1 is stopped", output=output)


def paged(house: House) -> list[str]:
    """What the way back of the release paged a person for."""
    with house.database.read() as connection:
        told = queries.events_after(connection, 0, execution=house.rows()[0].id, limit=5000)
    return [event.text for event in told if event.kind == "person.paged"]


def test_what_codedeploy_remembers_is_not_known_to_be_good(house: House) -> None:
    house.drivers["CodeDeployStop"].default = rolled_back_by("d-2")
    house.start()
    house.wait(10)
    assert house.rows()[0].rollback_state == "done"
    (said,) = paged(house)
    assert "Prod now serves s3://a/b.zip?versionId=v1, which nobody knows to be good" in said


def test_where_codedeploy_put_nothing_back_the_first_page_is_enough(house: House) -> None:
    house.drivers["CodeDeployStop"].default = rolled_back_by("")
    house.start()
    house.wait(10)
    assert house.rows()[0].rollback_state == "done"
    assert paged(house) == []


def test_what_was_left_half_done_is_told_in_words(house: House) -> None:
    house.drivers["CodeDeployStop"].default = left_as_it_is
    house.start()
    house.wait(10)
    (said,) = paged(house)
    assert "Prod is left as it is: the alias live of shop is split 90/10" in said


def test_a_person_is_told_what_to_do_next(house: House) -> None:
    house.drivers["CodeDeployStop"].default = after(0, Outcome.FAILED, "AccessDenied")
    execution = house.start()
    house.wait(10)
    assert (house.rows()[0].rollback_state, next_step(house.execution(execution))) == ("failed", "")
    assert "towpath rollback shop Prod -m WHY" in next_step(house.rows()[0])


def test_what_codedeploy_must_not_put_back_is_told_to_the_stop(empty: House) -> None:
    house = empty
    house.apply(pipeline(source(), deploying("Prod")))
    house.drivers["CodeDeploy"].default = after(1, Outcome.FAILED, "ScriptFailed: exit 1")
    first = house.start()
    house.wait(10)
    house.commands.enable_transition("shop", "Prod", ANNE, reason="once more")
    house.drivers["S3"].default = source_of(BAD)
    house.start()
    house.wait(10)
    (_, stopped) = house.drivers["CodeDeployStop"].started
    listed = json.loads(stopped.configuration["QuarantinedRevisions"])
    copies = [f"s3://source/{digest[-8:]}.zip" for digest in (BAD, house.execution(first).digest)]
    assert listed == [[location, "v1"] for location in copies]
