import json
from datetime import UTC, datetime
from typing import Any

import pytest

from accounts.base import AccountError, Scope
from accounts.lending import Lent, Objects, lend
from tests.support.doors import account

PROD = account("prod")
READ = "arn:aws:s3:::releases/shop.zip"
WRITE = "arn:aws:s3:::artifacts-prod/jobs/report"


def lent(objects: Objects, asked: list[Any]) -> Lent:
    def ask(**request: Any) -> Any:
        asked.append(request)
        return {
            "Credentials": {
                "AccessKeyId": "ASIA1",
                "SecretAccessKey": "a secret key",
                "SessionToken": "a token",
                "Expiration": datetime(2026, 1, 1, tzinfo=UTC),
            },
            "AssumedRoleUser": {"Arn": "arn:aws:sts::1:assumed-role/x/y"},
        }

    return lend(ask, PROD, objects, Scope("shop", "Test", "e1"))


def test_what_is_lent_may_read_and_write_these_objects_and_nothing_else() -> None:
    asked: list[Any] = []
    found = lent(Objects([READ], [WRITE]), asked)
    statements = json.loads(asked[0]["Policy"])["Statement"]
    on = {s["Resource"][0]: s["Action"] for s in statements if s["Action"][0].startswith("s3:")}
    assert set(on) == {READ, WRITE}
    assert not [a for a in on[READ] if "Put" in a] and "s3:GetObject" not in on[WRITE]
    others = {a for s in statements for a in s["Action"]} - {
        a for acts in on.values() for a in acts
    }
    assert others == {"kms:Decrypt", "kms:GenerateDataKey"}
    assert "secret" not in repr(found) and "token" not in repr(found).replace("token=", "")


def test_what_does_not_fit_is_refused_and_never_widened() -> None:
    asked: list[Any] = []
    with pytest.raises(AccountError, match="fewer artifacts"):
        lent(Objects([f"{READ}{'x' * 900}{n}" for n in range(3)]), asked)
    assert asked == []
