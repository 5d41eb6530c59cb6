"""Killed before a call, after its effect but before its answer, after its answer but before the commit.

For every driver that starts outside work and that the sandbox emulates: a real process is killed in
each window, a second one takes over when the lease is over, and what the sandbox itself knows says
how often the work was begun. A canary is not among them: the check waits for the canary's own runs.
"""

import json
import signal
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from sqlalchemy import select

from controlplane.clock import system_clock
from controlplane.declarations.load import load_text
from controlplane.demo.processes import settings_for
from controlplane.engine.commands import Commands
from controlplane.engine.jobs import Jobs
from controlplane.engine.structures import Structures
from controlplane.sandbox.aws import recorder
from controlplane.sandbox.aws.functions import invocations
from controlplane.sandbox.run import Sandbox
from controlplane.sandbox.sample import build_bundle
from controlplane.store import executions
from controlplane.store.database import Database
from controlplane.store.tables import ActionExecution, table
from tests.controlplane.sandbox.codedeploy.lab import zip_of
from tests.support import doomed
from tests.support.house import ANNE

WITHIN = 90.0
SOURCES = "towpath-releases-111111111111"
HOOK = "{location: hook.sh, timeout: 300}"
SLOW = f"version: 0.0\nos: linux\nfiles: []\nhooks:\n  BeforeInstall:\n    - {HOOK}\n"
WAITING = """#!/bin/sh
exec {python} -c '
import json, threading, urllib.request
url = "{url}/_sandbox/calls?service=codedeploy&operation=StopDeployment"
while sum(c["effect"] for c in json.load(urllib.request.urlopen(url))["calls"]) <= {stops}:
    threading.Event().wait(0.1)
'
"""
"""A deployment of it is in flight until a deployment is stopped: CodeDeploy lets a script end."""
SOURCE = """
pipeline: {name}
stages:
  - name: Source
    account: tools
    region: eu-west-1
    actions:
      - name: Release
        provider: S3
        with: {{S3Bucket: towpath-releases-111111111111, S3ObjectKey: {key}}}
        outputs: [Shop]
  - name: Dev
    account: dev
    region: eu-west-1
    actions:
"""
PROMOTE = """
      - {name: Promote, provider: S3Promote, inputs: [Shop], outputs: [ShopDev]}
"""
GROUP = "ApplicationName: shop, DeploymentGroupName: shop-dev"
DEPLOY = f"""
      - name: Deploy
        provider: CodeDeploy
        runOrder: 2
        inputs: [ShopDev]
        with: {{{GROUP}}}
"""
RESTORE = f"""
      - name: Restore
        provider: CodeDeployRestore
        with: {{{GROUP}, RevisionLocation: "LOCATION", RevisionVersion: "VERSION",
                RevisionDigest: "sha256:0"}}
"""
STOPPED = "codedeploy.StopDeployment"
STOP = f"""
      - name: Stop
        provider: CodeDeployStop
        with: {{{GROUP}, DeploymentToken: TOKEN, DeploymentId: ""}}
"""
BUILD = """
      - name: Build
        provider: CodeBuild
        inputs: [Shop]
        outputs: [Built]
        with:
          ProjectName: shop
          EnvironmentVariables: [{name: EXECUTION, value: "#{codepipeline.PipelineExecutionId}"}]
"""
SERVE = """
      - name: Serve
        provider: ECS
        runOrder: 2
        inputs: [ShopDev]
        with: {ClusterName: shop, ServiceName: NAME}
"""
SERVE_AGAIN = """
      - name: Restore
        provider: ECSRestore
        with: {ClusterName: shop, ServiceName: NAME, DeploymentToken: NAME, DeploymentId: "",
               RevisionLocation: "s3://none/none", RevisionVersion: v, RevisionDigest: "sha256:0"}
"""
HOST = """
      - name: Host
        provider: ElasticBeanstalk
        runOrder: 2
        inputs: [ShopDev]
        with: {ApplicationName: NAME, EnvironmentName: NAME}
"""
HOST_AGAIN = """
      - name: Restore
        provider: ElasticBeanstalkRestore
        with: {ApplicationName: NAME, EnvironmentName: NAME, DeploymentToken: tp-bad, DeploymentId: "",
               RevisionLocation: "s3://none/none", RevisionVersion: v, RevisionDigest: "sha256:0"}
"""
INVOKE = """
      - {name: Check, provider: Lambda, with: {FunctionName: check, ResultFrom: answer}}
"""
JOB = """
      - {name: Check, provider: Lambda, with: {FunctionName: reports}}
"""


