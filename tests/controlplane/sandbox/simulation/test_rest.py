"""What must hold when all is quiet is proven to be able to fail: a quiet world is broken by hand."""

from collections.abc import Iterator
from typing import Any

import pytest

from controlplane.sandbox.simulation import people
from controlplane.sandbox.simulation.cloud import RELEASES
from controlplane.sandbox.simulation.releases import Flaw, Release
from controlplane.sandbox.simulation.rest import at_rest, bad, calm, rest, stuck
from controlplane.sandbox.simulation.world import World, world


@pytest.fixture
def quiet() -> Iterator[World]:
    with world(1) as made:
        calm(made)
        made.look()
        yield made


def written(made: World, statement: str) -> None:
    with made.database.begin() as connection:
        connection.exec_driver_sql(statement)


def started(made: World) -> str:
    """An execution of the first pipeline that nobody works on."""
    name = next(iter(made.fleet))
    made.cloud.release(Release(name, 1))
    replica = made.awake()[0]
    ids: list[str] = []
    made.ask(replica, lambda r: ids.append(r.commands.start(name, people.ANNE)))
    made.look()
    return ids[0]


def test_a_quiet_world_is_in_order(quiet: World) -> None:
    started(quiet)
    assert not list(rest(quiet))
    assert not quiet.mirror.open


def test_an_execution_that_nobody_works_on_is_stuck(quiet: World) -> None:
    execution = started(quiet)
    assert any(execution in what for what in stuck(quiet))
    quiet.advance(90)
    assert any("was due" in what for what in stuck(quiet))


def outbox(status: str) -> str:
    return (
        "INSERT INTO outbox (event_id, execution_id, provider, place, configuration, status, fence,"
        f" attempts, error) VALUES (1, '', 'SNS', 'p', '{{}}', '{status}', 0, 0, 'SNS is away')"
    )


@pytest.mark.parametrize(
    ("status", "name"),
    [("PENDING", "nothing is stuck"), ("DEAD", "everything told was sent or is given up")],
)
def test_a_notification_that_was_lost_is_seen(quiet: World, status: str, name: str) -> None:
    written(quiet, outbox(status))
    assert [found for found, _ in at_rest(quiet)] == [name]


def serving(made: World, **call: Any) -> Any:
    """A target serves a release that is bad there, deployed by Towpath or by hand."""
    target = next(one for one in made.targets if one.goes_back)
    release = Release(target.pipeline, 1, Flaw.ALARMS, target.account)
    version = made.cloud.release(release)
    codedeploy = made.cloud.codedeploy[target.account, target.region]
    group = codedeploy.groups[target.group]
    place = (RELEASES, f"{target.pipeline}.zip", version)
    codedeploy.create(group, place, **call)
    made.advance(60)
    return target


def test_a_bad_release_that_nobody_was_told_of_is_seen(quiet: World) -> None:
    serving(quiet, description="towpath tp-1 shop/Prod e-1")
    assert len(list(bad(quiet))) == 1


def test_a_bad_release_is_known_once_a_person_was_paged(quiet: World) -> None:
    target = serving(quiet, description="towpath tp-1 shop/Prod e-1")
    quiet.pages[target.pipeline, target.stage] = quiet.witness.last_event + 1
    assert not list(bad(quiet))


def test_what_somebody_deployed_by_hand_is_theirs(quiet: World) -> None:
    serving(quiet, description="by hand")
    assert not list(bad(quiet))
