"""What is lent may read and write the objects that it was lent for, and nothing else."""

import json
from typing import Any

import pytest

from accounts.base import AccountError, Scope
from accounts.lending import Lent, Objects
from accounts.registry import StaticRegistry
from accounts.sessions import Sessions
from controlplane.clock import ManualClock
from tests.accounts.fake_sts import FakeSts, refusal
from tests.support.clients import account

READ = "arn:aws:s3:::releases/shop.zip"
WRITE = "arn:aws:s3:::artifacts-prod/jobs/report"
CLOCK = ManualClock()


@pytest.fixture
def sts() -> FakeSts:
    return FakeSts(CLOCK)


def lent(sts: FakeSts, objects: Objects, region: str = "eu-west-1") -> Lent:
    base: Any = sts
    sessions = Sessions(StaticRegistry([account()]), now=CLOCK, base_session=base)
    return sessions.lend("prod", region, objects, Scope("shop", "Test", "e1"))


def test_it_may_read_and_write_these_objects_and_nothing_else(sts: FakeSts) -> None:
    found = lent(sts, Objects([READ], [WRITE]))
    (asked,) = sts.asked
    assert asked["RoleArn"].endswith("TowpathDeploy") and asked["DurationSeconds"] == 3600
    statements = json.loads(asked["Policy"])["Statement"]
    on = {s["Resource"][0]: set(s["Action"]) for s in statements if s["Action"][0][:3] == "s3:"}
    assert on == {
        READ: {"s3:GetObject", "s3:GetObjectVersion"},
        WRITE: {"s3:PutObject", "s3:AbortMultipartUpload"},
    }
    actions = {action for one in statements for action in one["Action"]}
    keys = {"kms:Decrypt", "kms:GenerateDataKey"}
    assert actions - on[READ] - on[WRITE] == keys
    assert found.secret_key not in repr(found) and found.token not in repr(found)


def test_what_does_not_fit_is_refused_and_never_widened(sts: FakeSts) -> None:
    with pytest.raises(AccountError, match="fewer artifacts"):
        lent(sts, Objects([f"{READ}{'x' * 900}{n}" for n in range(3)]))
    assert sts.asked == []
    sts.refuse = lambda _: refusal("PackedPolicyTooLarge")
    with pytest.raises(AccountError):
        lent(sts, Objects([READ]), region="")
    assert len(sts.asked) == 1
    assert set(sts.regions) == {"eu-west-1"}
