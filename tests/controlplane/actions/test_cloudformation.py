"""A stack is updated once a token, followed by its events, and brought back without overwriting anybody."""

import io
import zipfile
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from controlplane.actions.base import ActionError, MonitorError, Outcome, Progress, Task
from controlplane.actions.cloudformation import CloudFormation
from controlplane.actions.cloudformation_back import CloudFormationRestore, CloudFormationStop
from tests.controlplane.actions.fake_cloudformation import FakeCloudFormation
from tests.controlplane.actions.fake_s3 import FakeS3
from tests.controlplane.actions.making import NOW, bundle, task
from tests.support.clients import StubClients
from tests.support.scripted import scripted

BUCKET = "towpath-artifacts-444444444444"
STACK = {"StackName": "shop"}
URL = f"https://{BUCKET}.s3.eu-west-1.amazonaws.com/shop.yaml?versionId="
ROLE = "arn:aws:iam::444444444444:role/cfn"


class World:
    """A CloudFormation, an S3, and the three drivers."""

    def __init__(self, *, made: bool = True) -> None:
        self.cloud, self.s3 = FakeCloudFormation(), FakeS3()
        if made:
            self.cloud.made("shop", f"{URL}v0")
        client = scripted("cloudformation", **self.cloud.operations())
        self.clients = StubClients(cloudformation=client, s3=self.s3)
        self.deploy = CloudFormation(self.clients)
        self.stop = CloudFormationStop(self.clients)
        self.restore = CloudFormationRestore(self.clients)

    def bad(self, *states: str) -> None:
        """The release that is rolled back: its update went through these states."""
        for state in states:
            self.cloud.becomes("shop", state, "tp-bad")


def releasing(**more: str) -> Task:
    template = bundle(location=f"s3://{BUCKET}/shop.yaml")
    return task(configuration={**STACK, **more}, inputs=(template,))


def undoing(**more: str) -> Task:
    revision = {"RevisionLocation": f"s3://{BUCKET}/shop.yaml", "RevisionVersion": "v0"}
    known = {**STACK, "DeploymentToken": "tp-bad", **revision, "RevisionDigest": "sha256:good"}
    return task(configuration={**known, **more}, token="tp-back")


def look(driver: Any, one: Task) -> Progress:
    seen = driver.look([one])[one.token]
    assert isinstance(seen, Progress), seen
    return seen


def test_the_promoted_version_of_the_template_is_what_the_stack_is_updated_to() -> None:
    world = World()
    one = releasing(
        ParameterOverrides='{"Size": 3}', Capabilities="CAPABILITY_IAM, CAPABILITY_NAMED_IAM"
    )
    assert world.deploy.start(one).outcome is Outcome.RUNNING
    (asked,) = world.cloud.asked
    assert asked["TemplateURL"] == f"{URL}v1"
    assert asked["ClientRequestToken"] == one.token
    assert asked["Parameters"] == [{"ParameterKey": "Size", "ParameterValue": "3"}]
    assert asked["Capabilities"] == ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"]
    assert "RoleARN" not in asked