class Scene:
    """The sandbox, what is true in its account dev, and a database that outlives who uses it."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self.world = sandbox.world_document()
        self.url, self.folder = sandbox.url, folder
        self.name = f"p-{uuid.uuid4().hex[:12]}"
        self.environment = settings_for(self.world, folder, 1)
        self.database = Database(self.environment["TOWPATH_DATABASE_URL"])
        self.database.migrate()
        self.children: list[BaseProcess] = []
        self.execution = ""

    def root(self, service: str, account: str = "dev") -> Any:
        """A client that no fault befalls."""
        key = self.world["accounts"][account]["root_access_key_id"]
        make: Any = boto3.client
        return make(
            service,
            self.world["region"],
            endpoint_url=self.url,
            aws_access_key_id=key,
            aws_secret_access_key="sandbox",
        )

    @property
    def bucket(self) -> str:
        return str(self.world["accounts"]["dev"]["artifact_bucket"])

    def start(self, actions: str, key: str = "shop.zip") -> None:
        """An execution that waits for somebody to run it."""
        commands = Commands(self.database, Structures(), lambda: system_clock().timestamp())
        commands.apply_pipeline(load_text(SOURCE.format(name=self.name, key=key) + actions), ANNE)
        self.execution = commands.start(self.name, ANNE)

    def run(self, *more: str) -> BaseProcess:
        """A process of Towpath's that works on it."""
        self.children.append(doomed.started([self.execution, *more], self.environment))
        return self.children[-1]

    def go_on(self, more: Sequence[str]) -> None:
        """Let another process take over, to the end."""
        assert ended(self.run(*more)) == 0, self.told()

    def order(self, fault: str, call: str, **more: Any) -> None:
        service, operation = call.split(".")
        rule = {"fault": fault, "service": service, "operation": operation, **more}
        httpx.put(self.faults, json={"rules": [rule]}).raise_for_status()

    @property
    def faults(self) -> str:
        return f"{self.url}/_sandbox/faults"

    def status(self) -> str:
        with self.database.read() as connection:
            found = executions.by_id(connection, self.execution)
        assert found is not None
        return str(found.status)

    def told(self) -> list[Any]:
        """How each action stands, and why."""
        rows = table(ActionExecution).c
        with self.database.read() as connection:
            return list(connection.execute(select(rows.name, rows.status, rows.summary)))

    def close(self) -> None:
        httpx.delete(self.faults)
        for child in self.children:
            child.kill()
            child.join()
        self.database.close()

    def calls(self, call: str) -> list[dict[str, Any]]:
        service, operation = call.split(".")
        return [
            each
            for each in recorder.calls(service, operation)
            if not each["caller"].endswith(":root")
        ]

    def effects(self, call: str) -> int:
        """How often the call was carried out."""
        return sum(each["effect"] for each in self.calls(call))


def ended(child: BaseProcess) -> int | None:
    """How it ended; None where it has not."""
    child.join(WITHIN)
    return child.exitcode


# --- Windows: how a process is killed, and whether the call had its effect -------------------------


def killed_while(fault: str) -> Callable[[Scene, str, Sequence[str]], None]:
    """The call hangs by a fault, and then somebody pulls the plug."""

    def kill(scene: Scene, call: str, more: Sequence[str]) -> None:
        before = len(scene.calls(call))
        scene.order(fault, call, seconds=300)
        child = scene.run(*more)
        deadline = time.monotonic() + WITHIN
        while not [one for one in scene.calls(call)[before:] if one["fault"] == fault]:
            assert child.exitcode is None and time.monotonic() < deadline
            threading.Event().wait(0.02)  # a real process is at work
        child.kill()
        child.join()
        httpx.delete(scene.faults).raise_for_status()

    return kill


def killed_at_commit(scene: Scene, call: str, more: Sequence[str]) -> None:
    """The answer is there, and its transaction is as good as committed."""
    child = scene.run("--dies-after", call, *more)
    assert ended(child) == -signal.SIGKILL


