"""A service is given other images once a token, followed to its end, and brought back to what stood before."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from controlplane.actions.base import ActionError, MonitorError, Outcome, Progress, Task
from controlplane.actions.ecs import Ecs
from controlplane.actions.ecs_back import EcsRestore, EcsStop
from controlplane.actions.ecs_definitions import BEFORE, DIGEST, TOKEN
from tests.controlplane.actions.fake_ecs import (
    BREAKER,
    PROXY,
    FakeEcs,
    image_definitions,
    listed,
    zipped,
)
from tests.controlplane.actions.fake_s3 import FakeS3
from tests.controlplane.actions.making import NOW, bundle, task
from tests.support.clients import StubClients
from tests.support.scripted import scripted

NAMED = {"ClusterName": "shop", "ServiceName": "web"}
PLACE = "s3://releases/images.zip"


class World:
    """An ECS, an S3, and the three drivers."""

    def __init__(self, content: bytes = image_definitions(web="web:2"), **service: Any) -> None:
        self.ecs, self.s3 = FakeEcs(), FakeS3()
        self.ecs.serve(**service)
        self.first = self.ecs.runs
        self.s3.put("releases", "images.zip", content)
        client = scripted("ecs", **self.ecs.operations())
        self.clients = StubClients(ecs=client, s3=self.s3)
        self.deploy, self.stop = Ecs(self.clients), EcsStop(self.clients)
        self.restore = EcsRestore(self.clients)

    def tags(self, arn: str) -> dict[str, str]:
        return {one["key"]: one["value"] for one in self.ecs.ecs.definitions.tags[arn]}

    def look(self, driver: Any, one: Task, begun: Progress) -> Progress:
        seen = driver.look([replace(one, handle=begun.handle)])[one.token]
        assert isinstance(seen, Progress), seen
        return seen


def releasing(**more: str) -> Task:
    return task(configuration={**NAMED, **more}, inputs=(bundle(location=PLACE),))


def undoing(**more: str) -> Task:
    known = {**NAMED, "DeploymentToken": "tp-bad", "RevisionDigest": "sha256:good"}
    return task(configuration={**known, **more}, token="tp-back")


def refused(call: Callable[[], object]) -> ActionError:
    with pytest.raises(ActionError) as caught:
        call()
    return caught.value


def test_only_the_images_that_are_named_change_and_all_else_stays() -> None:
    world = World()
    world.deploy.start(releasing())
    (asked,) = world.ecs.calls("register_task_definition")
    assert asked["containerDefinitions"] == [{"name": "web", "image": "web:2", "cpu": 5}, PROXY]
    assert (asked["family"], asked["networkMode"]) == ("web", "awsvpc")
    (updated,) = world.ecs.calls("update_service")
    assert updated == {"cluster": "shop", "service": "web", "taskDefinition": world.ecs.runs}


def test_what_stood_before_is_on_record_before_the_service_is_touched() -> None:
    world = World()
    world.deploy.start(releasing())
    tags = world.tags(world.ecs.runs)
    digest = bundle().digest
    assert tags == {"team": "shop", TOKEN: task().token, BEFORE: world.first, DIGEST: digest}
    names = [name for name, _ in world.ecs.asked]
    assert names.index("register_task_definition") < names.index("update_service")


def test_it_is_followed_to_its_end() -> None:
    world = World()
    begun = world.deploy.start(releasing())
    running = world.look(world.deploy, releasing(), begun)
    assert (running.outcome, "0 of 2 tasks run" in running.summary) == (Outcome.RUNNING, True)
    world.ecs.later()
    assert world.look(world.deploy, releasing(), begun).outcome is Outcome.SUCCEEDED


def test_one_that_the_circuit_breaker_rolls_back_has_failed_and_says_why() -> None:
    world = World(deploymentConfiguration=BREAKER)
    world.ecs.goes(fails="no such image")
    begun = world.deploy.start(releasing())
    world.ecs.later()
    failed = world.look(world.deploy, releasing(), begun)
    assert failed.outcome is Outcome.FAILED
    assert "circuit breaker" in failed.summary and "rolling back" in failed.summary
    world.ecs.later()  # and once ECS shows it no more
    late = world.look(world.deploy, releasing(), begun)
    assert (late.outcome, "ROLLBACK_SUCCESSFUL" in late.summary) == (Outcome.FAILED, True)


def test_one_that_fails_without_a_circuit_breaker_ends_by_its_time_out() -> None:
    world = World()
    world.ecs.goes(fails="no such image")
    begun = world.deploy.start(releasing())
    world.ecs.later()
    one = releasing(DeploymentTimeout="10")
    assert "no such image" in world.look(world.deploy, one, begun).summary
    late = replace(one, now=NOW + timedelta(minutes=10))
    assert world.look(world.deploy, late, begun).outcome is Outcome.FAILED


def test_how_ours_ended_is_told_though_somebody_went_on() -> None:
    world = World()
    begun = world.deploy.start(releasing())
    world.ecs.later()
    world.ecs.update(world.first)
    assert world.look(world.deploy, releasing(), begun).outcome is Outcome.SUCCEEDED
    world.ecs.later()
    assert world.look(world.deploy, releasing(), begun).outcome is Outcome.SUCCEEDED


def test_a_deployment_that_is_not_shown_yet_is_looked_at_again() -> None:
    world = World()
    seen = world.deploy.look([replace(releasing(), handle=world.ecs.register("web:2"))])
    error = seen[task().token]
    assert isinstance(error, MonitorError) and not error.permanent


def test_a_second_try_after_the_update_begins_nothing() -> None:
    world = World()
    first = world.deploy.start(releasing())
    again = world.deploy.start(replace(releasing(), again=True))
    assert (again.handle, world.ecs.begun) == (first.handle, 1)


def test_a_second_try_before_the_update_deploys_the_revision_that_is_there() -> None:
    world = World()
    made = world.ecs.register("web:2", **{TOKEN: task().token, BEFORE: world.first})
    begun = world.deploy.start(replace(releasing(), again=True))
    assert (begun.handle, world.ecs.runs) == (made, made)
    assert not world.ecs.calls("register_task_definition")


def test_a_second_try_after_ecs_rolled_the_first_back_does_not_deploy_it_again() -> None:
    world = World(deploymentConfiguration=BREAKER)
    world.ecs.goes(fails="no such image")
    world.deploy.start(releasing())
    world.ecs.later()
    world.ecs.later()
    again = world.deploy.start(replace(releasing(), again=True))
    assert world.ecs.begun == 1
    assert world.look(world.deploy, releasing(), again).outcome is Outcome.FAILED


def test_a_revision_that_was_made_of_something_else_is_not_deployed() -> None:
    world = World()
    world.ecs.register("web:2", **{TOKEN: task().token, BEFORE: world.first})
    other = world.ecs.register("web:hotfix")
    world.ecs.update(other)
    world.ecs.later()
    world.deploy.start(replace(releasing(), again=True))
    assert world.tags(world.ecs.runs)[BEFORE] == other


def test_somebody_elses_deployment_is_waited_for() -> None:
    world = World()
    world.ecs.update(world.ecs.register("web:hotfix"))
    error = refused(lambda: world.deploy.start(releasing()))
    assert "waiting for service shop/web in prod, which goes to web:2" in str(error)
    assert not error.permanent


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"no zip", "cannot be read"),
        (zipped("other.json", "[]"), "imagedefinitions.json in s3://releases/images.zip cannot"),
        (zipped("imagedefinitions.json", "{"), "is no JSON"),
        (zipped("imagedefinitions.json", "{}"), "must be a list"),
        (zipped("imagedefinitions.json", '[{"name": "web"}]'), "entry 0 must be"),
        (zipped("imagedefinitions.json", "[" * 90_000), "is no JSON"),
        (zipped("imagedefinitions.json", " " * 102_401), "over 102400 bytes"),
        (image_definitions(worker="web:2"), "has no container worker: it has web, proxy"),
    ],
)
def test_what_names_no_images_is_refused_and_nothing_is_changed(content: bytes, said: str) -> None:
    world = World(content)
    error = refused(lambda: world.deploy.start(releasing()))
    assert error.permanent and said in str(error)
    assert (world.ecs.runs, world.ecs.begun) == (world.first, 0)


def test_the_file_may_have_another_name() -> None:
    world = World(zipped("out/images.json", listed({"web": "web:3"})))
    world.deploy.start(releasing(FileName="out/images.json"))
    assert world.ecs.begun == 1


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"ServiceName": "other"}, "There is no service shop/other in prod"),
        ({"ClusterName": "other"}, "Cluster not found"),
    ],
)
def test_a_service_that_is_not_there_is_told(given: dict[str, str], said: str) -> None:
    error = refused(lambda: World().deploy.start(releasing(**given)))
    assert said in str(error) and error.permanent


def test_a_service_that_codedeploy_deploys_is_left_to_it() -> None:
    world = World(deploymentController={"type": "CODE_DEPLOY"})
    assert "deployed by CODE_DEPLOY" in str(refused(lambda: world.deploy.start(releasing())))


def test_a_deployment_that_is_given_up_is_taken_back_and_one_that_is_done_is_not() -> None:
    world = World()
    world.deploy.start(releasing())
    world.deploy.stop(replace(releasing(), token="tp-other"))
    assert world.ecs.begun == 1
    world.deploy.stop(releasing())
    assert world.ecs.runs == world.first
    world = World()
    world.deploy.start(releasing())
    world.ecs.later()
    world.deploy.stop(releasing())
    assert world.ecs.begun == 1


# --- the way back ---------------------------------------------------------------------------------


def test_what_is_under_way_is_stopped_by_what_stood_before() -> None:
    world = World()
    world.ecs.deploy("tp-bad")
    begun = world.stop.start(undoing())
    assert (begun.outcome, world.ecs.runs) == (Outcome.RUNNING, world.first)
    world.ecs.later()
    assert world.look(world.stop, undoing(), begun).outcome is Outcome.SUCCEEDED


def test_a_stop_puts_back_no_release_that_went_bad_itself() -> None:
    world = World()
    good = world.ecs.deploy("tp-good", "sha256:good")
    world.ecs.later()
    world.ecs.deploy("tp-worse", "sha256:worse")
    world.ecs.later()
    world.ecs.deploy("tp-bad")
    stopping = undoing(RestoredDigest="sha256:good")
    begun = world.stop.start(stopping)
    assert world.ecs.runs == good
    assert world.stop.start(stopping).handle == begun.handle
    assert world.ecs.begun == 1
    lost = World()
    before = lost.ecs.deploy("tp-worse", "sha256:worse")
    lost.ecs.later()
    lost.ecs.deploy("tp-bad")
    lost.stop.start(undoing(RestoredDigest="sha256:taken-away"))
    assert lost.ecs.runs == before


def test_ecs_own_rollback_is_followed_and_not_begun_again() -> None:
    world = World(deploymentConfiguration=BREAKER)
    world.ecs.goes(fails="no such image")
    world.ecs.deploy("tp-bad")
    world.ecs.later()
    begun = world.stop.start(undoing())
    assert (begun.outcome, world.ecs.begun) == (Outcome.RUNNING, 0)
    world.ecs.later()
    assert world.look(world.stop, undoing(), begun).outcome is Outcome.SUCCEEDED


def test_what_is_done_or_never_began_needs_no_stop() -> None:
    world = World()
    assert world.stop.start(undoing()).outcome is Outcome.SUCCEEDED
    world.ecs.deploy("tp-bad")
    world.ecs.later()
    assert world.stop.start(undoing()).outcome is Outcome.SUCCEEDED
    assert world.ecs.begun == 0


def test_it_goes_back_to_the_very_revision_that_stood_before() -> None:
    world = World()
    world.ecs.deploy("tp-bad")
    world.ecs.later()
    begun = world.restore.start(undoing())
    assert (world.ecs.runs, begun.handle) == (world.first, world.first)
    world.ecs.later()
    assert world.look(world.restore, undoing(), begun).outcome is Outcome.SUCCEEDED
    assert world.restore.start(undoing()).outcome is Outcome.SUCCEEDED
    assert world.ecs.begun == 1


def test_where_another_bad_release_stood_it_goes_back_to_the_last_that_was_good() -> None:
    world = World()
    good = world.ecs.deploy("tp-good", "sha256:good")
    world.ecs.later()
    world.ecs.deploy("tp-worse", "sha256:worse")
    world.ecs.later()
    world.ecs.deploy("tp-bad")
    world.ecs.later()
    world.restore.start(undoing())
    assert world.ecs.runs == good


@pytest.mark.parametrize("same", [True, False])
def test_what_somebody_put_there_between_is_what_was_good_where_its_images_are(
    *, same: bool
) -> None:
    world = World()
    good = world.ecs.deploy("tp-good", "sha256:good")
    world.ecs.later()
    other = world.ecs.register("web:bad" if same else "web:hotfix")  # every release's image here
    world.ecs.update(other)
    world.ecs.later()
    world.ecs.deploy("tp-bad")
    world.ecs.later()
    world.restore.start(undoing())
    assert world.ecs.runs == (other if same else good)


def test_a_good_release_that_failed_the_second_time_goes_back_to_its_first_revision() -> None:
    world = World()
    good = world.ecs.deploy("tp-good", "sha256:good")
    world.ecs.later()
    world.ecs.deploy("tp-worse", "sha256:worse")
    world.ecs.later()
    world.ecs.deploy("tp-bad", "sha256:good")
    world.ecs.later()
    world.restore.start(undoing())
    assert world.ecs.runs == good


def test_a_revision_that_was_taken_away_is_for_a_person() -> None:
    world = World()
    world.ecs.deploy("tp-bad")
    world.ecs.later()
    world.ecs.ecs.deregister_task_definition({"taskDefinition": world.first}, world.ecs.now)
    error = refused(lambda: world.restore.start(undoing()))
    assert error.permanent and "aws ecs update-service --cluster shop" in str(error)
    assert world.ecs.begun == 0


def test_what_somebody_did_since_is_not_overwritten() -> None:
    world = World()
    world.ecs.deploy("tp-bad")
    world.ecs.later()
    other = world.ecs.register("web:hotfix")
    world.ecs.update(other)
    world.ecs.later()
    error = refused(lambda: world.restore.start(undoing()))
    assert error.permanent and "not overwritten" in str(error)
    assert world.ecs.runs == other


def test_what_changed_nothing_has_nothing_to_undo() -> None:
    world = World()
    assert "changed nothing" in world.restore.start(undoing()).summary
    assert world.ecs.begun == 0


def test_a_way_back_is_itself_undone_by_the_digest_that_was_good() -> None:
    world = World()
    good = world.ecs.deploy("tp-good", "sha256:good")
    world.ecs.later()
    world.ecs.update(world.first)  # by an earlier way back, whose token is not on the revision
    world.ecs.later()
    world.restore.start(undoing(DeploymentToken="tp-back-1", DeploymentId=world.first))
    assert world.ecs.runs == good


def test_a_drill_deploys_though_what_is_wanted_runs_already() -> None:
    world = World()
    world.ecs.deploy("tp-bad")
    world.ecs.later()
    world.ecs.update(world.first)
    world.ecs.later()
    world.restore.start(undoing(EvenIfServed="true"))
    (asked,) = world.ecs.calls("update_service")
    assert asked["forceNewDeployment"]
