"""What the parts of an installation say together."""

from pathlib import Path

from prometheus_client import generate_latest

from accounts.breaker import OPENS_AFTER
from controlplane.settings import Settings
from controlplane.wiring import build, metrics_of


def test_an_open_breaker_is_seen_in_the_metrics(tmp_path: Path) -> None:
    with build(Settings(database_url=f"sqlite:///{tmp_path}/towpath.db")) as house:
        for _ in range(OPENS_AFTER):
            house.breakers.unanswered(("prod", "eu-west-1", "codedeploy", True))
        said = generate_latest(metrics_of(house)).decode()
    place = 'account="prod",lane="rollback",region="eu-west-1",service="codedeploy"'
    assert f"towpath_breaker_open{{{place}}} 1.0" in said
