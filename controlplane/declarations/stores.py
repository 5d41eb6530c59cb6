"""Which artifact store an action's artifacts lie in: the pipeline's, of the action's region.

https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_PipelineDeclaration.html
"""

import re
from collections.abc import Mapping

from controlplane.declarations.homes import ROLE
from controlplane.declarations.model import ArtifactStore, PipelineDeclaration
from monitors.base import Store

BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
KEY_ID = re.compile(r"(mrk-)?[0-9a-f-]{32,36}")
PARTITIONS = (("cn-", "aws-cn"), ("us-gov-", "aws-us-gov"))


class StoreError(ValueError):
    """A pipeline names stores, and none that serves; the message says which, and the mend."""


def names_stores(declared: PipelineDeclaration) -> bool:
    """Say whether a pipeline says where its artifacts lie."""
    return declared.artifact_store is not None or bool(declared.artifact_stores)


def store_in(declared: PipelineDeclaration, region: str) -> Store | None:
    """Answer the store of a region, None where the pipeline names none at all. StoreError.

    region: of the action; "" for one without (a job), whose artifacts lie where the pipeline is at home.
    """
    if declared.artifact_stores:
        return _of_region(declared, declared.artifact_stores, region or home_region(declared))
    if declared.artifact_store is not None:
        where = region or home_region(declared)
        return _store(declared, declared.artifact_store, where, "artifactStore")
    return None


def buckets(declared: PipelineDeclaration) -> frozenset[str]:
    """Name every bucket that the pipeline names as a store."""
    one = () if declared.artifact_store is None else (declared.artifact_store,)
    return frozenset(store.location for store in (*one, *(declared.artifact_stores or {}).values()))


def home_region(declared: PipelineDeclaration) -> str:
    """Answer the pipeline's own region, which is that of its sources; "" where no action tells."""
    regions = (action.region for stage in declared.stages for action in stage.actions)
    return next((region for region in regions if region), "")


# --- inside -------------------------------------------------------------------------------------


def _of_region(
    declared: PipelineDeclaration, stores: Mapping[str, ArtifactStore], region: str
) -> Store:
    found = stores.get(region)
    if found is None and not region and len(stores) == 1:
        ((region, found),) = stores.items()
    if found is None:
        known = ", ".join(sorted(stores))
        raise StoreError(
            f"artifactStores of {declared.name} names no store in {region or 'a region'} (it has "
            f"{known}): name a bucket of that region there, and its key"
        )
    return _store(declared, found, region, f"artifactStores[{region}]")


def _store(declared: PipelineDeclaration, given: ArtifactStore, region: str, where: str) -> Store:
    if not BUCKET.fullmatch(given.location):
        raise StoreError(
            f"{where} of {declared.name} is {given.location[:100]!r}, which is no bucket's name: "
            "say the name of a bucket"
        )
    role = ROLE.fullmatch(declared.role_arn or "")
    owner = role[1] if role else ""
    key = given.encryption_key.id if given.encryption_key else ""
    return Store(given.location, _arn(key, region, owner), owner)


def _arn(key: str, region: str, owner: str) -> str:
    """The ARN of a bare key id: alone it would be looked up in the account of whoever asks."""
    if not (region and owner and KEY_ID.fullmatch(key)):
        return key
    partition = next((name for start, name in PARTITIONS if region.startswith(start)), "aws")
    return f"arn:{partition}:kms:{region}:{owner}:key/{key}"
