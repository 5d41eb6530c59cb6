"""A pipeline that names artifact stores has one in every region in which artifacts are taken or made."""

from typing import Any

import pytest

from controlplane.declarations.check_flow import check_flow
from controlplane.declarations.check_stores import check_stores
from controlplane.declarations.model import PipelineDeclaration
from controlplane.declarations.stores import StoreError, store_in
from monitors.base import Store
from tests.support.house import deploying, pipeline, source

WEST, CENTRAL = "eu-west-1", "eu-central-1"
ID = "0a1b2c3d-0000-1111-2222-333344445555"
ROLE = "arn:aws:iam::111111111111:role/pipeline"


def declared(**stores: Any) -> PipelineDeclaration:
    """A source of tools in the west, and a deployment in prod in the middle."""
    upload, prod = source(), deploying("Prod", watched=False)
    upload["actions"][0] |= {"region": WEST, "configuration": {"Account": "tools"}}
    prod["actions"][0]["region"] = CENTRAL
    given = pipeline(upload, prod).model_dump(by_alias=True, exclude_none=True)
    return PipelineDeclaration.model_validate({**given, **stores})


def bucket(name: str, key: str = "") -> dict[str, Any]:
    return {"location": name, **({"encryptionKey": {"id": key}} if key else {})}


ONE = {"artifactStore": bucket("west")}
SHORT = {"artifactStores": {WEST: bucket("west")}}
BOTH = {"artifactStores": {WEST: bucket("west"), CENTRAL: bucket("middle")}}
SAID = [
    (ONE, "artifactStore", "name a bucket for each region in artifactStores"),
    (SHORT, "artifactStores", "Prod/Deploy takes or makes artifacts in eu-central-1"),
]


@pytest.mark.parametrize(("stores", "key", "words"), SAID)
def test_a_region_without_a_store_is_told_once(stores: Any, key: str, words: str) -> None:
    (found,) = check_stores(declared(**stores))
    assert (found.path, words in found.message) == ((key,), True)


@pytest.mark.parametrize("stores", [{}, BOTH])
def test_all_is_well_with_a_store_in_each_region_and_with_none_at_all(stores: Any) -> None:
    assert list(check_stores(declared(**stores))) == []


def test_what_lies_in_a_store_need_not_be_promoted() -> None:
    (found,) = check_flow(declared())
    assert "promote it there first" in found.message
    assert list(check_flow(declared(**BOTH))) == []


KEYS = [
    (ID, ROLE, f"arn:aws:kms:{WEST}:111111111111:key/{ID}"),  # or it would be the asker's
    (ID, None, ID),
    ("alias/shop", ROLE, "alias/shop"),
    ("arn:aws:kms:eu-west-1:222222222222:key/k", ROLE, "arn:aws:kms:eu-west-1:222222222222:key/k"),
]


@pytest.mark.parametrize(("key", "role", "meant"), KEYS)
def test_a_bare_key_id_is_one_of_the_pipelines_account(
    key: str, role: str | None, meant: str
) -> None:
    given = declared(artifactStore=bucket("west", key), **({"roleArn": role} if role else {}))
    owner = "111111111111" if role else ""
    assert store_in(given, WEST) == Store("west", meant, owner)


def test_a_job_without_a_region_has_the_store_of_the_sources() -> None:
    assert store_in(declared(**BOTH), "") == Store("west")


@pytest.mark.parametrize("name", ["${cfn.Bucket}", "Bad_Name", "*", "a"])
def test_what_is_no_buckets_name_is_refused(name: str) -> None:
    with pytest.raises(StoreError, match="no bucket's name: say the name of a bucket"):
        store_in(declared(artifactStore=bucket(name)), WEST)
