from typing import Any

import pytest
from botocore.session import Session
from botocore.validate import validate_parameters

from accounts.models import Purpose
from accounts.preflight import READING, Hop, walk
from accounts.statements import STATEMENTS
from controlplane.actions.hops import HOPS, account_hops
from controlplane.actions.registry import ACTIONS, GATES, RULES
from controlplane.sandbox.run import Sandbox
from tests.controlplane.actions.making import GROUP, REGION
from tests.controlplane.actions.visiting import SandboxClients
from tests.support.clients import account

CONFIGURATION = {
    **GROUP,
    "S3Bucket": "releases",
    "S3ObjectKey": "shop.zip",
    "RepositoryName": "shop",
    "BranchName": "main",
    "ResourceType": "AWS_EC2_INSTANCE",
    "CanaryName": "shop",
    "FunctionName": "check",
    "ProjectName": "shop",
    "EnvironmentName": "shop-web",
    "ClusterName": "shop",
    "ServiceName": "web",
    "ArtifactBucket": "releases",
    "AlarmName": "errors",
    "Namespace": "Shop",
    "MetricName": "Errors",
}
KEY = "arn:aws:kms:eu-west-1:444444444444:key/k"
PROD = account().model_copy(update={"artifact_key": KEY})
EVERY = [
    *(hop for make in HOPS.values() for hop in make(CONFIGURATION, "prod", REGION)),
    *account_hops(PROD, REGION),
]
CALLS = [hop for hop in EVERY if hop.operation]
each_call = pytest.mark.parametrize("hop", CALLS, ids=lambda hop: f"{hop.service}.{hop.operation}")


def test_every_hop_is_of_a_provider_that_we_run() -> None:
    assert set(HOPS) <= {provider for *_, provider in (*ACTIONS, *RULES, *GATES)}


@each_call
def test_a_hop_only_reads(hop: Hop) -> None:
    assert hop.operation.startswith(READING)


@each_call
def test_a_hops_statement_is_one_of_its_roles(hop: Hop) -> None:
    assert hop.statement in {statement.sid for statement in STATEMENTS[hop.purpose]}


@each_call
def test_a_hops_parameters_are_those_of_the_call(hop: Hop) -> None:
    model = Session().get_service_model(hop.service)
    wanted = hop.operation.replace("_", "")
    (name,) = (one for one in model.operation_names if one.lower() == wanted)
    shape = model.operation_model(name).input_shape
    assert shape is not None
    validate_parameters(dict(hop.parameters), shape)


def problem(hops: list[Hop], operation: str, answer: Any) -> str:
    """What a hop's check finds wrong with an answer; "" where nothing."""
    hop = next(one for one in hops if one.operation == operation)
    assert hop.check is not None
    found = hop.check(answer)
    return found[0] if found else ""


def test_an_alarm_that_is_in_alarm_already_is_told() -> None:
    hops = HOPS["CloudWatchAlarm"](CONFIGURATION, "prod", REGION)
    bad = {"MetricAlarms": [{"StateValue": "ALARM"}]}
    assert "in ALARM already" in problem(hops, "describe_alarms", bad)
    assert "no alarm errors" in problem(hops, "describe_alarms", {})
    assert not problem(hops, "describe_alarms", {"CompositeAlarms": [{"StateValue": "OK"}]})


def test_what_keeps_no_versions_is_told() -> None:
    hops = account_hops(PROD, REGION)
    assert "not versioned" in problem(hops, "get_bucket_versioning", {})
    assert not problem(hops, "get_bucket_versioning", {"Status": "Enabled"})


def test_a_key_that_is_switched_off_is_told() -> None:
    disabled = {"KeyMetadata": {"KeyState": "Disabled"}}
    assert "Disabled" in problem(account_hops(PROD, REGION), "describe_key", disabled)


def test_what_inspector_does_not_cover_is_told() -> None:
    hops = HOPS["InspectorFindings"](CONFIGURATION, "prod", REGION)
    assert "covers no AWS_EC2_INSTANCE" in problem(hops, "list_coverage", {"coveredResources": []})


def test_the_roles_that_deploy_ships_may_walk_the_sandbox() -> None:
    with Sandbox() as sandbox:
        clients = SandboxClients(sandbox)
        known = clients.world["environments"]["prod"]
        names = {
            "ApplicationName": known["application"],
            "DeploymentGroupName": known["deployment_group"],
            "AlarmName": known["alarm"],
            "CanaryName": known["canary"],
            "ResourceType": "AWS_EC2_INSTANCE",
        }
        providers = ("CodeDeploy", "CloudWatchAlarm", "SyntheticsCanary", "InspectorFindings")
        hops = [hop for one in providers for hop in HOPS[one](names, "prod", REGION)]
        found = walk(clients, [*hops, *account_hops(clients.registry.get("prod"), REGION)])
    assert [one.message for one in found if not one.ok] == []
    assert {one.hop.purpose for one in found} == set(Purpose)
