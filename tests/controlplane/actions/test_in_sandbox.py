"""The drivers against the sandbox: its roles are those that deploy/ ships, its instances real."""

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import httpx
import pytest

from controlplane.actions.base import (
    MonitorError,
    Outcome,
    Progress,
    SourceEvent,
    Task,
)
from controlplane.actions.registry import Key, Parts, drivers
from controlplane.actions.sqs_feed import Queue, SqsFeed
from controlplane.clock import system_clock
from controlplane.sandbox.run import Sandbox
from monitors.base import Store
from tests.controlplane.actions.making import REGION
from tests.controlplane.actions.visiting import SandboxClients

WITHIN = 60.0
SOURCE, PROMOTE = ("Source", "AWS", "S3"), ("Deploy", "Custom", "S3Promote")
CODECOMMIT = ("Source", "AWS", "CodeCommit")
DEPLOY = ("Deploy", "AWS", "CodeDeploy")
BUILD = ("Build", "AWS", "CodeBuild")
STOP, RESTORE = ("Deploy", "Custom", "CodeDeployStop"), ("Deploy", "Custom", "CodeDeployRestore")


class Way:
    """The shop's way from its source into the accounts, driver by driver."""

    def __init__(self, sandbox: Sandbox, http: httpx.Client) -> None:
        self.url, self.http = sandbox.url, http
        self.clients = SandboxClients(sandbox)
        self.world = self.clients.world
        self.drivers: dict[Key, Any] = dict(drivers(Parts(self.clients, system_clock, http)))
        self.tokens = 0

    def root(self, service: str, account: str) -> Any:
        """A client that may do everything in an account."""
        key = self.world["accounts"][account]["root_access_key_id"]
        make: Any = boto3.client
        return make(
            service,
            REGION,
            endpoint_url=self.url,
            aws_access_key_id=key,
            aws_secret_access_key="sandbox",
        )

    def upload(self, release: int) -> dict[str, Any]:
        """Upload a release as its team's build would: {"versionId", "digest"}."""
        answer = self.http.post(f"{self.url}/_sandbox/release", json={"release": release})
        return dict(answer.raise_for_status().json())

    def serving(self, environment: str) -> list[Any]:
        """Which release each instance really serves."""
        answer = self.http.get(f"{self.url}/_sandbox/serving").raise_for_status()
        return [one["release"] for one in answer.json()[environment]]

    def source(self, version: str = "") -> Task:
        known = self.world["source"]
        configuration = {"S3Bucket": known["bucket"], "S3ObjectKey": known["key"]}
        return self.task("tools", {**configuration, "RevisionId": version})

    def task(self, where: str, configuration: dict[str, str], **given: Any) -> Task:
        self.tokens += 1
        now = system_clock()
        fields: dict[str, Any] = {
            "token": f"tp-{self.tokens:024}",
            "pipeline": "shop",
            "execution": "e-1",
            "stage": where,
            "action": "act",
            "configuration": configuration,
            "account": where,
            "region": REGION,
            "since": now,
            "now": now,
            "outputs": ("App",),
        }
        return Task(**{**fields, **given})

    def group(self, where: str, **more: str) -> dict[str, str]:
        known = self.world["environments"][where]
        names = {"ApplicationName": known["application"]}
        return {**names, "DeploymentGroupName": known["deployment_group"], **more}

    def promoted(self, release: int, where: str) -> Task:
        """The task that deploys a release which was uploaded and promoted."""
        source = self.drivers[SOURCE].start(self.source(self.upload(release)["versionId"]))
        promote = self.task(where, {}, inputs=source.artifacts)
        copied = self.end(PROMOTE, promote, self.drivers[PROMOTE].start(promote))
        return self.task(where, self.group(where), inputs=copied.artifacts)

    def end(self, key: Key, task: Task, progress: Progress) -> Progress:
        """Look until it has ended; the sandbox's agents take real time."""
        deadline = time.monotonic() + WITHIN
        while progress.outcome is Outcome.RUNNING:
            assert time.monotonic() < deadline, progress
            threading.Event().wait(0.1)
            looking = replace(task, handle=progress.handle, now=system_clock())
            seen = self.drivers[key].look([looking])[task.token]
            if isinstance(seen, MonitorError):
                raise seen
            progress = seen
        return progress

    def run(self, key: Key, task: Task) -> Progress:
        return self.end(key, task, self.drivers[key].start(task))

    def restore(self, where: str, good: Task) -> Task:
        (artifact,) = good.inputs
        revision = {
            "RevisionLocation": artifact.location,
            "RevisionVersion": artifact.version,
            "RevisionDigest": artifact.digest,
        }
        return self.task(where, self.group(where, **revision))


