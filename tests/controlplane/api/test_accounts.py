"""Accounts by the REST door: stored, registered, and kept while a pipeline needs them."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from accounts.base import AccountError
from controlplane.store import accounts
from controlplane.store.roles import Role
from tests.support.doors import Doors, account
from tests.support.house import deploying, pipeline, source

ADDRESS = "/api/v1/accounts/staging"
STAGING = account("staging").model_dump(mode="json", by_alias=True)


@pytest.fixture
def doors(tmp_path: Path) -> Doors:
    return Doors(tmp_path)


def test_a_put_account_is_stored_and_known_to_the_drivers(doors: Doors) -> None:
    assert doors.client().put(ADDRESS, json=STAGING).status_code == 200
    assert doors.registry.get("staging").id == STAGING["id"]
    with doors.house.database.read() as connection:
        assert [one.name for one in accounts.all_(connection)] == ["staging"]
    assert doors.client().put(ADDRESS, json={**STAGING, "environment": "qa"}).status_code == 200
    assert doors.client().get(ADDRESS).json()["environment"] == "qa"


def test_what_could_not_be_stored_is_not_known_to_the_drivers(
    doors: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = doors.house.database.begin
    lost_with: list[str] = []

    @contextmanager
    def lost() -> Iterator[Any]:
        with begin() as connection:
            yield connection
            if accounts.all_(connection):
                lost_with.append("staging")
                raise OperationalError("COMMIT", {}, Exception("the disk is full"))

    asking = doors.client()
    with monkeypatch.context() as broken:
        broken.setattr(doors.house.database, "begin", lost)
        with suppress(OperationalError):
            assert asking.put(ADDRESS, json=STAGING).status_code >= 500
    assert lost_with, "the transaction that stores it was never reached"
    with pytest.raises(AccountError, match="staging"):
        doors.registry.get("staging")


def test_the_external_id_is_for_admins_only(doors: Doors) -> None:
    doors.client().put(ADDRESS, json=STAGING)
    assert "externalId" in doors.client().get(ADDRESS).json()
    assert "externalId" not in doors.client(Role.RELEASE_MANAGER).get(ADDRESS).json()


@pytest.mark.parametrize("wrong", [{"id": 12}, {"name": "other"}, {"regions": []}, {"more": 1}])
def test_a_wrong_account_is_neither_stored_nor_known(
    doors: Doors, wrong: dict[str, object]
) -> None:
    assert doors.client().put(ADDRESS, json={**STAGING, **wrong}).status_code == 422
    assert doors.client().get(ADDRESS).status_code == 404


def test_an_account_that_a_pipeline_acts_in_stays(doors: Doors) -> None:
    prod = account("prod").model_dump(mode="json", by_alias=True)
    doors.client().put("/api/v1/accounts/prod", json=prod)
    doors.house.apply(pipeline(source(), deploying("Prod")))
    answer = doors.client().delete("/api/v1/accounts/prod")
    assert (answer.status_code, "pipeline shop" in answer.json()["detail"]) == (409, True)
    assert doors.registry.get("prod").name == "prod"


def test_a_forgotten_account_is_forgotten_everywhere(doors: Doors) -> None:
    doors.client().put(ADDRESS, json=STAGING)
    assert doors.client().delete(ADDRESS).status_code == 204
    with pytest.raises(AccountError):
        doors.registry.get("staging")
    assert doors.client().delete(ADDRESS).status_code == 404


def test_an_account_of_the_file_is_taken_out_there(doors: Doors) -> None:
    answer = doors.client().delete("/api/v1/accounts/dev")
    assert (answer.status_code, "accounts file" in answer.json()["detail"]) == (409, True)
