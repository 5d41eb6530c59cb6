"""A laboratory for Lambda deployments: a function with versions, its alias, a clock by hand."""

import io
import threading
import time
import zipfile
from typing import Any

import boto3

from controlplane.clock import ManualClock
from controlplane.sandbox import codedeploy
from controlplane.sandbox.aws import functions
from tests.controlplane.sandbox.codedeploy.lab import ENDED, REGION

CANARY = "CodeDeployDefault.LambdaCanary10Percent5Minutes"
BUCKET = "artifacts"


class FunctionsLab:
    """The function "shop" with its alias "live" at version 1; its group is shop/shop-prod."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.around = codedeploy.Surroundings(lambda _account, _region: (), self.clock)
        codedeploy.install(self.around)
        functions.install()
        connect: Any = boto3.client
        self.codedeploy = connect("codedeploy", REGION)
        self.s3 = connect("s3", REGION)
        self.functions = connect("lambda", REGION)
        place = {"LocationConstraint": REGION}
        self.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=place)
        on = {"Status": "Enabled"}
        self.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration=on)
        self._make()
        self.codedeploy.create_application(applicationName="shop", computePlatform="Lambda")
        self.codedeploy.create_deployment_group(
            applicationName="shop",
            deploymentGroupName="shop-prod",
            serviceRoleArn="arn:aws:iam::123456789012:role/CodeDeploy",
            deploymentConfigName=CANARY,
        )

    def _make(self) -> None:
        role = boto3.client("iam", REGION).create_role(
            RoleName="shop", AssumeRolePolicyDocument="{}"
        )
        self.functions.create_function(
            FunctionName="shop",
            Runtime="python3.12",
            Role=role["Role"]["Arn"],
            Handler="shop.handler",
            Code={"ZipFile": _code("1")},
            Publish=True,
        )
        self.functions.create_alias(FunctionName="shop", Name="live", FunctionVersion="1")
        for version in "2345":
            self.functions.update_function_code(
                FunctionName="shop", ZipFile=_code(version), Publish=True
            )

    def close(self) -> None:
        self.around.close()

    def upload(self, current: str, target: str) -> tuple[str, str]:
        """Upload an AppSpec file; answer its location and version."""
        spec = (
            "version: 0.0\nResources:\n  - shop:\n      Type: AWS::Lambda::Function\n"
            "      Properties: {Name: shop, Alias: live, "
            f"CurrentVersion: '{current}', TargetVersion: '{target}'}}\n"
        )
        put = self.s3.put_object(Bucket=BUCKET, Key="appspec.yaml", Body=spec.encode())
        return f"s3://{BUCKET}/appspec.yaml", str(put["VersionId"])

    def alias(self) -> tuple[str, dict[str, float]]:
        """The alias's own version, and the weights of others."""
        read = self.functions.get_alias(FunctionName="shop", Name="live")
        return read["FunctionVersion"], read.get("RoutingConfig", {}).get(
            "AdditionalVersionWeights", {}
        )

    def by_hand(self, current: str, target: str, **given: Any) -> str:
        """Somebody deploys without us; answers the deployment's id."""
        location, version = self.upload(current, target)
        key = location.removeprefix(f"s3://{BUCKET}/")
        s3 = {"bucket": BUCKET, "key": key, "version": version, "bundleType": "YAML"}
        answer = self.codedeploy.create_deployment(
            applicationName="shop",
            deploymentGroupName="shop-prod",
            revision={"revisionType": "S3", "s3Location": s3},
            **given,
        )
        return str(answer["deploymentId"])

    def info(self, deployment: str) -> dict[str, Any]:
        return dict(self.codedeploy.get_deployment(deploymentId=deployment)["deploymentInfo"])

    def until(self, deployment: str, percent: float) -> None:
        """Wait until so much of the traffic was shifted; its thread needs real time."""
        self._wait(lambda: self.weight(deployment) == percent)

    def weight(self, deployment: str) -> float:
        (target,) = self.codedeploy.list_deployment_targets(deploymentId=deployment)["targetIds"]
        answer = self.codedeploy.get_deployment_target(deploymentId=deployment, targetId=target)
        info: Any = answer["deploymentTarget"]["lambdaTarget"]
        return float(info["lambdaFunctionInfo"]["targetVersionWeight"])

    def end(self, deployment: str) -> dict[str, Any]:
        """Wait for its end, letting the clock run."""

        def over() -> bool:
            self.clock.advance(60)
            return self.info(deployment)["status"] in ENDED

        self._wait(over)
        return self.info(deployment)

    def _wait(self, done: Any) -> None:
        deadline = time.monotonic() + 20
        while not done():
            assert time.monotonic() < deadline
            threading.Event().wait(0.01)


def _code(text: str) -> bytes:
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("shop.py", text)
    return code.getvalue()