@pytest.fixture(scope="module")
def way() -> Iterator[Way]:
    with Sandbox() as sandbox, httpx.Client(trust_env=False) as http:
        made = Way(sandbox, http)
        yield made


def test_an_upload_is_told_by_the_queue_and_found_by_polling(way: Way) -> None:
    uploaded = way.upload(1)
    queue = Queue("tools", REGION, way.world["source"]["queue_url"])
    feed = SqsFeed(way.clients, queue, sqs=way.clients.own("sqs"))
    sources = [event for event in feed.receive() if isinstance(event, SourceEvent)]
    (event,) = [event for event in sources if event.revision.id == uploaded["versionId"]]
    latest = way.drivers[SOURCE].latest(event.matches, "tools", REGION)
    assert latest.id == uploaded["versionId"]
    feed.done([event.receipt])
    assert not feed.dropped


def test_a_push_to_codecommit_is_told_by_the_queue_and_its_files_become_an_artifact(
    way: Way,
) -> None:
    codecommit, events = way.root("codecommit", "tools"), way.root("events", "tools")
    queue = Queue("tools", REGION, way.world["source"]["queue_url"])
    account, name = way.world["accounts"]["tools"]["id"], queue.url.rpartition("/")[2]
    events.put_rule(Name="repositories", EventPattern='{"source": ["aws.codecommit"]}')
    arn = f"arn:aws:sqs:{REGION}:{account}:{name}"
    events.put_targets(Rule="repositories", Targets=[{"Id": "towpath", "Arn": arn}])
    codecommit.create_repository(repositoryName="shop")
    where = {"repositoryName": "shop", "branchName": "main", "fileContent": b"version: 0.0"}
    commit = codecommit.put_file(**where, filePath="deploy/appspec.yml")["commitId"]
    feed = SqsFeed(way.clients, queue, sqs=way.clients.own("sqs"))
    told = [event for event in feed.receive() if isinstance(event, SourceEvent)]
    (event,) = [event for event in told if event.provider == "CodeCommit"]
    feed.done([event.receipt])
    named = {"RepositoryName": "shop", "BranchName": "main"}
    assert (event.revision.id, event.matches) == (commit, {**named, "Account": "tools"})
    driver = way.drivers[CODECOMMIT]
    newest = driver.latest(named, "tools", REGION)
    assert newest is not None and newest.id == commit
    done = way.run(CODECOMMIT, way.task("tools", {**named, "RevisionId": commit}))
    (made,) = done.artifacts
    assert (done.outcome, made.version != "") == (Outcome.SUCCEEDED, True)


@pytest.fixture(scope="module")
def project(way: Way) -> dict[str, str]:
    """A build project of tools, as a pipeline's are."""
    role = way.world["accounts"]["tools"]["roles"]["deploy"]
    way.root("codebuild", "tools").create_project(
        name="shop",
        source={"type": "CODEPIPELINE", "location": "by the pipeline"},
        artifacts={"type": "CODEPIPELINE", "location": "by the pipeline"},
        environment={"type": "LINUX_CONTAINER", "image": "i", "computeType": SMALL},
        serviceRole=role,
    )
    return {"ProjectName": "shop", "ArtifactBucket": way.world["source"]["bucket"]}


SMALL = "BUILD_GENERAL1_SMALL"