WINDOWS = {
    "before the call": (killed_while("timeout_before"), False),
    "before the answer": (killed_while("timeout_after"), True),
    "before the commit": (killed_at_commit, True),
}


# --- Drivers: what is declared, the call that starts the work, and how often it was begun ----------


@dataclass(frozen=True)
class Case:
    """actions: given the scene, what is declared. begun: how often the work was begun at AWS.

    again: it is begun once more where its effect was there already: the vendor takes no token.
    """

    call: str
    actions: Callable[[Scene], str]
    begun: Callable[[Scene], int]
    more: tuple[str, ...] = ()
    again: bool = False
    key: str = "shop.zip"


def copies(scene: Scene) -> int:
    """Versions of what was promoted; half a copy counts as well."""
    s3, prefix = scene.root("s3"), f"releases/{scene.name}/"
    found = s3.list_object_versions(Bucket=scene.bucket, Prefix=prefix).get("Versions", [])
    halves = s3.list_multipart_uploads(Bucket=scene.bucket, Prefix=prefix).get("Uploads", [])
    return len(found) + len(halves)


def deployments(scene: Scene) -> int:
    """Deployments that say that they are of this execution."""
    return sum(scene.execution in info.get("description", "") for info in every_deployment(scene))


def every_deployment(scene: Scene) -> list[dict[str, Any]]:
    codedeploy = scene.root("codedeploy")
    ids = codedeploy.list_deployments()["deployments"]
    found: list[dict[str, Any]] = []
    for first in range(0, len(ids), 25):
        answer = codedeploy.batch_get_deployments(deploymentIds=ids[first : first + 25])
        found += answer["deploymentsInfo"]
    return found


def rollbacks(scene: Scene) -> int:
    """What CodeDeploy rolled back because the deployment was stopped."""
    (stopped,) = [i for i in every_deployment(scene) if scene.name in i.get("description", "")]
    by = [info.get("rollbackInfo", {}) for info in every_deployment(scene)]
    return sum(one.get("rollbackTriggeringDeploymentId") == stopped["deploymentId"] for one in by)


def builds(scene: Scene) -> int:
    """Builds that were told this execution."""
    codebuild = scene.root("codebuild")
    ids = codebuild.list_builds_for_project(projectName="shop")["ids"]
    found = codebuild.batch_get_builds(ids=ids[:100])["builds"] if ids else []
    wanted = {"name": "EXECUTION", "value": scene.execution, "type": "PLAINTEXT"}
    return sum(wanted in one["environment"]["environmentVariables"] for one in found)


def asked(scene: Scene) -> int:
    """Invocations of this execution, all under one token; each later one says `again`."""
    told = [one["payload"] for one in invocations("check")]
    own = [one for one in told if one["execution"] == scene.execution]
    assert len({one["token"] for one in own}) <= 1
    assert all(one["again"] for one in own[1:])
    return len(own)


def restore(scene: Scene) -> str:
    """A revision that only this test knows."""
    key = f"releases/{scene.name}.zip"
    put = scene.root("s3").put_object(Bucket=scene.bucket, Key=key, Body=build_bundle(1))
    location = f"s3://{scene.bucket}/{key}"
    return RESTORE.replace("LOCATION", location).replace("VERSION", put["VersionId"])


def stop(scene: Scene) -> str:
    """A deployment in flight, after one that succeeded."""
    good = deploy(scene, build_bundle(1), "good")
    deadline = time.monotonic() + WITHIN
    codedeploy = scene.root("codedeploy")
    while codedeploy.get_deployment(deploymentId=good)["deploymentInfo"]["status"] != "Succeeded":
        assert time.monotonic() < deadline
        threading.Event().wait(0.05)  # real agents are at work
    script = WAITING.format(python=sys.executable, url=scene.url, stops=scene.effects(STOPPED))
    bundle = zip_of({"appspec.yml": SLOW, "hook.sh": script})
    deploy(scene, bundle, f"towpath {scene.name} in flight")
    return STOP.replace("TOKEN", scene.name)


