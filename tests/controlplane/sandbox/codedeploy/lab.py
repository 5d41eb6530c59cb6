"""A laboratory: CodeDeploy over moto, with instances that have a directory and real processes."""

import io
import threading
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3

from controlplane.sandbox import codedeploy
from controlplane.sandbox.fleet.instance import Instance
from controlplane.sandbox.fleet.lifeline import Lifeline

ACCOUNT, REGION = "123456789012", "eu-west-1"
ENDED = ("Succeeded", "Failed", "Stopped")
APPSPEC = "version: 0.0\nos: linux\nfiles:\n  - {source: release.txt, destination: /srv}\nhooks:\n"


class Lab:
    """One application, one group, some instances, one bucket."""

    def __init__(self, folder: Path) -> None:
        self.lifeline, self.folder = Lifeline(), folder
        self.instances: list[Instance] = []
        self.around = codedeploy.Surroundings(lambda _account, _region: self.instances)
        codedeploy.install(self.around)
        self.codedeploy = boto3.client("codedeploy", REGION)
        self.s3 = boto3.client("s3", REGION)
        place: Any = {"LocationConstraint": REGION}
        self.s3.create_bucket(Bucket="artifacts", CreateBucketConfiguration=place)
        self.codedeploy.create_application(applicationName="shop")

    def close(self) -> None:
        self.around.close()
        self.lifeline.cut()

    def group(self, instances: int = 1, **settings: Any) -> None:
        """Make that many instances, and the group that they belong to."""
        for number in range(instances):
            root = self.folder / f"i-{number}"
            root.mkdir()
            tags = {"Environment": "prod"}
            one = Instance(f"i-{number}", ACCOUNT, REGION, "prod", root, 1, self.lifeline.fd, tags)
            self.instances.append(one)
        self.codedeploy.create_deployment_group(
            applicationName="shop",
            deploymentGroupName="prod",
            serviceRoleArn=f"arn:aws:iam::{ACCOUNT}:role/CodeDeploy",
            ec2TagFilters=[{"Key": "Environment", "Value": "prod", "Type": "KEY_AND_VALUE"}],
            **settings,
        )

    def upload(self, release: int = 1, hooks: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Upload a bundle; hooks: the shell script of each lifecycle event. Answer its revision."""
        lines = "".join(
            f"  {event}:\n    - {{location: {event}.sh, timeout: 5}}\n" for event in hooks or {}
        )
        files = {"appspec.yml": APPSPEC + lines, "release.txt": str(release)}
        files |= {f"{event}.sh": f"#!/bin/sh\n{text}\n" for event, text in (hooks or {}).items()}
        return self.upload_bytes(zip_of(files), f"{release}.zip")

    def upload_bytes(self, content: bytes, key: str) -> dict[str, Any]:
        self.s3.put_object(Bucket="artifacts", Key=key, Body=content)
        location = {"bucket": "artifacts", "key": key, "bundleType": "zip"}
        return {"revisionType": "S3", "s3Location": location}

    def start(self, revision: Any, **settings: Any) -> str:
        """Create a deployment; answer its id."""
        answer = self.codedeploy.create_deployment(
            applicationName="shop", deploymentGroupName="prod", revision=revision, **settings
        )
        return str(answer["deploymentId"])

    def get(self, deployment: str) -> dict[str, Any]:
        answer = self.codedeploy.get_deployment(deploymentId=deployment)
        return dict(answer["deploymentInfo"])

    def end(self, deployment: str) -> dict[str, Any]:
        """Wait for a deployment's end; answer its DeploymentInfo."""
        deadline = time.monotonic() + 20
        while (info := self.get(deployment))["status"] not in ENDED:
            assert time.monotonic() < deadline, info
            threading.Event().wait(
                0.01
            )  # a real process is at work: there is nothing else to wait on
        return info

    def deploy(self, revision: dict[str, Any], **settings: Any) -> dict[str, Any]:
        return self.end(self.start(revision, **settings))

    def targets(self, deployment: str) -> list[dict[str, Any]]:
        names = self.codedeploy.list_deployment_targets(deploymentId=deployment)["targetIds"]
        answer = self.codedeploy.batch_get_deployment_targets(
            deploymentId=deployment, targetIds=names
        )
        return [dict(one["instanceTarget"]) for one in answer["deploymentTargets"]]

    def events(self, deployment: str, instance: int = 0) -> dict[str, dict[str, Any]]:
        """Answer the lifecycle events of one instance, by name."""
        events = self.targets(deployment)[instance]["lifecycleEvents"]
        return {event["lifecycleEventName"]: event for event in events}

    def installed(self) -> list[str]:
        """What lies on each instance's disk."""
        paths = [one.root / "srv" / "release.txt" for one in self.instances]
        return [path.read_text() if path.exists() else "" for path in paths]


def zip_of(files: Mapping[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def alive(pid: int) -> bool:
    """Tell whether a process runs; an ended one that nobody reaped has no command line."""
    try:
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())
    except OSError:
        return False
