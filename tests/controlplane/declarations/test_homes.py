"""A role becomes a registered account, or a sentence that says why it does not."""

import pytest

from controlplane.declarations.homes import Homes, fill
from controlplane.declarations.load import parse_text
from controlplane.declarations.moved import Standing, report
from tests.support.clients import account

PROD = "arn:aws:iam::444444444444:role/pipelines/CodePipeline"
HOMES = Homes([account("prod"), account("dev", "2" * 12), account("dev-eu", "2" * 12)])


def test_a_role_is_in_its_registered_account() -> None:
    assert HOMES.of(PROD).name == "prod"


@pytest.mark.parametrize(
    ("role", "region", "said"),
    [
        (None, None, "say `account:` on the stage"),
        ("${cfn.Role.Arn}", None, "it acted as ${cfn.Role.Arn}"),
        ("arn:aws:iam::999999999999:role/x", None, "register AWS account 999999999999"),
        ("arn:aws:iam::222222222222:role/x", None, "dev and dev-eu are both AWS account 2222"),
        (PROD, "us-east-1", "account prod has no region us-east-1 (it has eu-west-1)"),
    ],
)
def test_what_is_not_clear_is_told(role: str | None, region: str | None, said: str) -> None:
    found = HOMES.of(role, region)
    assert found.name == "" and said in found.why


def test_an_action_acts_by_its_own_role_or_else_by_the_pipelines() -> None:
    call = {"category": "Invoke", "owner": "AWS", "provider": "Lambda"}
    own = {"actionTypeId": call, "roleArn": "arn:aws:iam::999999999999:role/x"}
    ask = {"actionTypeId": {"category": "Approval", "owner": "AWS", "provider": "Manual"}}
    tree = {"roleArn": PROD, "stages": [{"actions": [own, {"actionTypeId": call}, ask]}]}
    fill(tree, HOMES, "eu-west-1")
    mine, pipelines, manual = tree["stages"][0]["actions"]  # type: ignore[index]
    assert mine == own and "configuration" not in mine
    assert pipelines["configuration"] == {"Account": "prod"}
    assert pipelines["region"] == "eu-west-1" and "region" not in manual


def test_the_report_says_in_which_account_an_action_acts() -> None:
    text = f"""
pipeline: p
roleArn: {PROD}
stages: [{{name: S, actions: [{{name: Call, provider: Lambda, with: {{FunctionName: f}}}}]}}]
"""
    (line,) = report(parse_text(text), HOMES)
    assert (line.standing, line.why) == (Standing.RUNS, "acts in account prod")
    (line,) = report(parse_text(text), HOMES, "us-east-1")
    assert line.standing is Standing.ACCOUNT