def test_it_is_followed_to_its_end() -> None:
    world = World()
    world.deploy.start(releasing())
    assert look(world.deploy, releasing()).outcome is Outcome.RUNNING
    world.cloud.becomes("shop", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
    assert look(world.deploy, releasing()).outcome is Outcome.RUNNING
    world.cloud.becomes("shop", "UPDATE_COMPLETE")
    assert look(world.deploy, releasing()).outcome is Outcome.SUCCEEDED


def test_one_that_cloudformation_rolls_back_has_failed_and_the_first_cause_is_told() -> None:
    world = World()
    world.deploy.start(releasing())
    world.cloud.becomes("shop", "UPDATE_ROLLBACK_IN_PROGRESS", reason="no such queue")
    world.cloud.becomes("shop", "UPDATE_ROLLBACK_COMPLETE", reason="cancelled")
    ended = look(world.deploy, releasing())
    assert ended.outcome is Outcome.FAILED
    assert ended.summary.endswith("UPDATE_ROLLBACK_COMPLETE: Queue: no such queue")


@pytest.mark.parametrize("page", [1, 100])
def test_how_ours_ended_is_told_though_somebody_went_on(page: int) -> None:
    world = World()
    world.cloud.page = page
    world.deploy.start(releasing())
    world.cloud.becomes("shop", "UPDATE_COMPLETE")
    world.cloud.becomes("shop", "UPDATE_IN_PROGRESS", "Console-1")
    assert look(world.deploy, releasing()).outcome is Outcome.SUCCEEDED


def test_what_changes_nothing_is_done_at_once() -> None:
    world = World()
    world.cloud.template["shop"] = f"{URL}v1"
    done = world.deploy.start(releasing())
    assert (done.outcome, world.cloud.begun) == (Outcome.SUCCEEDED, 0)


def test_a_second_try_finds_the_first_and_begins_nothing() -> None:
    world = World()
    world.deploy.start(releasing())
    world.cloud.becomes("shop", "UPDATE_COMPLETE")
    again = world.deploy.start(replace(releasing(), again=True))
    assert (again.outcome, world.cloud.begun) == (Outcome.SUCCEEDED, 1)


def test_somebody_elses_update_is_waited_for() -> None:
    world = World()
    world.cloud.becomes("shop", "UPDATE_IN_PROGRESS", "Console-1")
    with pytest.raises(
        ActionError, match=r"waiting for stack shop in prod.*by Console-1"
    ) as caught:
        world.deploy.start(releasing())
    assert not caught.value.permanent


@pytest.mark.parametrize("driver", ["deploy", "restore"])
def test_a_stack_that_is_stuck_needs_a_person_who_is_told_what_to_run(driver: str) -> None:
    world = World()
    world.bad("UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_FAILED")
    one = releasing() if driver == "deploy" else undoing()
    with pytest.raises(ActionError, match="continue-update-rollback --stack-name shop") as caught:
        getattr(world, driver).start(one)
    assert caught.value.permanent


def test_a_stack_is_made_only_with_a_role_to_act_by() -> None:
    world = World(made=False)
    with pytest.raises(ActionError, match="give RoleArn"):
        world.deploy.start(releasing())
    world.deploy.start(releasing(RoleArn=ROLE))
    assert world.cloud.status == {"shop": "CREATE_IN_PROGRESS"}


def test_our_own_update_is_cancelled_and_no_other() -> None:
    world = World()
    world.deploy.start(releasing())
    world.deploy.stop(task(configuration=STACK, token="tp-other"))
    assert world.cloud.cancelled == 0
    world.deploy.stop(releasing())
    assert world.cloud.cancelled == 1


def zipped(world: World, name: str, text: str) -> Task:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, text)
    world.s3.put(BUCKET, "shop.zip", buffer.getvalue())
    version = world.s3.head_object(Bucket=BUCKET, Key="shop.zip")["VersionId"]
    made = bundle(location=f"s3://{BUCKET}/shop.zip", version=version)
    return replace(releasing(TemplatePath="App::cfn/shop.yaml"), inputs=(made,))


def test_a_template_in_a_zip_is_named_by_its_path() -> None:
    world = World()
    world.deploy.start(zipped(world, "cfn/shop.yaml", "Resources: {}"))
    assert world.cloud.asked[0]["TemplateBody"] == "Resources: {}"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [("other.yaml", "a", "cannot be read"), ("cfn/shop.yaml", "a" * 51_201, "over 51200 bytes")],
)
def test_a_template_that_is_not_there_or_too_large_is_refused(
    name: str, text: str, said: str
) -> None:
    world = World()
    with pytest.raises(ActionError, match=said) as caught:
        world.deploy.start(zipped(world, name, text))
    assert caught.value.permanent


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"location": f"s3://{BUCKET}/shop.tar"}, "name it in TemplatePath"),
        ({"version": ""}, "not pinned to a version"),
    ],
)
def test_what_is_no_template_is_refused_before_any_call(given: dict[str, str], said: str) -> None:
    fields: Any = {"location": f"s3://{BUCKET}/shop.yaml", **given}
    with pytest.raises(ActionError, match=said):
        World().deploy.start(replace(releasing(), inputs=(bundle(**fields),)))


# --- the way back ---------------------------------------------------------------------------------


def test_an_update_in_flight_is_cancelled_and_its_rollback_followed() -> None:
    world = World()
    world.bad("UPDATE_IN_PROGRESS")
    assert world.stop.start(undoing()).outcome is Outcome.RUNNING
    assert look(world.stop, undoing()).outcome is Outcome.RUNNING
    world.cloud.becomes("shop", "UPDATE_ROLLBACK_COMPLETE")
    assert look(world.stop, undoing()).outcome is Outcome.SUCCEEDED
    assert world.cloud.cancelled == 1


