"""What newcomers copy is right."""

import pytest

from accounts.declared import load_accounts
from accounts.models import Account
from controlplane.declarations.load import load_text
from controlplane.declarations.model import PipelineDeclaration, Result
from controlplane.declarations.yaml_spelling import to_yaml
from controlplane.sandbox import world
from monitors.checks.http_steps import steps
from monitors.checks.inspector_gate import gate
from monitors.criteria import criteria
from tests.controlplane.declarations.samples import EXAMPLES


@pytest.fixture
def accounts() -> list[Account]:
    return load_accounts(EXAMPLES / "accounts.yaml")


@pytest.fixture
def shop(accounts: list[Account]) -> PipelineDeclaration:
    text = (EXAMPLES / "pipeline.yaml").read_text()
    return load_text(text, "pipeline.yaml", [account.name for account in accounts])


def test_the_accounts_are_those_of_the_sandbox(accounts: list[Account]) -> None:
    declared = [(a.name, a.id, a.external_id, a.artifact_bucket) for a in accounts]
    assert declared == [(a.name, a.id, a.external_id, a.artifact_bucket) for a in world.ACCOUNTS]


def test_the_names_in_the_example_are_those_of_the_sandbox(shop: PipelineDeclaration) -> None:
    (source,) = shop.stage("Source").actions
    assert source.configuration["S3Bucket"] == world.SOURCE_BUCKET
    assert source.configuration["S3ObjectKey"] == world.SOURCE_KEY
    for account in world.ENVIRONMENTS:
        stage = shop.stage(account.name.capitalize())
        deploy = next(a for a in stage.actions if a.name == "Deploy")
        assert deploy.configuration["DeploymentGroupName"] == account.group
        assert deploy.configuration["ApplicationName"] == world.APPLICATION
        assert stage.rules()[0].configuration["AlarmName"] == account.alarm


def test_the_example_goes_from_dev_to_prod_behind_an_approval(shop: PipelineDeclaration) -> None:
    assert [stage.name for stage in shop.stages] == ["Source", "Dev", "Test", "Approve", "Prod"]
    for name in ("Dev", "Test", "Prod"):
        orders = [action.run_order for action in shop.stage(name).actions]
        assert orders == [1, 2, 3, 3, 3]


def test_prod_is_watched_by_three_signals_and_rolls_back(shop: PipelineDeclaration) -> None:
    prod = shop.stage("Prod")
    watching = [rule.rule_type_id.provider for rule in prod.rules()]
    assert watching == ["CloudWatchAlarm", "CloudWatchMetric", "PrometheusQuery"]
    assert {rule.configuration["BakeTime"] for rule in prod.rules()} == {"10s"}
    assert prod.on_failure is not None
    assert prod.on_failure.result is Result.ROLLBACK


def test_the_drivers_understand_what_the_example_says(shop: PipelineDeclaration) -> None:
    for stage in shop.stages:
        assert all(criteria(rule.configuration).minimum_samples for rule in stage.rules())
        for action in stage.actions:
            if action.action_type_id.provider == "HttpJourney":
                assert steps(action.configuration, "http://127.0.0.1/")[0].values
            if action.action_type_id.provider == "InspectorFindings":
                assert gate(action.configuration).severities == ("CRITICAL", "HIGH")


def test_the_example_survives_being_written_again(shop: PipelineDeclaration) -> None:
    assert load_text(to_yaml(shop)) == shop
