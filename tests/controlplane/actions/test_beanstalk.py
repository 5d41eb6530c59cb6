"""An environment is updated once a token, followed by its events, and brought back to what stood before."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from controlplane.actions.base import ActionError, MonitorError, Outcome, Progress, Task
from controlplane.actions.beanstalk import Beanstalk
from controlplane.actions.beanstalk_back import BeanstalkRestore, BeanstalkStop
from tests.controlplane.actions.fake_beanstalk import FakeBeanstalk
from tests.controlplane.actions.fake_s3 import FakeS3
from tests.controlplane.actions.making import CONTENT, TOKEN, bundle, digest_of, task
from tests.support.clients import StubClients
from tests.support.scripted import scripted

NAMED = {"ApplicationName": "shop", "EnvironmentName": "shop-web"}
LABEL = f"{TOKEN}.{digest_of(CONTENT).removeprefix('sha256:')}"


class World:
    """An Elastic Beanstalk, an S3, and the three drivers."""

    def __init__(self) -> None:
        self.eb, self.s3 = FakeBeanstalk(), FakeS3()
        self.eb.host()
        self.s3.put("releases", "shop.zip", CONTENT)
        client = scripted("elasticbeanstalk", **self.eb.operations())
        self.clients = StubClients(elasticbeanstalk=client, s3=self.s3)
        self.deploy, self.stop = Beanstalk(self.clients), BeanstalkStop(self.clients)
        self.restore = BeanstalkRestore(self.clients)

    def look(self, driver: Any, one: Task, begun: Progress) -> Progress:
        seen = driver.look([replace(one, handle=begun.handle)])[one.token]
        assert isinstance(seen, Progress), seen
        return seen


def releasing(**more: str) -> Task:
    made = bundle(location="s3://releases/shop.zip")
    return task(configuration={**NAMED, **more}, inputs=(made,))


def undoing(**more: str) -> Task:
    known = {**NAMED, "DeploymentToken": "tp-bad", "RevisionDigest": "sha256:good"}
    return task(configuration={**known, **more}, token="tp-back")


def refused(call: Callable[[], object]) -> ActionError:
    with pytest.raises(ActionError) as caught:
        call()
    return caught.value


def test_the_version_is_the_token_and_says_what_stood_before() -> None:
    world = World()
    world.deploy.start(releasing())
    (made,) = world.eb.calls("create_application_version")
    assert (made["VersionLabel"], made["Description"]) == (LABEL, "towpath, after v1")
    assert made["SourceBundle"] == {"S3Bucket": "releases", "S3Key": "shop.zip"}
    assert world.eb.calls("update_environment") == [{**NAMED, "VersionLabel": LABEL}]


def test_it_is_followed_to_its_end() -> None:
    world = World()
    begun = world.deploy.start(releasing())
    running = world.look(world.deploy, releasing(), begun)
    assert (running.outcome, "update is starting" in running.summary) == (Outcome.RUNNING, True)
    world.eb.later()
    assert world.look(world.deploy, releasing(), begun).outcome is Outcome.SUCCEEDED


def test_one_that_fails_says_what_elastic_beanstalk_says() -> None:
    world = World()
    world.eb.goes(fails="Failed to deploy application.")
    begun = world.deploy.start(releasing())
    world.eb.later()
    failed = world.look(world.deploy, releasing(), begun)
    assert failed.outcome is Outcome.FAILED
    assert failed.summary.endswith("runs v1: Failed to deploy application.")


def test_an_update_that_is_not_told_of_yet_is_looked_at_again() -> None:
    world = World()
    world.eb.version(LABEL, "v1")
    error = world.deploy.look([replace(releasing(), handle=LABEL)])[TOKEN]
    assert isinstance(error, MonitorError) and not error.permanent


@pytest.mark.parametrize("fails", ["", "Failed to deploy application."])
def test_a_second_try_after_the_update_begins_nothing(fails: str) -> None:
    world = World()
    world.eb.goes(fails=fails)
    world.deploy.start(releasing())
    assert world.deploy.start(replace(releasing(), again=True)).handle == LABEL
    world.eb.later()
    again = world.deploy.start(replace(releasing(), again=True))
    ended = world.look(world.deploy, releasing(), again)
    assert ended.outcome is (Outcome.FAILED if fails else Outcome.SUCCEEDED)
    assert world.eb.begun == 1


def test_a_second_try_before_the_update_takes_the_version_that_is_there() -> None:
    world = World()
    world.eb.version(LABEL, "v1")
    world.deploy.start(replace(releasing(), again=True))
    assert (world.eb.begun, world.eb.calls("create_application_version")) == (1, [])


def test_a_busy_environment_is_waited_for_and_no_version_is_made() -> None:
    world = World()
    world.eb.update("v1")
    error = refused(lambda: world.deploy.start(releasing()))
    assert (
        "environment shop/shop-web in prod, which is Updating" in str(error) and not error.permanent
    )
    assert not world.eb.calls("create_application_version")


def test_an_artifact_that_was_replaced_at_its_address_is_refused() -> None:
    world = World()
    world.s3.put("releases", "shop.zip", b"another")
    error = refused(lambda: world.deploy.start(releasing()))
    assert error.permanent and "S3Promote" in str(error)
    assert world.eb.begun == 0


def test_an_environment_that_is_not_there_is_told() -> None:
    error = refused(lambda: World().deploy.start(releasing(EnvironmentName="other")))
    assert error.permanent and "There is no environment shop/other in prod" in str(error)


def test_our_own_update_is_aborted_and_no_other() -> None:
    world = World()
    world.eb.update("v1")
    world.deploy.stop(releasing())
    assert world.eb.begun == 0
    world.eb.later()
    begun = world.deploy.start(releasing())
    world.deploy.stop(replace(releasing(), handle=begun.handle))
    assert len(world.eb.calls("abort_environment_update")) == 1


# --- the way back ---------------------------------------------------------------------------------


def test_what_is_under_way_is_aborted_and_followed() -> None:
    world = World()
    world.eb.deploy("tp-bad")
    begun = world.stop.start(undoing())
    assert len(world.eb.calls("abort_environment_update")) == 1
    world.eb.later()
    assert world.look(world.stop, undoing(), begun).outcome is Outcome.SUCCEEDED


def test_somebody_elses_update_since_is_not_aborted() -> None:
    world = World()
    world.eb.deploy("tp-bad")
    world.eb.later()
    world.eb.version("hotfix")
    world.eb.update("hotfix")
    assert world.stop.start(undoing()).outcome is Outcome.SUCCEEDED
    assert world.eb.begun == 0


def test_it_goes_back_to_the_version_that_stood_before() -> None:
    world = World()
    world.eb.deploy("tp-bad")
    world.eb.later()
    begun = world.restore.start(undoing())
    world.eb.later()
    assert world.look(world.restore, undoing(), begun).outcome is Outcome.SUCCEEDED
    assert world.eb.runs == "v1"
    assert world.restore.start(undoing()).outcome is Outcome.SUCCEEDED
    assert world.eb.begun == 1


def test_a_failed_update_may_have_left_both_so_what_stood_before_is_deployed_again() -> None:
    world = World()
    world.eb.goes(fails="Failed to deploy application.")
    world.eb.deploy("tp-bad")
    world.eb.later()
    world.eb.goes()
    begun = world.restore.start(undoing())
    world.eb.later()
    assert (begun.handle, world.eb.begun) == ("v1", 1)
    assert world.look(world.restore, undoing(), begun).outcome is Outcome.SUCCEEDED


def test_where_another_bad_release_stood_it_goes_back_to_the_last_that_was_good() -> None:
    world = World()
    good = world.eb.deploy("tp-good", "good")
    world.eb.later()
    world.eb.deploy("tp-worse", "worse")
    world.eb.later()
    world.eb.deploy("tp-bad")
    world.eb.later()
    assert world.restore.start(undoing()).handle == good


def test_what_the_abort_put_back_is_not_where_the_way_back_ends_if_that_was_bad_too() -> None:
    world = World()
    good = world.eb.deploy("tp-good", "good")
    world.eb.later()
    worse = world.eb.deploy("tp-worse", "worse")
    world.eb.later()
    world.eb.deploy("tp-bad")
    world.stop.start(undoing())
    world.eb.later()
    assert world.eb.runs == worse
    assert world.restore.start(undoing()).handle == good


def test_what_somebody_put_there_between_is_not_taken_for_what_was_good() -> None:
    world = World()
    good = world.eb.deploy("tp-good", "good")
    world.eb.later()
    world.eb.version("hotfix")
    world.eb.update("hotfix")
    world.eb.later()
    world.eb.deploy("tp-bad")
    world.eb.later()
    assert world.restore.start(undoing()).handle == good


def test_a_version_that_was_taken_away_is_for_a_person() -> None:
    world = World()
    world.eb.deploy("tp-bad")
    world.eb.later()
    gone = {"ApplicationName": "shop", "VersionLabel": "v1"}
    world.eb.beanstalk.delete_application_version(gone, world.eb.now)
    error = refused(lambda: world.restore.start(undoing()))
    assert error.permanent and "update-environment --environment-name shop-web" in str(error)


def test_what_somebody_did_since_is_not_overwritten() -> None:
    world = World()
    world.eb.deploy("tp-bad")
    world.eb.later()
    world.eb.version("hotfix")
    world.eb.update("hotfix")
    world.eb.later()
    error = refused(lambda: world.restore.start(undoing()))
    assert error.permanent and "not overwritten" in str(error)
    assert world.eb.begun == 0


def test_what_changed_nothing_has_nothing_to_undo() -> None:
    world = World()
    assert "changed nothing" in world.restore.start(undoing()).summary
    assert world.stop.start(undoing()).outcome is Outcome.SUCCEEDED