def test_a_rollback_of_cloudformation_that_fails_fails_ours_with_the_words_that_mend_it() -> None:
    world = World()
    world.bad("UPDATE_IN_PROGRESS")
    world.stop.start(undoing())
    world.cloud.becomes("shop", "UPDATE_ROLLBACK_FAILED", reason="queue is gone")
    ended = look(world.stop, undoing())
    assert ended.outcome is Outcome.FAILED
    assert "continue-update-rollback --stack-name shop" in ended.summary


@pytest.mark.parametrize("states", [(), ("UPDATE_IN_PROGRESS", "UPDATE_COMPLETE")])
def test_what_never_began_or_has_ended_needs_no_stop(states: tuple[str, ...]) -> None:
    world = World()
    world.bad(*states)
    assert world.stop.start(undoing()).outcome is Outcome.SUCCEEDED
    assert world.cloud.cancelled == 0


def test_the_last_known_good_template_is_what_it_goes_back_to() -> None:
    world = World()
    world.bad("UPDATE_IN_PROGRESS", "UPDATE_COMPLETE")
    world.cloud.template["shop"] = f"{URL}v1"
    assert world.restore.start(undoing()).outcome is Outcome.RUNNING
    assert world.cloud.asked[0]["TemplateURL"] == f"{URL}v0"
    world.cloud.becomes("shop", "UPDATE_COMPLETE")
    assert look(world.restore, undoing()).outcome is Outcome.SUCCEEDED


def test_where_cloudformation_has_put_it_back_nothing_changes() -> None:
    world = World()
    world.bad("UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE")
    done = world.restore.start(undoing())
    assert (done.outcome, world.cloud.begun) == (Outcome.SUCCEEDED, 0)


@pytest.mark.parametrize(
    ("first", "since", "known"),
    [
        ("CREATE_IN_PROGRESS", "", True),
        ("UPDATE_IN_PROGRESS", NOW.isoformat(), True),
        ("UPDATE_IN_PROGRESS", (NOW - timedelta(seconds=1)).isoformat(), False),
        ("UPDATE_IN_PROGRESS", "", False),
    ],
)
def test_what_changed_nothing_is_told_from_what_is_shown_no_more(
    first: str, since: str, known: bool
) -> None:
    """Of a stack that was updated often, the operation that is undone may not be among its events any more."""
    world = World()
    world.cloud.events["shop"] = []
    world.cloud.becomes("shop", first, "Console-0")
    world.cloud.becomes("shop", "UPDATE_IN_PROGRESS", "Console-1")
    task = undoing(**({"DeploymentSince": since} if since else {}))
    if known:
        assert "changed nothing" in world.restore.start(task).summary
        return
    with pytest.raises(ActionError, match="nobody knows whether") as caught:
        world.restore.start(task)
    assert caught.value.permanent


def test_a_stack_that_shows_no_event_any_more_is_not_taken_for_one_that_is_back() -> None:
    world = World()
    world.bad("UPDATE_IN_PROGRESS", "UPDATE_COMPLETE")
    world.cloud.events["shop"].clear()
    with pytest.raises(ActionError, match="nobody knows whether") as caught:
        world.restore.start(undoing())
    assert caught.value.permanent
    assert world.cloud.begun == 0


def test_what_somebody_did_since_is_not_overwritten() -> None:
    world = World()
    world.bad("UPDATE_IN_PROGRESS", "UPDATE_COMPLETE")
    for state in ("UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"):
        world.cloud.becomes("shop", state, "Console-UpdateStack-1")
    with pytest.raises(ActionError, match=r"by Console-UpdateStack-1 .*not overwritten") as caught:
        world.restore.start(undoing())
    assert caught.value.permanent


def test_an_earlier_way_back_of_the_same_release_is_ours() -> None:
    world = World()
    world.bad("UPDATE_IN_PROGRESS", "UPDATE_COMPLETE")
    for state in ("UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE"):
        world.cloud.becomes("shop", state, "tp-first-of-tp-bad")
    world.cloud.template["shop"] = f"{URL}v1"
    assert world.restore.start(undoing()).outcome is Outcome.RUNNING


def test_a_way_back_whose_events_are_not_there_yet_is_looked_at_again() -> None:
    world = World()
    seen = world.restore.look([undoing()])["tp-back"]
    assert isinstance(seen, MonitorError)
    assert not seen.permanent