def deploy(scene: Scene, content: bytes, description: str) -> str:
    key = f"by-hand/{uuid.uuid4().hex}.zip"
    scene.root("s3").put_object(Bucket=scene.bucket, Key=key, Body=content)
    place = {"bucket": scene.bucket, "key": key, "bundleType": "zip"}
    answer = scene.root("codedeploy").create_deployment(
        applicationName="shop",
        deploymentGroupName="shop-dev",
        description=description,
        revision={"revisionType": "S3", "s3Location": place},
        fileExistsBehavior="OVERWRITE",
    )
    return str(answer["deploymentId"])


def serve(scene: Scene) -> str:
    """A service that only this test knows."""
    ecs = scene.root("ecs")
    ecs.create_cluster(clusterName="shop")
    content = zip_of({"imagedefinitions.json": json.dumps([{"name": "web", "imageUri": "web:2"}])})
    scene.root("s3", "tools").put_object(Bucket=SOURCES, Key="images.zip", Body=content)
    web = {"name": "web", "image": "web:1"}
    ecs.register_task_definition(family=scene.name, containerDefinitions=[web])
    where = {"cluster": "shop", "serviceName": scene.name, "desiredCount": 1}
    ecs.create_service(**where, taskDefinition=scene.name)
    return PROMOTE + SERVE.replace("NAME", scene.name)


def serve_again(scene: Scene) -> str:
    """A service that a bad release was deployed to."""
    serve(scene)
    ecs = scene.root("ecs")
    before = ecs.describe_task_definition(taskDefinition=scene.name)["taskDefinition"]
    tags = {"towpath:token": scene.name, "towpath:before": before["taskDefinitionArn"]}
    ecs.register_task_definition(
        family=scene.name,
        containerDefinitions=[{"name": "web", "image": "web:bad"}],
        tags=[{"key": key, "value": value} for key, value in tags.items()],
    )
    ecs.update_service(cluster="shop", service=scene.name, taskDefinition=scene.name)
    return SERVE_AGAIN.replace("NAME", scene.name)


def revisions(scene: Scene) -> int:
    """Task definitions that were registered for the service."""
    found = scene.root("ecs").list_task_definitions(familyPrefix=scene.name)
    return len(found["taskDefinitionArns"])


def rollouts(scene: Scene) -> int:
    """Deployments of the service that somebody began."""
    found = scene.root("ecs").list_service_deployments(cluster="shop", service=scene.name)
    return len(found["serviceDeployments"])


def host(scene: Scene) -> str:
    """An environment that only this test knows."""
    beanstalk = scene.root("elasticbeanstalk")
    beanstalk.create_application(ApplicationName=scene.name)
    beanstalk.create_application_version(ApplicationName=scene.name, VersionLabel="v1")
    named = {"ApplicationName": scene.name, "EnvironmentName": scene.name}
    beanstalk.create_environment(**named, VersionLabel="v1")
    return PROMOTE + HOST.replace("NAME", scene.name)


def host_again(scene: Scene) -> str:
    """An environment that a bad release was deployed to."""
    host(scene)
    beanstalk = scene.root("elasticbeanstalk")
    bad = {"ApplicationName": scene.name, "VersionLabel": "tp-bad.0"}
    beanstalk.create_application_version(**bad, Description="towpath, after v1")
    beanstalk.update_environment(**bad, EnvironmentName=scene.name)
    return HOST_AGAIN.replace("NAME", scene.name)


def updates(scene: Scene) -> int:
    """Updates of the environment that somebody began."""
    named = {"ApplicationName": scene.name, "EnvironmentName": scene.name}
    told = scene.root("elasticbeanstalk").describe_events(**named)["Events"]
    return sum(one["Message"] == "Environment update is starting." for one in told)