def test_what_was_built_is_promoted_and_deployed(way: Way, project: dict[str, str]) -> None:
    source = way.drivers[SOURCE].start(way.source(way.upload(1)["versionId"]))
    build = way.task("tools", project, inputs=source.artifacts)
    made = way.run(BUILD, build)
    assert made.outcome is Outcome.SUCCEEDED
    assert made.artifacts[0].digest != source.artifacts[0].digest
    copied = way.run(PROMOTE, way.task("dev", {}, inputs=made.artifacts))
    assert copied.artifacts[0].digest == made.artifacts[0].digest
    deployed = way.run(DEPLOY, way.task("dev", way.group("dev"), inputs=copied.artifacts))
    assert deployed.outcome is Outcome.SUCCEEDED


def test_a_lost_build_is_found_and_stopped_with_the_roles_own_rights(
    way: Way, project: dict[str, str]
) -> None:
    order = {"account": way.world["accounts"]["tools"]["id"], "region": REGION, "project": "shop"}
    way.http.post(f"{way.url}/_sandbox/builds", json={**order, "seconds": 300}).raise_for_status()
    source = way.drivers[SOURCE].start(way.source(way.upload(1)["versionId"]))
    build = way.task("tools", project, inputs=source.artifacts)
    begun = way.drivers[BUILD].start(build)
    assert way.drivers[BUILD].start(replace(build, again=True)).handle == begun.handle
    way.drivers[BUILD].stop(build)
    ended = way.end(BUILD, build, begun)
    assert (ended.outcome, "is STOPPED: BUILD" in ended.summary) == (Outcome.FAILED, True)
    way.http.post(f"{way.url}/_sandbox/builds", json=order).raise_for_status()  # at once again


def test_a_release_is_promoted_and_deployed_once_however_often_it_is_begun(way: Way) -> None:
    deploy = way.promoted(1, "dev")
    first = way.drivers[DEPLOY].start(deploy)
    again = way.drivers[DEPLOY].start(replace(deploy, again=True))
    assert again.handle == first.handle
    ended = way.end(DEPLOY, deploy, first)
    assert ended.outcome is Outcome.SUCCEEDED
    assert way.drivers[DEPLOY].start(replace(deploy, again=True)).handle == first.handle
    assert way.serving("dev") == [1]
    way.drivers[DEPLOY].stop(replace(deploy, handle=first.handle))


def test_the_digest_is_the_same_at_every_hop(way: Way) -> None:
    deploy = way.promoted(2, "dev")
    (copied,) = deploy.inputs
    assert copied.digest == way.upload(2)["digest"]
    assert copied.account == "dev"
    assert copied.location.startswith("s3://towpath-artifacts-222222222222/releases/shop/")


def test_what_is_in_flight_is_stopped_and_the_last_good_release_served_again(way: Way) -> None:
    good, bad = way.promoted(1, "prod"), way.promoted(2, "prod")
    assert way.run(DEPLOY, good).outcome is Outcome.SUCCEEDED
    begun = way.drivers[DEPLOY].start(bad)
    known = way.group("prod", DeploymentToken=bad.token, DeploymentId="")
    stopped = way.run(STOP, way.task("prod", known))
    assert stopped.output["StoppedDeploymentId"] == begun.handle
    assert stopped.outcome is Outcome.SUCCEEDED
    restored = way.run(RESTORE, way.restore("prod", good))
    assert restored.outcome is Outcome.SUCCEEDED
    assert way.serving("prod") == [1, 1, 1]


def test_a_finished_release_is_replaced_by_the_last_good_one(way: Way) -> None:
    good, bad = way.promoted(1, "test"), way.promoted(2, "test")
    assert way.run(DEPLOY, good).outcome is Outcome.SUCCEEDED
    assert way.run(DEPLOY, bad).outcome is Outcome.SUCCEEDED
    assert way.serving("test") == [2]
    restore = way.restore("test", good)
    assert way.run(RESTORE, restore).outcome is Outcome.SUCCEEDED
    assert way.serving("test") == [1]
    served = way.drivers[RESTORE].start(way.restore("test", good))
    assert served.summary.startswith("already restored by d-")


