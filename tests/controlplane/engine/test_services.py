"""A service of ECS and an environment of Elastic Beanstalk are targets like any other: ledger and way back."""

import pytest

from controlplane.sandbox.scripted import after, source_of
from controlplane.store import ledger
from monitors.base import Outcome
from tests.support.house import BAD, GOOD, House, action, pipeline, source

NAMED = {
    "ECS": {"ClusterName": "shop", "ServiceName": "web"},
    "ElasticBeanstalk": {"ApplicationName": "shop", "EnvironmentName": "web"},
}


@pytest.mark.parametrize("provider", list(NAMED))
def test_what_fails_is_stopped_and_brought_back_to_what_was_good(
    empty: House, provider: str
) -> None:
    where = {"Account": "prod", **NAMED[provider]}
    deploy = action("Deploy", provider, configuration=where, inputArtifacts=[{"name": "App"}])
    stage = {"name": "Prod", "actions": [deploy], "onFailure": {"result": "ROLLBACK"}}
    empty.apply(pipeline(source(), stage))
    empty.start()
    empty.drivers["S3"].default = source_of(BAD)
    empty.drivers[provider].default = after(1, Outcome.FAILED, "FAILED")
    empty.start()
    empty.wait(20)
    back = empty.rows()[0]
    assert (back.type, back.digest, back.rollback_state) == ("ROLLBACK", GOOD, "done")
    (undone,) = [t for t in empty.drivers[provider].started if t.execution == back.rolls_back]
    remedies = [empty.drivers[f"{provider}{word}"].started for word in ("Stop", "Restore")]
    for (remedy,) in remedies:
        assert remedy.configuration["DeploymentToken"] == undone.token
        assert {key: remedy.configuration[key] for key in where} == where
    assert remedies[0][0].configuration["RestoredDigest"] == GOOD
    assert remedies[1][0].configuration["RevisionDigest"] == GOOD
    with empty.database.read() as connection:
        found = ledger.entries(connection, "prod//shop/web")
    assert [(e.digest, e.status) for e in found] == [(GOOD, "GOOD"), (BAD, "BAD"), (GOOD, "GOOD")]
