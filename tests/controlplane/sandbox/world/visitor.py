"""Somebody who uses the sandbox from outside: over HTTP, with Towpath's own credentials."""

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from controlplane.sandbox.run import Sandbox

ENDED = ("Succeeded", "Failed", "Stopped")


class Visitor:
    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox, self.world = sandbox, sandbox.world_document()

    def get(self, route: str) -> Any:
        with urllib.request.urlopen(f"{self.sandbox.url}/_sandbox/{route}") as answer:  # noqa: S310
            return json.load(answer)

    def post(self, route: str, body: object) -> tuple[int, Any]:
        request = urllib.request.Request(  # noqa: S310  # loopback
            f"{self.sandbox.url}/_sandbox/{route}",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request) as answer:  # noqa: S310
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def towpath(self, service: str) -> Any:
        """A client that acts as Towpath itself."""
        user = self.world["towpath"]
        return self._client(service, user["access_key_id"], user["secret_access_key"], None)

    def role(self, service: str, account: str, purpose: str) -> Any:
        """A client that acts in one of Towpath's roles in an account."""
        known = self.world["accounts"][account]
        given = self.towpath("sts").assume_role(
            RoleArn=known["roles"][purpose],
            RoleSessionName="visitor",
            ExternalId=known["external_id"],
        )["Credentials"]
        return self._client(
            service, given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"]
        )

    def promote(self, account: str, release: int) -> dict[str, Any]:
        """Upload a release and copy it into an account's bucket; answer its revision."""
        _, uploaded = self.post("release", {"release": release})
        source, bucket = self.world["source"], self.world["accounts"][account]["artifact_bucket"]
        copied = self.role("s3", account, "deploy").copy_object(
            Bucket=bucket,
            Key="shop.zip",
            CopySource={
                "Bucket": source["bucket"],
                "Key": source["key"],
                "VersionId": uploaded["versionId"],
            },
        )
        location = {"bucket": bucket, "key": "shop.zip", "bundleType": "zip"}
        return {"revisionType": "S3", "s3Location": location | {"version": copied["VersionId"]}}

    def deploy(self, account: str, revision: Any) -> str:
        known = self.world["environments"][account]
        answer = self.role("codedeploy", account, "deploy").create_deployment(
            applicationName=known["application"],
            deploymentGroupName=known["deployment_group"],
            revision=revision,
        )
        return str(answer["deploymentId"])

    def end(self, account: str, deployment: str) -> dict[str, Any]:
        client, info = self.role("codedeploy", account, "watch"), dict[str, Any]()

        def ended() -> bool:
            answer = client.get_deployment(deploymentId=deployment)
            info.update(answer["deploymentInfo"])
            return info["status"] in ENDED

        assert eventually(ended, within=40), info
        return info

    def serving(self, environment: str) -> list[int | None]:
        """Which release each instance really serves."""
        return [one["release"] for one in self.get("serving")[environment]]

    def _client(self, service: str, key: str, secret: str, token: str | None) -> Any:
        config = Config(retries={"total_max_attempts": 1})
        return boto3.client(  # type: ignore[call-overload]
            service,
            self.world["region"],
            endpoint_url=self.sandbox.url,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            aws_session_token=token,
            config=config,
        )


def eventually(true: Callable[[], bool], within: float = 10.0) -> bool:
    """Wait until something is true of real processes; False where it never came."""
    deadline = time.monotonic() + within
    while not true():
        if time.monotonic() > deadline:
            return False
        threading.Event().wait(0.05)
    return True


def processes_below(folder: Path) -> list[int]:
    """Find the processes that were started from below a folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            words = (entry / "cmdline").read_bytes()
            home = (entry / "cwd").readlink()
        except OSError:
            continue
        if str(folder).encode() in words or home.is_relative_to(folder):
            found.append(int(entry.name))
    return found
