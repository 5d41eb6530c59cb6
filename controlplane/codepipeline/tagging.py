"""Tags of pipelines, webhooks and custom action types. Towpath keeps them and does nothing else with them."""

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager

from sqlalchemy import Connection

from controlplane.codepipeline import faults
from controlplane.codepipeline.asking import Answer, Ask
from controlplane.codepipeline.faults import WireError
from controlplane.engine.transaction import Transaction, transaction
from controlplane.journal import Fact
from controlplane.store import action_types, pipelines, tags, webhooks

MOST = 50
LONGEST = 1_000
"""Characters of what is told of a change: a value may have 256, and a resource 50."""
ARN = re.compile(
    r"arn:aws[a-z-]*:codepipeline:[^:]*:[0-9]{12}:"
    r"(?:(actiontype):([A-Za-z]+/Custom/[0-9A-Za-z_-]{1,35}/[0-9A-Za-z_-]{1,9})"
    r"|(webhook:)?([A-Za-z0-9.@_-]{1,100}))"
)


def put(ask: Ask) -> Answer:
    """Set tags; one that is there gets the new value."""
    with _transaction(ask) as tx:
        resource = _resource(tx.connection, ask.given["resourceArn"])
        wanted = read(ask.given["tags"], tags.of(tx.connection, resource))
        change(tx, resource, wanted)
    return {}


def begin(ask: Ask, resource: str, wanted: Mapping[str, str]) -> None:
    """Set the tags that a new resource has from the first."""
    with _transaction(ask) as tx:
        change(tx, resource, wanted)


def change(tx: Transaction, resource: str, wanted: Mapping[str, str]) -> None:
    """Set them; those that are others than before are told."""
    before = tags.of(tx.connection, resource)
    tags.put(tx.connection, resource, wanted)
    _tell(tx, resource, [f"{k}={v}" for k, v in wanted.items() if before.get(k) != v])


def remove(ask: Ask) -> Answer:
    """Take tags away."""
    with _transaction(ask) as tx:
        resource = _resource(tx.connection, ask.given["resourceArn"])
        before, keys = tags.of(tx.connection, resource), ask.given["tagKeys"]
        tags.remove(tx.connection, resource, keys)
        _tell(tx, resource, [f"{key} taken away" for key in before if key in keys])
    return {}


def list_(ask: Ask) -> Answer:
    """Answer all tags of a resource: there are never more than a page."""
    if "nextToken" in ask.given:
        raise WireError("InvalidNextTokenException", "All tags are on the first page.")
    with ask.read() as connection:
        found = tags.of(connection, _resource(connection, ask.given["resourceArn"]))
    return {"tags": write(found)}


def read(given: Iterable[Mapping[str, str]], before: Mapping[str, str]) -> dict[str, str]:
    """Check tags that are to be set. before: those that are there already."""
    wanted: dict[str, str] = {}
    for tag in given:
        if tag["key"] in wanted or tag["key"].lower().startswith("aws:"):
            said = "A tag's key may be there once, and may not begin with aws:"
            raise WireError("InvalidTagsException", said)
        wanted[tag["key"]] = tag["value"]
    if len(before.keys() | wanted.keys()) > MOST:
        raise WireError("TooManyTagsException", f"A resource has at most {MOST} tags")
    return wanted


def write(found: Mapping[str, str]) -> list[dict[str, str]]:
    """Write tags as the API has them."""
    return [{"key": key, "value": value} for key, value in found.items()]


def _transaction(ask: Ask) -> AbstractContextManager[Transaction]:
    desk = ask.desk
    return transaction(desk.database, desk.structures, lambda: ask.now, ask.person, wake=False)


def _tell(tx: Transaction, resource: str, changed: Sequence[str]) -> None:
    if changed:
        kind, _, name = resource.partition("/")
        pipeline = name if kind == "pipeline" else ""
        text = f"{resource}: {', '.join(changed)}"[:LONGEST]
        tx.journal.add(Fact(kind="tags.changed", pipeline=pipeline, text=text))


def _resource(connection: Connection, arn: str) -> str:
    found = ARN.fullmatch(arn)
    if found is None:
        said = "The ARN names no pipeline, no webhook and no custom action type"
        raise WireError("InvalidArnException", said)
    kind, type_, webhook, name = found.groups()
    if kind:
        category, owner, provider, version = type_.split("/")
        if action_types.get(connection, (category, owner, provider, version)) is None:
            raise faults.no_resource(f"actiontype/{type_}")
        return f"actiontype/{type_}"
    there = webhooks.by_name if webhook else pipelines.row
    resource = f"{'webhook' if webhook else 'pipeline'}/{name}"
    if there(connection, name) is None:
        raise faults.no_resource(resource)
    return resource