def test_a_bundle_that_is_missing_fails_with_the_cause(way: Way) -> None:
    deploy = way.promoted(1, "dev")
    gone = replace(deploy.inputs[0], location="s3://towpath-artifacts-222222222222/none.zip")
    ended = way.run(DEPLOY, replace(deploy, inputs=(gone,)))
    assert ended.outcome is Outcome.FAILED
    assert "DownloadBundle failed" in ended.summary


def test_artifacts_go_into_the_pipelines_stores_under_their_own_keys(way: Way) -> None:
    first, second = a_store(way, "west"), a_store(way, "central")
    uploaded = way.upload(1)
    task = replace(way.source(uploaded["versionId"]), store=first)
    (artifact,) = way.drivers[SOURCE].start(task).artifacts
    copying = way.task("prod", {}, inputs=(artifact,), store=second)
    (copy,) = way.drivers[COPY].start(copying).artifacts
    for one, store in ((artifact, first), (copy, second)):
        assert one.digest == uploaded["digest"]
        bucket, _, key = one.location.removeprefix("s3://").partition("/")
        head = way.root("s3", "tools").head_object(Bucket=bucket, Key=key, VersionId=one.version)
        assert (bucket, head["ServerSideEncryption"]) == (store.bucket, "aws:kms")
        assert head["SSEKMSKeyId"] == store.key


def test_another_accounts_role_is_let_in_by_bucket_and_key_or_told_which(way: Way) -> None:
    store = a_store(way, "shared")
    source = way.source(way.upload(1)["versionId"])
    task = replace(source, account="dev", store=store)
    role = way.world["accounts"]["dev"]["roles"]["deploy"]
    with pytest.raises(MonitorError, match=f"{store.bucket} is the artifact store of shop") as told:
        way.drivers[SOURCE].start(task)
    assert role in str(told.value) and "the bucket's policy must let" in str(told.value)
    root, arn = way.root("s3", "tools"), f"arn:aws:s3:::{store.bucket}"
    root.put_bucket_policy(Bucket=store.bucket, Policy=allowing(role, "s3:*", arn, f"{arn}/*"))
    with pytest.raises(MonitorError, match="the key must be enabled, and its policy must let"):
        way.drivers[SOURCE].start(task)
    own = "arn:aws:iam::111111111111:root"
    way.root("kms", "tools").put_key_policy(
        KeyId=store.key, PolicyName="default", Policy=allowing([role, own], "kms:*", "*")
    )
    (artifact,) = way.drivers[SOURCE].start(task).artifacts
    assert (artifact.account, artifact.location.split("/")[2]) == ("tools", store.bucket)
    way.root("kms", "tools").disable_key(KeyId=store.key.rpartition("/")[2])
    again = replace(way.source(way.upload(2)["versionId"]), account="dev", store=store)
    with pytest.raises(MonitorError, match="is disabled") as off:
        way.drivers[SOURCE].start(again)
    assert store.key in str(off.value) and "the key must be enabled" in str(off.value)


COPY = ("Job", "Towpath", "StoreCopy")


def a_store(way: Way, name: str) -> Store:
    """An artifact store of tools: a versioned bucket, and its key."""
    key = way.root("kms", "tools").create_key()["KeyMetadata"]["Arn"]
    s3, bucket = way.root("s3", "tools"), f"towpath-store-111111111111-{name}"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    return Store(bucket, key, "111111111111")


def allowing(who: Any, action: str, *resources: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"AWS": who}, "Action": action}
    document = {"Version": "2012-10-17", "Statement": [{**statement, "Resource": resources}]}
    return json.dumps(document)


def test_what_is_built_lies_in_the_store_under_its_key(way: Way, project: dict[str, str]) -> None:
    store = a_store(way, "built")
    source = way.drivers[SOURCE].start(way.source(way.upload(1)["versionId"]))
    own = {"ProjectName": project["ProjectName"]}
    made = way.run(BUILD, way.task("tools", own, inputs=source.artifacts, store=store))
    bucket, _, key = made.artifacts[0].location.removeprefix("s3://").partition("/")
    head = way.root("s3", "tools").head_object(Bucket=bucket, Key=key)
    assert (bucket, head["SSEKMSKeyId"]) == (store.bucket, store.key)
