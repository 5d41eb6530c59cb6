"""Every call is checked against identity, session and resource policies."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.controlplane.sandbox.aws.documents import allow
from tests.controlplane.sandbox.conftest import REGION, ClientOf

Session = Callable[..., dict[str, Any]]

DENIED: list[tuple[str, str, dict[str, Any], str, str]] = [
    ("codedeploy", "list_applications", {}, "AccessDeniedException", "ListApplications"),
    ("cloudwatch", "list_metrics", {}, "AccessDeniedException", "cloudwatch:ListMetrics"),
    ("inspector2", "list_findings", {}, "AccessDeniedException", "inspector2:ListFindings"),
    ("lambda", "get_function", {"FunctionName": "f"}, "AccessDeniedException", "function:f"),
    ("synthetics", "get_canary", {"Name": "shop"}, "AccessDeniedException", "canary:shop"),
    ("sqs", "list_queues", {}, "AccessDeniedException", "sqs:ListQueues"),
    ("s3", "list_buckets", {}, "AccessDenied", "s3:ListAllMyBuckets"),
    ("sns", "list_topics", {}, "AccessDenied", "sns:ListTopics"),
    ("iam", "get_role", {"RoleName": "Worker"}, "AccessDenied", "role/Worker"),
]


@pytest.mark.parametrize("row", DENIED, ids=lambda row: row[0])
def test_a_refusal_speaks_the_callers_protocol(
    client: ClientOf, session: Session, row: tuple[str, str, dict[str, Any], str, str]
) -> None:
    service, operation, given, code, part = row
    credentials = session(allow("nothing:AtAll"))
    with pytest.raises(ClientError) as caught:
        getattr(client(service, credentials=credentials), operation)(**given)
    error = caught.value.response["Error"]
    assert error["Code"] == code
    assert error["Message"].startswith("User: arn:aws:sts::")
    assert part in error["Message"]
    assert "because no identity-based policy allows the" in error["Message"]
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_a_policy_for_one_deployment_group_allows_that_one_only(
    client: ClientOf, session: Session, account: str
) -> None:
    arn = f"arn:aws:codedeploy:{REGION}:{account}:deploymentgroup:shop/shop-dev"
    codedeploy = client("codedeploy", credentials=session(allow("codedeploy:*", arn)))
    with pytest.raises(codedeploy.exceptions.ApplicationDoesNotExistException):
        codedeploy.get_deployment_group(applicationName="shop", deploymentGroupName="shop-dev")
    with pytest.raises(ClientError, match=r"AccessDenied.*deploymentgroup:shop/shop-prod"):
        codedeploy.get_deployment_group(applicationName="shop", deploymentGroupName="shop-prod")


def test_an_explicit_deny_wins(client: ClientOf, session: Session) -> None:
    document = json.loads(allow("sns:*"))
    document["Statement"].append({"Effect": "Deny", "Action": "sns:List*", "Resource": "*"})
    sns = client("sns", credentials=session(json.dumps(document)))
    sns.create_topic(Name="releases")
    with pytest.raises(ClientError, match="with an explicit deny in an identity-based policy"):
        sns.list_topics()


def test_a_session_policy_narrows(client: ClientOf, session: Session) -> None:
    credentials = session(allow("*"), Policy=allow("sns:ListTopics"))
    client("sns", credentials=credentials).list_topics()
    with pytest.raises(ClientError, match="no session policy allows the sqs:ListQueues action"):
        client("sqs", credentials=credentials).list_queues()


def test_a_session_policy_gives_nothing_of_its_own(client: ClientOf, session: Session) -> None:
    credentials = session(allow("sqs:*"), Policy=allow("sns:*"))
    with pytest.raises(ClientError, match="no identity-based policy allows the sns:ListTopics"):
        client("sns", credentials=credentials).list_topics()


def test_attached_policies_count(client: ClientOf, session: Session, account: str) -> None:
    credentials = session(allow("nothing:AtAll"))
    iam = client("iam", account)
    made = iam.create_policy(PolicyName="topics", PolicyDocument=allow("sns:ListTopics"))
    iam.attach_role_policy(RoleName="Worker", PolicyArn=made["Policy"]["Arn"])
    assert client("sns", credentials=credentials).list_topics()["Topics"] == []


@pytest.mark.parametrize(
    ("service", "operation", "code"),
    [
        ("sts", "get_caller_identity", "InvalidClientTokenId"),
        ("codedeploy", "list_applications", "UnrecognizedClientException"),
        ("s3", "list_buckets", "InvalidAccessKeyId"),
    ],
)
def test_an_unknown_key_is_refused(
    client: ClientOf, service: str, operation: str, code: str
) -> None:
    stranger = {"AccessKeyId": "AKIA0123456789ABCDEF"}
    with pytest.raises(ClientError) as caught:
        getattr(client(service, credentials=stranger), operation)()
    assert caught.value.response["Error"]["Code"] == code


def test_creating_a_deployment_asks_for_the_configuration_too(
    client: ClientOf, session: Session, account: str
) -> None:
    start = f"arn:aws:codedeploy:{REGION}:{account}"
    allowed = [f"{start}:deploymentgroup:shop/dev", f"{start}:application:shop"]
    codedeploy = client("codedeploy", credentials=session(allow("codedeploy:*", allowed)))
    with pytest.raises(ClientError, match=r"GetDeploymentConfig.*CodeDeployDefault"):
        codedeploy.create_deployment(
            applicationName="shop",
            deploymentGroupName="dev",
            deploymentConfigName="CodeDeployDefault.AllAtOnce",
        )
