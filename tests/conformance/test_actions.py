"""One suite for every action driver: each entry of the registry is held to the same contract.

A new entry without a case fails the first test. What checks must do beyond it is in test_checks.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from accounts.base import Registry
from controlplane.actions.base import ActionDriver, MonitorError, Outcome, Progress, Task
from controlplane.actions.git.base import Hosts
from controlplane.actions.git.kinds import make as make_hosts
from controlplane.actions.registry import ACTIONS, RULES, Key, Parts, drivers
from controlplane.declarations import providers
from controlplane.declarations.model import PROOFS
from controlplane.declarations.rule_providers import RULES as RULE_TABLE
from controlplane.sandbox.git import API, TOKEN, FakeGit
from controlplane.settings import GitHost
from monitors.base import Shell, Verdict
from tests.controlplane.actions.codedeploy_answers import S3
from tests.controlplane.actions.fake_beanstalk import FakeBeanstalk
from tests.controlplane.actions.fake_cloudformation import FakeCloudFormation
from tests.controlplane.actions.fake_codebuild import FakeCodeBuild
from tests.controlplane.actions.fake_codecommit import FakeCodeCommit
from tests.controlplane.actions.fake_codedeploy import FakeCodeDeploy
from tests.controlplane.actions.fake_ecr import FakeEcr
from tests.controlplane.actions.fake_ecs import FakeEcs, image_definitions
from tests.controlplane.actions.fake_s3 import FakeS3
from tests.controlplane.actions.making import GROUP, NOW, bundle, digest_of, task
from tests.support import vendors
from tests.support.clients import FakeRegistry, client
from tests.support.scripted import DENIED, THROTTLED, Refusal, scripted

METRIC = {
    "Namespace": "Shop",
    "MetricName": "Errors",
    "Statistic": "Sum",
    "Period": "60",
    "Threshold": "5",
}
ALARM = {"AlarmName": "errors"}
QUERY = {"Query": "up", "Prometheus": "default", "Threshold": "5"}


@dataclass
class World:
    """The vendors of one test, all well."""

    codedeploy: FakeCodeDeploy = field(default_factory=FakeCodeDeploy)
    builds: FakeCodeBuild = field(default_factory=FakeCodeBuild)
    s3: FakeS3 = field(default_factory=FakeS3)
    ecr: FakeEcr = field(default_factory=FakeEcr)
    stacks: FakeCloudFormation = field(default_factory=FakeCloudFormation)
    services: FakeEcs = field(default_factory=FakeEcs)
    environments: FakeBeanstalk = field(default_factory=FakeBeanstalk)
    repositories: FakeCodeCommit = field(default_factory=FakeCodeCommit)
    git: FakeGit = field(default_factory=FakeGit)

    def parts(self) -> Parts:
        well = vendors.parts(vendors.Mood.WELL)
        well.clients.by_name.update(  # type: ignore[attr-defined]
            codebuild=scripted("codebuild", **self.builds.operations()),
            codedeploy=scripted("codedeploy", **self.codedeploy.operations()),
            cloudformation=scripted("cloudformation", **self.stacks.operations()),
            ecs=scripted("ecs", **self.services.operations()),
            elasticbeanstalk=scripted("elasticbeanstalk", **self.environments.operations()),
            codecommit=scripted("codecommit", **self.repositories.operations()),
            s3=self.s3,
            ecr=self.ecr,
        )
        host = GitHost(kind="github", token_env="TOKEN", api=API)
        hosts = make_hosts(self.git.client(), {"shop": host}, {"TOKEN": TOKEN})
        return replace(well, git=Hosts(hosts))

    @property
    def begun(self) -> int:
        """How often something was begun outside."""
        copies = len(self.s3.calls("CopyObject")) + len(self.s3.calls("PutObject"))
        deployments = self.codedeploy.created + self.codedeploy.stopped
        stacks = self.stacks.begun + self.stacks.cancelled
        deployments += self.services.begun + self.environments.begun
        return deployments + copies + len(self.ecr.put) + stacks + self.builds.begun


@dataclass(frozen=True)
class Case:
    """How one driver is met. configuration; the inputs; what must be there before it starts.

    service: the AWS service that it calls at its start, "" where it calls none then.
    batched: looking at many costs no more calls than looking at one (25 for CodeDeploy).
    """

    configuration: Mapping[str, str] = field(default_factory=dict)
    inputs: tuple[Any, ...] = ()
    before: Callable[[World], object] = lambda _: None
    service: str = ""
    batched: str = ""
    shell: Shell | None = None


def _released(world: World) -> None:
    world.s3.put("releases", "shop.zip", b"release 1")


def _committed(world: World) -> None:
    world.git.push("main", {"appspec.yml": b"version: 0.0"})


def _committed_there(world: World) -> None:
    world.repositories.push({"appspec.yml": b"version: 0.0"})


def _pushed(world: World) -> None:
    world.ecr.push(b"config")
    world.ecr.sent[digest_of(b"config")] = b"config"


def _updating(world: World) -> None:
    world.stacks.made("shop")
    world.stacks.becomes("shop", "UPDATE_IN_PROGRESS", "tp-bad")


def _updated(world: World) -> None:
    _updating(world)
    world.stacks.becomes("shop", "UPDATE_COMPLETE")


def _served(world: World) -> None:
    world.s3.put("releases", "images.zip", image_definitions(web="web:2"))
    world.services.serve()


def _going(world: World) -> None:
    world.services.serve()
    world.services.deploy("tp-bad")


def _gone(world: World) -> None:
    _going(world)
    world.services.later()


def _hosted(world: World) -> None:
    _released(world)
    world.environments.host()


def _hosting(world: World) -> None:
    world.environments.host()
    world.environments.deploy("tp-bad")


def _hosted_badly(world: World) -> None:
    _hosting(world)
    world.environments.later()


GIT = {"ConnectionArn": "shop", "FullRepositoryName": "team/shop", "BranchName": "main"}
PROJECT = {"ProjectName": "shop"}
STACK = {"StackName": "shop", "ActionMode": "CREATE_UPDATE"}
SERVICE = {"ClusterName": "shop", "ServiceName": "web"}
IMAGES = bundle(location="s3://releases/images.zip")
UNDOING = {**SERVICE, "DeploymentToken": "tp-bad", "DeploymentId": ""}
ENVIRONMENT = {"ApplicationName": "shop", "EnvironmentName": "shop-web"}
UPDATED = {**ENVIRONMENT, "DeploymentToken": "tp-bad", "DeploymentId": ""}
TEMPLATE = bundle(location="s3://towpath-artifacts-444444444444/shop.yaml")
RELEASE = bundle(b"release 1", location="s3://releases/shop.zip", account="tools")
PUSHED = bundle(
    digest=FakeEcr().push(b"config"),
    location="111111111111.dkr.ecr.eu-west-1.amazonaws.com/shop",
)
CASES: Mapping[Key, Case] = {
    ("Source", "AWS", "S3"): Case(
        {"S3Bucket": "releases", "S3ObjectKey": "shop.zip"}, before=_released, service="s3"
    ),
    ("Source", "AWS", "CodeStarSourceConnection"): Case(GIT, before=_committed, service="s3"),
    ("Source", "AWS", "CodeCommit"): Case(
        {"RepositoryName": "shop", "BranchName": "main"}, (), _committed_there, "codecommit"
    ),
    ("Source", "AWS", "ECR"): Case({"RepositoryName": "shop"}, (), _pushed, "ecr"),
    ("Build", "AWS", "CodeBuild"): Case(PROJECT, (RELEASE,), service="codebuild"),
    ("Test", "AWS", "CodeBuild"): Case(PROJECT, (RELEASE,), service="codebuild"),
    ("Compute", "AWS", "Commands"): Case(
        PROJECT, (RELEASE,), service="codebuild", shell=Shell(("make",))
    ),
    ("Deploy", "Custom", "S3Promote"): Case({}, (RELEASE,), _released, "s3"),
    ("Deploy", "Custom", "ECRPromote"): Case({"RepositoryName": "shop"}, (PUSHED,), _pushed, "ecr"),
    ("Deploy", "AWS", "CodeDeploy"): Case(
        GROUP, (bundle(),), service="codedeploy", batched="batch_get_deployments"
    ),
    ("Deploy", "Custom", "CodeDeployStop"): Case(
        {**GROUP, "DeploymentToken": "tp-bad", "DeploymentId": ""},
        before=lambda world: world.codedeploy.add("towpath tp-bad shop/prod"),
        service="codedeploy",
        batched="batch_get_deployments",
    ),
    ("Deploy", "Custom", "CodeDeployRestore"): Case(
        {
            **GROUP,
            "RevisionLocation": f"s3://{S3['bucket']}/{S3['key']}",
            "RevisionVersion": "v1",
            "RevisionDigest": "sha256:good",
        },
        service="codedeploy",
        batched="batch_get_deployments",
    ),
    ("Deploy", "AWS", "CloudFormation"): Case(
        STACK, (TEMPLATE,), lambda world: world.stacks.made("shop"), "cloudformation"
    ),
    ("Deploy", "Custom", "CloudFormationStop"): Case(
        {**STACK, "DeploymentToken": "tp-bad"}, (), _updating, "cloudformation"
    ),
    ("Deploy", "Custom", "CloudFormationRestore"): Case(
        {
            **STACK,
            "DeploymentToken": "tp-bad",
            "RevisionLocation": TEMPLATE.location,
            "RevisionVersion": "v1",
            "RevisionDigest": "sha256:good",
        },
        (),
        _updated,
        "cloudformation",
    ),
    ("Deploy", "AWS", "ECS"): Case(SERVICE, (IMAGES,), _served, "ecs"),
    ("Deploy", "Custom", "ECSStop"): Case(UNDOING, (), _going, "ecs"),
    ("Deploy", "Custom", "ECSRestore"): Case(
        {**UNDOING, "RevisionDigest": "sha256:good"}, (), _gone, "ecs"
    ),
    ("Deploy", "AWS", "ElasticBeanstalk"): Case(
        ENVIRONMENT, (RELEASE,), _hosted, "elasticbeanstalk"
    ),
    ("Deploy", "Custom", "ElasticBeanstalkStop"): Case(UPDATED, (), _hosting, "elasticbeanstalk"),
    ("Deploy", "Custom", "ElasticBeanstalkRestore"): Case(
        {**UPDATED, "RevisionDigest": "sha256:good"}, (), _hosted_badly, "elasticbeanstalk"
    ),
    ("Test", "Custom", "InspectorFindings"): Case(
        {"ResourceType": "AWS_EC2_INSTANCE", "ResourceIds": vendors.INSTANCE}
    ),
    ("Test", "Custom", "SyntheticsCanary"): Case({"CanaryName": "shop"}),
    ("Test", "Custom", "HttpJourney"): Case(
        {"Site": "shop", "Steps": '[{"name": "up", "method": "GET", "url": "/"}]'}
    ),
    ("Test", "Custom", "NoOp"): Case(),
    ("Test", "Custom", "WaveBake"): Case({"BakeTime": "10m"}),
    ("Test", "Custom", "CloudWatchAlarmRecovered"): Case(ALARM),
    ("Test", "Custom", "CloudWatchMetricRecovered"): Case(METRIC),
    ("Test", "Custom", "PrometheusQueryRecovered"): Case(QUERY),
    ("Invoke", "AWS", "Lambda"): Case({"FunctionName": "check"}, service="lambda"),
    ("Approval", "AWS", "Manual"): Case(),
    ("Rule", "AWS", "CloudWatchAlarm"): Case(ALARM),
    ("Rule", "Custom", "CloudWatchMetric"): Case(METRIC),
    ("Rule", "Custom", "PrometheusQuery"): Case(QUERY),
}
DEPLOY, RESTORE = ("Deploy", "AWS", "CodeDeploy"), ("Deploy", "Custom", "CodeDeployRestore")
BUILD = ("Build", "AWS", "CodeBuild")
EVERY = pytest.mark.parametrize("key", list(CASES), ids=lambda key: key[2])
AT_AWS = pytest.mark.parametrize(
    "key", [key for key, case in CASES.items() if case.service], ids=lambda key: key[2]
)


def met(key: Key) -> tuple[World, ActionDriver, Task]:
    """A world in which all is well, the driver in it, and a task for it."""
    world, case = World(), CASES[key]
    case.before(world)
    made = task(
        configuration=case.configuration,
        inputs=case.inputs,
        outputs=("out",),
        began=NOW,
        shell=case.shell,
    )
    return world, drivers(world.parts())[key], made


class Refusing:
    """Clients whose every call is refused in one way."""

    def __init__(self, refusal: Refusal) -> None:
        self.registry: Registry = FakeRegistry()
        self.refusal = refusal

    def client(self, service: str, *_: object) -> Any:
        made = client(service)
        error = {"Code": self.refusal.code, "Message": self.refusal.message}
        status = {"HTTPStatusCode": self.refusal.status}
        answer = AWSResponse("", self.refusal.status, HTTPHeaders(), None)
        told = {"Error": error, "ResponseMetadata": status}
        made.meta.events.register_first("before-call.*.*", lambda **_: (answer, told))
        return made


def refused(key: Key, refusal: Refusal) -> MonitorError:
    world, _, one = met(key)
    parts = replace(world.parts(), clients=Refusing(refusal))
    with pytest.raises(MonitorError) as caught:
        drivers(parts)[key].start(one)
    return caught.value


def test_every_driver_is_in_this_suite() -> None:
    assert set(CASES) == {*ACTIONS, *RULES}


def test_whatever_may_be_declared_has_its_driver() -> None:
    asked_once = {
        one.id for one in RULE_TABLE if "onSuccess" not in one.stands or one.provider in PROOFS
    }
    assert {declared[:3] for declared in {*providers.BY_ID} - asked_once} <= set(CASES)


@EVERY
def test_a_start_tells_how_it_stands_and_says_so(key: Key) -> None:
    _, driver, one = met(key)
    begun = driver.start(one)
    assert isinstance(begun, Progress)
    assert begun.summary
    assert begun.handle or begun.outcome is not Outcome.RUNNING


@EVERY
def test_a_token_starts_once_though_the_first_answer_was_lost(key: Key) -> None:
    world, driver, one = met(key)
    first = driver.start(one)
    begun = world.begun
    second = driver.start(replace(one, again=True))
    assert world.begun == begun
    assert begun <= 1
    assert first.outcome is Outcome.FAILED or first.handle == second.handle


@pytest.mark.parametrize("key", [DEPLOY, RESTORE], ids=lambda key: key[2])
def test_another_token_is_another_piece_of_work(key: Key) -> None:
    world, driver, one = met(key)
    driver.start(one)
    with pytest.raises(MonitorError, match="waiting for d-") as caught:
        driver.start(replace(one, token="tp-other"))
    assert not caught.value.permanent
    assert world.begun == 1


@EVERY
def test_a_look_answers_for_what_it_was_asked_and_no_more(key: Key) -> None:
    _, driver, one = met(key)
    begun = driver.start(one)
    seen = driver.look([replace(one, handle=begun.handle)])
    assert set(seen) <= {one.token}
    assert all(isinstance(answer, Progress | MonitorError) for answer in seen.values())


@pytest.mark.parametrize(
    "key", [key for key, case in CASES.items() if case.batched], ids=lambda key: key[2]
)
def test_many_are_looked_at_with_one_call(key: Key) -> None:
    world, driver, one = met(key)
    handle = driver.start(one).handle
    name = CASES[key].batched
    before = world.codedeploy.asked[name]
    others = [world.codedeploy.add("another", "Succeeded") for _ in range(24)]
    tasks = [replace(one, token=f"t-{n}", handle=n) for n in [*others, handle.partition("/")[0]]]
    assert len(driver.look(tasks)) == 25
    assert world.codedeploy.asked[name] == before + 1


def test_a_hundred_builds_are_looked_at_with_one_call() -> None:
    world, driver, one = met(BUILD)
    handles = [world.builds.add() for _ in range(100)]
    tasks = [replace(one, token=f"t-{handle}", handle=handle) for handle in handles]
    assert len(driver.look(tasks)) == 100
    assert world.builds.asked["batch_get_builds"] == 1


@EVERY
def test_stopping_twice_is_harmless_and_so_is_stopping_what_never_began(key: Key) -> None:
    _, driver, one = met(key)
    driver.stop(one)
    begun = replace(one, handle=driver.start(one).handle)
    driver.stop(begun)
    driver.stop(begun)


@AT_AWS
def test_throttling_may_pass(key: Key) -> None:
    assert not refused(key, THROTTLED).permanent


@AT_AWS
def test_a_refused_role_is_told_in_a_sentence_and_is_not_tried_again(key: Key) -> None:
    error = refused(key, DENIED)
    assert error.permanent
    assert "prod" in str(error)
    assert len(str(error).split()) > 6


@AT_AWS
def test_the_role_is_the_one_that_its_purpose_names(key: Key) -> None:
    world, _, one = met(key)
    parts = world.parts()
    driver = drivers(parts)[key]
    driver.start(one)
    wanted = getattr(driver, "purpose", None)
    asked = {known.purpose for known in parts.clients.asked}  # type: ignore[attr-defined]
    assert wanted is None or asked == {wanted}


@pytest.mark.parametrize("key", list(RULES), ids=lambda key: key[2])
def test_a_watch_judges_at_every_look_and_never_ends(key: Key) -> None:
    _, driver, one = met(key)
    seen = driver.look([replace(one, handle="watching")])[one.token]
    assert isinstance(seen, Progress)
    assert seen.outcome is Outcome.RUNNING
    assert seen.judgement is not None
    assert seen.judgement.verdict in Verdict
