"""Many pipelines at once are told apart, and each as it is alone."""

import pytest

from controlplane.sandbox.scripted import source_of
from controlplane.store import ledger, standing
from tests.support.house import BAD, GOOD, House, action, deploying, pipeline, source

SHOP, TILL = "prod//shop/all", "prod//till/all"


@pytest.fixture
def house(empty: House) -> House:
    """`shop` was released twice, `till` never."""
    empty.apply(pipeline(source(), deploying("Prod", watched=False)))
    where = {"Account": "prod", "ApplicationName": "till", "DeploymentGroupName": "all"}
    deploy = action("Deploy", "CodeDeploy", configuration=where)
    empty.apply(pipeline(source(), {"name": "Prod", "actions": [deploy]}, name="till"))
    empty.start()
    empty.drivers["S3"].default = source_of(BAD)
    empty.start()
    return empty


def test_pages_follow_each_other_by_name(house: House) -> None:
    with house.database.read() as connection:
        first = standing.pipelines(connection, "", 1)
        second = standing.pipelines(connection, first[0].name, 1)
        assert [row.name for row in (*first, *second)] == ["shop", "till"]
        assert not standing.pipelines(connection, "till", 1)


def test_the_newest_execution_of_each_is_found(house: House) -> None:
    with house.database.read() as connection:
        found = standing.newest_executions(connection, ["shop", "till"])
    assert {name: row.id for name, row in found.items()} == {"shop": house.rows()[0].id}


def test_who_entered_each_stage_last_is_found(house: House) -> None:
    places = [(name, stage) for name in ("shop", "till") for stage in ("Source", "Prod")]
    with house.database.read() as connection:
        found = standing.latest_stages(connection, places)
    assert {place: row.status for place, row in found.items()} == {
        ("shop", "Source"): "Succeeded",
        ("shop", "Prod"): "Succeeded",
    }


def test_what_stands_on_each_target_and_what_is_good_there(house: House) -> None:
    with house.database.read() as connection:
        known = standing.Targets(connection, [SHOP, TILL])
    stands = known.stands(SHOP)
    assert stands is not None and (stands.digest, stands.quarantined) == (BAD, False)
    assert (known.good(SHOP), known.stands(TILL), known.good(TILL)) == (BAD, None, "")


def test_a_digest_in_quarantine_stands_and_is_not_good(house: House) -> None:
    held = {"digest": BAD, "pipeline": "shop", "execution_id": "", "reason": "", "at": 0.0}
    with house.database.begin() as connection:
        ledger.put_in_quarantine(connection, {**held, "lifted_by": "", "lift_reason": ""})
        known = standing.Targets(connection, [SHOP])
    stands = known.stands(SHOP)
    assert stands is not None and stands.quarantined
    assert known.good(SHOP) == GOOD


def test_nothing_is_asked_about_nothing(house: House) -> None:
    with house.database.read() as connection:
        assert standing.latest_stages(connection, []) == {}
        assert standing.Targets(connection, []).stands(SHOP) is None
