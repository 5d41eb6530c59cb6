"""What was abandoned is followed to its end, and a newer release to the same group comes after it."""

import pytest

from controlplane.sandbox.simulation import people
from controlplane.sandbox.simulation.cloud import RELEASES
from controlplane.sandbox.simulation.codedeploy import Deployment
from controlplane.sandbox.simulation.invariants import broken
from controlplane.sandbox.simulation.releases import Release
from controlplane.sandbox.simulation.rest import calm, rest
from controlplane.sandbox.simulation.world import World, world

STEP, MOST = 2.0, 60


def uploaded(made: World, name: str) -> None:
    """A good release, of which everybody hears at once."""
    version = made.release(Release(name, made.releases + 1))
    made.feed.add(f"{name}.zip", RELEASES, version, 1)


def go_on(made: World, seconds: float = STEP) -> None:
    made.advance(seconds)
    made.round()
    for replica in made.awake()[:1]:
        made.ask(replica, lambda r: r.sources.take(made.feed))
    assert list(broken(made.look())) == []


def active(made: World, name: str) -> Deployment:
    """The first deployment of an application that runs; time passes until there is one."""
    for _ in range(MOST):
        go_on(made)
        for codedeploy in made.cloud.codedeploy.values():
            for group in codedeploy.groups.values():
                found = group.active()
                if found is not None and group.name.startswith(name):
                    return found
    raise AssertionError("nothing was ever deployed")


@pytest.mark.parametrize("seed", [2, 11])
def test_a_newer_release_waits_for_what_was_abandoned_and_stands_in_the_end(seed: int) -> None:
    with world(seed) as made:
        calm(made)
        made.pauses, name = 0.0, next(iter(made.fleet))
        uploaded(made, name)
        left = active(made, name)
        left.lasts += 120  # so that the newer one has to wait
        about = made.begun[left.id][0]
        assert about is not None
        replica = made.awake()[0]
        made.ask(
            replica,
            lambda r: r.commands.stop(about.execution, people.ANNE, abandon=True, reason="r"),
        )
        uploaded(made, name)
        assert [name for name, _ in rest(made)] == []
        place = next(one for one in made.cloud.codedeploy.values() if left.id in one.by_id)
        group = place.groups[left.group]
        newer = group.deployments[group.deployments.index(left) + 1]
        assert left.status == "Succeeded"
        assert newer.created >= left.created + left.lasts
        assert group.instances == [newer] * len(group.instances)
        told = "SELECT status FROM action_execution WHERE kind = 'abandoned' AND handle = ?"
        assert [row["status"] for row in made.witness.rows(told, left.id)] == ["Succeeded"]
