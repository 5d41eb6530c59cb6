"""Where there is no last known good, a person is told what CodeDeploy put back by itself."""

import pytest

from controlplane.sandbox.scripted import Script, after
from controlplane.store import queries
from monitors.base import Outcome, Progress, Task
from tests.support.house import House, deploying, pipeline, source


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
