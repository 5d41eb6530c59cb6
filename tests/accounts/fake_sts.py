"""A fake STS: numbered credentials, requests checked against botocore's model, and counted."""

import re
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError
from botocore.hooks import HierarchicalEmitter
from botocore.session import Session
from botocore.validate import validate_parameters

SHAPE: Any = Session().get_service_model("sts").operation_model("AssumeRole").input_shape
NAME = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
POLICY = re.compile("[\t\n\r\x20-\xff]{1,2048}")


def refusal(
    code: str, message: str = "", status: int = 400, operation: str = "AssumeRole"
) -> ClientError:
    """A refusal as AWS answers it."""
    answer: Any = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(answer, operation)


class FakeSts:
    """It is also the `boto3.Session` that sessions are made from: `client("sts")` answers it."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.now = now
        self.meta = SimpleNamespace(events=HierarchicalEmitter())
        self.asked: list[dict[str, Any]] = []
        self.regions: list[str] = []
        self.refuse: Callable[[dict[str, Any]], Exception | None] = lambda _: None
        self.hold = threading.Event()
        self.hold.set()
        self._lock = threading.Lock()

    def client(self, service: str, *, region_name: str, config: Any) -> "FakeSts":
        assert service == "sts"
        assert config.connect_timeout == 2
        self.regions.append(region_name)
        return self

    def assume_role(self, **asked: Any) -> dict[str, Any]:
        validate_parameters(asked, SHAPE)
        assert NAME.fullmatch(asked["SourceIdentity"])
        assert NAME.fullmatch(asked["RoleSessionName"])
        assert POLICY.fullmatch(asked["Policy"])
        with self._lock:
            self.asked.append(asked)
            number = len(self.asked)
        self.hold.wait(5)
        refused = self.refuse(asked)
        if refused is not None:
            raise refused
        return {
            "Credentials": {
                "AccessKeyId": f"ASIA{number:016}",
                "SecretAccessKey": f"made-up-{number}",
                "SessionToken": f"token-{number}",
                "Expiration": self.now() + timedelta(seconds=asked["DurationSeconds"]),
            },
            "AssumedRoleUser": {"Arn": f"{asked['RoleArn']}/x", "AssumedRoleId": "AROA:x"},
        }


def keys_of(client: Any) -> str:
    """Which numbered credentials a client signs with at this moment."""
    return str(client._get_credentials().get_frozen_credentials().access_key)
