"""Seeding: each account gets what the shipped template makes, and the environments their parts.

All of it through AWS's own calls, so that the world is made the way a person would make it.
"""

import json
from collections.abc import Callable
from typing import Any

import boto3
from botocore.config import Config

from controlplane.sandbox import seed_policy, shipped
from controlplane.sandbox.world import (
    APPLICATION,
    REGION,
    SOURCE_BUCKET,
    STORES,
    TOOLS_ACCOUNT,
    USER,
    Account,
)

Clients = Callable[[str], Any]
"""Answers the client of a service, in one account, as its root."""

STACK = "towpath-account-roles"
TEMPLATE = "account-roles.cfn.yaml"
SERVICE_ROLE = "CodeDeployServiceRole"
SECRET = "sandbox"  # noqa: S105  # the sandbox does not check signatures


def clients_of(url: str, key: str) -> Clients:
    """Make clients that act with an access key of the sandbox."""
    session = boto3.Session(aws_access_key_id=key, aws_secret_access_key=SECRET, region_name=REGION)
    config = Config(retries={"total_max_attempts": 1}, read_timeout=20, connect_timeout=5)
    made: dict[str, Any] = {}

    def client(service: str) -> Any:
        if service not in made:
            made[service] = session.client(service, endpoint_url=url, config=config)  # type: ignore[call-overload]
        return made[service]

    return client


def seed_roles(client: Clients, account: Account) -> dict[str, str]:
    """Make Towpath's roles, key and artifact bucket as `deploy/` ships them; answer the outputs."""
    seed_policy.learn()
    cloudformation = client("cloudformation")
    parameters = {
        "TowpathPrincipalArn": TOOLS_ACCOUNT.arn("iam", f"user/{USER}", region=""),
        "ExternalId": account.external_id,
        "ArtifactBucketName": account.artifact_bucket,
        "SourceBucketArn": f"arn:aws:s3:::{SOURCE_BUCKET}",
        "StoreBucketArn": f"arn:aws:s3:::{STORES}*",
        "StoreKeyArn": TOOLS_ACCOUNT.arn("kms", "key/*", region="*"),
        "Drills": "no" if account.name.startswith("prod") else "yes",
    }
    cloudformation.create_stack(
        StackName=STACK,
        TemplateBody=shipped.path(TEMPLATE).read_text("utf-8"),
        Capabilities=["CAPABILITY_NAMED_IAM"],
        Parameters=[
            {"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()
        ],
    )
    (stack,) = cloudformation.describe_stacks(StackName=STACK)["Stacks"]
    outputs = {one["OutputKey"]: one["OutputValue"] for one in stack.get("Outputs", [])}
    if stack["StackStatus"] != "CREATE_COMPLETE" or "WatchRoleArn" not in outputs:
        raise RuntimeError(f"{TEMPLATE} came to {stack['StackStatus']}, with outputs {outputs}")
    return outputs


def seed_application(client: Clients) -> None:
    """Make an account's application, and the role that its deployment groups act by."""
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "codedeploy.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    client("iam").create_role(
        RoleName=SERVICE_ROLE,
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )
    client("codedeploy").create_application(applicationName=APPLICATION, computePlatform="Server")


def seed_group(client: Clients, account: Account) -> None:
    """Make the deployment group over an environment's instances.

    The group's own alarms are off: Towpath watches, and what stops a deployment is to be Towpath.
    """
    client("codedeploy").create_deployment_group(
        applicationName=APPLICATION,
        deploymentGroupName=account.group,
        deploymentConfigName="CodeDeployDefault.OneAtATime",
        serviceRoleArn=account.arn("iam", f"role/{SERVICE_ROLE}", region=""),
        ec2TagFilters=[{"Key": "Environment", "Value": account.name, "Type": "KEY_AND_VALUE"}],
        deploymentStyle={
            "deploymentType": "IN_PLACE",
            "deploymentOption": "WITH_TRAFFIC_CONTROL",
        },
        loadBalancerInfo={"targetGroupInfoList": [{"name": account.group}]},
        alarmConfiguration={"enabled": False, "alarms": [{"name": account.alarm}]},
    )