PARTS = ("--one-copy", "0")
CASES = {
    "S3Promote": Case("s3.CopyObject", lambda _: PROMOTE, copies),
    "S3Promote begins": Case("s3.CreateMultipartUpload", lambda _: PROMOTE, copies, PARTS),
    "S3Promote ends": Case("s3.CompleteMultipartUpload", lambda _: PROMOTE, copies, PARTS),
    "CodeDeploy": Case("codedeploy.CreateDeployment", lambda _: PROMOTE + DEPLOY, deployments),
    "CodeDeployRestore": Case("codedeploy.CreateDeployment", restore, deployments),
    "CodeDeployStop": Case(STOPPED, stop, rollbacks),
    "CodeBuild": Case("codebuild.StartBuild", lambda _: BUILD, builds),
    "ECS registers": Case("ecs.RegisterTaskDefinition", serve, revisions, key="images.zip"),
    "ECS": Case("ecs.UpdateService", serve, rollouts, key="images.zip"),
    "ECSRestore": Case("ecs.UpdateService", serve_again, rollouts),
    "ElasticBeanstalk": Case("elasticbeanstalk.UpdateEnvironment", host, updates),
    "ElasticBeanstalkRestore": Case("elasticbeanstalk.UpdateEnvironment", host_again, updates),
    # Lambda's Invoke has no token of its own: the function is told ours, and that it comes again.
    "Lambda": Case("lambda.Invoke", lambda _: INVOKE, asked, again=True),
}

LOST: dict[str, dict[str, Any]] = {"timeout_after": {"seconds": 0}, "truncated": {}}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as made:
        httpx.post(f"{made.url}/_sandbox/release", json={"release": 1}).raise_for_status()
        yield made


@pytest.fixture
def scene(sandbox: Sandbox, tmp_path: Path) -> Iterator[Scene]:
    made = Scene(sandbox, tmp_path)
    yield made
    made.close()


@pytest.fixture(scope="module", autouse=True)
def _work(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> None:
    scene = Scene(sandbox, tmp_path_factory.mktemp("function"))
    for name in ("check", "reports"):
        scene.root("lambda").create_function(
            FunctionName=name,
            Runtime="python3.12",
            Role=scene.world["accounts"]["dev"]["roles"]["deploy"],
            Handler="check.handler",
            Code={"ZipFile": zip_of({"check.py": ""})},
        )
    scene.root("codebuild").create_project(
        name="shop",
        source={"type": "CODEPIPELINE", "location": "by the pipeline"},
        artifacts={"type": "CODEPIPELINE", "location": "by the pipeline"},
        environment={
            "type": "LINUX_CONTAINER",
            "image": "aws/codebuild/standard:7.0",
            "computeType": "BUILD_GENERAL1_SMALL",
        },
        serviceRole=scene.world["accounts"]["dev"]["roles"]["deploy"],
    )
    scene.close()


@pytest.mark.parametrize("window", list(WINDOWS))
@pytest.mark.parametrize("name", list(CASES))
def test_killed_in_this_window_it_is_begun_once(scene: Scene, name: str, window: str) -> None:
    case, (kill, effect) = CASES[name], WINDOWS[window]
    scene.start(case.actions(scene), case.key)
    begun, effects = case.begun(scene), scene.effects(case.call)
    kill(scene, case.call, case.more)
    assert (scene.status(), scene.effects(case.call) - effects) == ("InProgress", effect)
    scene.go_on(case.more)
    assert scene.status() == "Succeeded", scene.told()
    assert case.begun(scene) - begun == 1 + effect * case.again


@pytest.mark.parametrize("fault", list(LOST))
@pytest.mark.parametrize("name", list(CASES))
def test_whose_answer_is_lost_begins_it_once(scene: Scene, name: str, fault: str) -> None:
    case = CASES[name]
    scene.start(case.actions(scene), case.key)
    begun = case.begun(scene)
    scene.order(fault, case.call, times=1, **LOST[fault])
    scene.go_on(case.more)
    assert scene.status() == "Succeeded", scene.told()
    assert case.begun(scene) - begun == 1 + case.again


def test_killed_after_the_call_a_function_is_called_again_for_the_same_job(scene: Scene) -> None:
    scene.start(JOB)
    killed_at_commit(scene, "lambda.Invoke", ())
    child = scene.run()
    deadline = time.monotonic() + WITHIN
    while len(invocations("reports")) < 2:
        assert child.exitcode is None and time.monotonic() < deadline, scene.told()
        threading.Event().wait(0.02)  # a real process is at work
    told = [one["payload"]["CodePipeline.job"]["id"] for one in invocations("reports")]
    assert len(set(told)) == 1
    jobs = Jobs(scene.database, Structures(), lambda: system_clock().timestamp())
    jobs.succeed(told[0], {})
    assert ended(child) == 0
    assert (scene.status(), len(invocations("reports"))) == ("Succeeded", 2)
