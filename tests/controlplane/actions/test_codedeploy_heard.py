"""Where EventBridge tells of ends, deployments are looked at less often; nowhere else."""

from datetime import timedelta

from controlplane.actions.base import Progress
from controlplane.actions.codedeploy import CodeDeploy
from controlplane.clock import ManualClock
from monitors.heard import Heard
from tests.controlplane.actions.codedeploy_answers import info
from tests.controlplane.actions.making import REGION, task
from tests.support.clients import StubClients
from tests.support.scripted import scripted


def look_after(heard: Heard, account: str = "prod") -> float:
    """Seconds until a deployment of an hour is looked at again."""
    clock = ManualClock()
    old = info("d-1", createTime=clock() - timedelta(hours=1))
    client = scripted("codedeploy", batch_get_deployments=lambda _: {"deploymentsInfo": [old]})
    asked = task(handle="d-1", now=clock(), account=account)
    driver = CodeDeploy(StubClients(codedeploy=client), heard)
    (found,) = driver.look([asked]).values()
    assert isinstance(found, Progress) and found.look_after is not None
    return found.look_after.total_seconds()


def test_an_account_that_was_heard_lately_is_looked_at_less_often() -> None:
    clock = ManualClock()
    heard = Heard(clock)
    assert look_after(heard) == 15
    heard.note("prod", REGION)
    assert (look_after(heard), look_after(heard, "test")) == (60, 15)


def test_an_account_that_fell_silent_is_looked_at_as_before() -> None:
    clock = ManualClock()
    heard = Heard(clock)
    heard.note("prod", REGION)
    clock.advance(3600)
    assert look_after(heard) == 15
