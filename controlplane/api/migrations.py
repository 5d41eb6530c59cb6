"""Moving over: an account's CodePipeline is listed, and its pipelines come over one by one."""

from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil
from typing import Annotated, Any

from fastapi import Depends, Query
from starlette.exceptions import HTTPException

from accounts.base import AccountError
from controlplane.api.documents import Document
from controlplane.api.guard import GivenPerson, guarded_router
from controlplane.api.inputs import AccountName, MigrateBody, PipelineName
from controlplane.api.parts import GivenParts
from controlplane.api.problems import unknown
from controlplane.engine.refusals import CommandError, Problem
from controlplane.migration.moving import Migration

router = guarded_router("migrations")
SOON = 5.0
"""Seconds until what AWS did not answer is asked again, where nobody said when."""
Region = Annotated[str, Query(pattern=r"^[a-z0-9-]{0,32}$")]
Glob = Annotated[str, Query(pattern=r"^[A-Za-z0-9.@_*?\[\]!-]{1,100}$")]


def _migration(account: AccountName, parts: GivenParts) -> Migration:
    """404 where there is no such account: it is in the address, not in what was sent."""
    if account not in {known.name for known in parts.registry.all()}:
        raise unknown(f"account {account!r}")
    if parts.migration is None:
        raise HTTPException(501, "This process cannot migrate: ask one that `towpath serve` runs.")
    return parts.migration


GivenMigration = Annotated[Migration, Depends(_migration)]


@contextmanager
def _said() -> Iterator[None]:
    """What may pass is 429, which says that nothing was done and when to ask again."""
    try:
        yield
    except AccountError as error:
        if error.permanent:
            raise CommandError(Problem.INVALID, str(error)) from None
        after = str(ceil(error.retry_after or SOON))
        raise HTTPException(429, str(error), {"Retry-After": after}) from None


@router.get("/migrations/{account}")
def list_there(
    account: AccountName, migration: GivenMigration, region: Region = "", pipeline: Glob = "*"
) -> Document:
    """Answer the pipelines of an account's CodePipeline, by its watching role."""
    with _said():
        return migration.listing(account, region, pipeline)


@router.post("/migrations/{account}/{name}")
def migrate(
    account: AccountName,
    name: PipelineName,
    migration: GivenMigration,
    person: GivenPerson,
    body: MigrateBody,
) -> Document:
    """Bring one pipeline over, its ways in closed; without `apply` only the report is made."""
    hooks: list[dict[str, Any]] = [hook.model_dump(by_alias=True) for hook in body.webhooks]
    place = (account, body.region)
    with _said():
        return migration.move(place, name, person, hooks, apply=body.apply, shadow=body.shadow)
