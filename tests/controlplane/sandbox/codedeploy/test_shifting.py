"""A Lambda deployment shifts an alias step by step; what stops it leaves the alias where it was."""

import pytest
from botocore.exceptions import ClientError

from controlplane.sandbox.codedeploy.appspec import AppSpecError, parse_shift
from tests.controlplane.sandbox.codedeploy.functions_lab import FunctionsLab

AT_ONCE = "CodeDeployDefault.LambdaAllAtOnce"


def good(shop: FunctionsLab) -> None:
    """Version 2 is the last that was deployed well."""
    assert shop.end(shop.by_hand("1", "2"))["status"] == "Succeeded"


def test_a_canary_sends_a_tenth_first_and_all_of_it_after_five_minutes(shop: FunctionsLab) -> None:
    deployment = shop.by_hand("1", "2")
    shop.until(deployment, 10)
    assert shop.alias() == ("1", {"2": 0.1})
    info = shop.end(deployment)
    assert (info["status"], info["computePlatform"]) == ("Succeeded", "Lambda")
    assert info["deploymentOverview"]["Succeeded"] == 1
    assert shop.alias() == ("2", {})


def test_stopped_without_a_rollback_it_leaves_the_alias_split_and_no_other_begins_well(
    shop: FunctionsLab,
) -> None:
    good(shop)
    deployment = shop.by_hand("2", "3")
    shop.until(deployment, 10)
    shop.codedeploy.stop_deployment(deploymentId=deployment, autoRollbackEnabled=False)
    assert shop.end(deployment)["status"] == "Stopped"
    assert shop.alias() == ("2", {"3": 0.1})
    after = shop.end(shop.by_hand("2", "4"))
    assert after["errorInformation"]["code"] == "INVALID_LAMBDA_CONFIGURATION"


def test_stopped_with_a_rollback_another_deployment_sends_all_of_it_back(
    shop: FunctionsLab,
) -> None:
    good(shop)
    deployment = shop.by_hand("2", "3")
    shop.until(deployment, 10)
    shop.codedeploy.stop_deployment(deploymentId=deployment, autoRollbackEnabled=True)
    back = shop.end(deployment)["rollbackInfo"]["rollbackDeploymentId"]
    assert shop.end(back)["status"] == "Succeeded"
    assert shop.alias() == ("2", {})


def test_where_nothing_was_deployed_well_nothing_is_put_back(shop: FunctionsLab) -> None:
    deployment = shop.by_hand("1", "2")
    shop.until(deployment, 10)
    shop.codedeploy.stop_deployment(deploymentId=deployment, autoRollbackEnabled=True)
    assert "rollbackDeploymentId" not in shop.end(deployment)["rollbackInfo"]
    assert shop.alias() == ("1", {"2": 0.1})


@pytest.mark.parametrize(
    ("versions", "code"),
    [(("3", "4"), "INVALID_LAMBDA_CONFIGURATION"), (("1", "9"), "INVALID_LAMBDA_FUNCTION")],
)
def test_versions_that_do_not_fit_are_refused(
    shop: FunctionsLab, versions: tuple[str, str], code: str
) -> None:
    info = shop.end(shop.by_hand(*versions, deploymentConfigName=AT_ONCE))
    assert (info["status"], info["errorInformation"]["code"]) == ("Failed", code)


def test_an_alias_changes_only_under_the_revision_that_was_read(shop: FunctionsLab) -> None:
    read = shop.functions.get_alias(FunctionName="shop", Name="live")["RevisionId"]
    change = {"FunctionName": "shop", "Name": "live", "FunctionVersion": "2", "RevisionId": read}
    shop.functions.update_alias(**change)
    with pytest.raises(ClientError) as refused:
        shop.functions.update_alias(**change)
    assert refused.value.response["Error"]["Code"] == "PreconditionFailedException"


@pytest.mark.parametrize(
    "text",
    [
        "version: 0.0",
        "Resources: []",
        "Resources: [{a: {Type: 'AWS::ECS::Service'}}]",
        "Resources: [{a: {Type: 'AWS::Lambda::Function', Properties: {Name: shop}}}]",
        "Resources: 7",
        "[",
        "x" * 70_000,
    ],
)
def test_an_appspec_that_cannot_be_used_is_refused(text: str) -> None:
    with pytest.raises(AppSpecError):
        parse_shift(text)
