"""What webhooks are sent: authenticated, matched by the filters, and then the pipeline starts.

https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
"""

import hashlib
import hmac
import ipaddress
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from controlplane.codepipeline import filters
from controlplane.codepipeline.asking import Desk
from controlplane.engine.refusals import CommandError, Person
from controlplane.engine.structures import BrokenStructureError
from controlplane.store import pipelines, webhooks
from controlplane.store.sealing import SealError, unseal

MAX_BODY = 512 * 1024
NOT_KNOWN = (404, "There is no such webhook.")
Answer = tuple[int, str]
"""Status of HTTP, and a sentence."""


class Delivery(NamedTuple):
    """What came. peer: the address that it came from; headers: by lower-case name."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    peer: str


def take(desk: Desk, delivery: Delivery) -> Answer:
    """Start the webhook's pipeline where all filters match."""
    with desk.database.read() as connection:
        row = webhooks.by_path(connection, delivery.path)
    if row is None:
        return NOT_KNOWN
    definition = json.loads(row.definition)
    answer = _refused(desk, row, definition, delivery) or _started(desk, row, definition, delivery)
    # A stranger's attempt writes nothing: only what was authenticated is on record.
    if answer[0] not in (401, 403):
        with desk.database.begin() as connection:
            error = answer[1] if answer[0] >= 400 else ""  # noqa: PLR2004 - HTTP's errors
            webhooks.told(connection, row.name, desk.clock().timestamp(), error)
    return answer


def _refused(
    desk: Desk, row: Any, definition: Mapping[str, Any], delivery: Delivery
) -> Answer | None:
    """Say why it is not let in; None where it is."""
    kind = definition["authentication"]
    if kind == "GITHUB_HMAC":
        return _unsigned(desk, row, delivery)
    if kind == "IP":
        allowed = definition["authenticationConfiguration"]["AllowedIPRange"]
        try:
            inside = ipaddress.ip_address(delivery.peer) in ipaddress.ip_network(allowed)
        except ValueError:
            inside = False
        return None if inside else (403, "This address may not call this webhook.")
    return None


def _unsigned(desk: Desk, row: Any, delivery: Delivery) -> Answer | None:
    try:
        secret = unseal(desk.secret, f"webhook {row.name}", row.sealed).encode()
    except SealError as error:
        return 503, f"The webhook's secret cannot be read: {error}."
    for name, hashed in (("x-hub-signature-256", "sha256"), ("x-hub-signature", "sha1")):
        said = delivery.headers.get(name)
        if said is not None:  # the stronger one counts alone
            right = f"{hashed}={hmac.new(secret, delivery.body, hashed).hexdigest()}"
            good = hmac.compare_digest(right.encode(), said.encode())
            return None if good else (401, "The signature is wrong.")
    return 401, "Sign the body (X-Hub-Signature-256)."


def _started(desk: Desk, row: Any, definition: Mapping[str, Any], delivery: Delivery) -> Answer:
    try:
        body = json.loads(delivery.body)
    except (ValueError, RecursionError):
        return 400, "The body is not JSON."
    try:
        configuration = _configuration(desk, row.pipeline, definition["targetAction"])
    except BrokenStructureError as error:
        return 503, f"{error}, and deliver this one again."
    if configuration is None:
        return 409, "The webhook's pipeline or source action is not there any more."
    if not filters.match(definition["filters"], body, configuration):
        return 200, "No filter matches; nothing was started."
    # Signed once is started once: whoever sends a signed body again starts nothing.
    digest = hashlib.sha256(delivery.body).hexdigest()
    once = definition["authentication"] == "GITHUB_HMAC"
    try:
        started = desk.commands.start(
            row.pipeline,
            Person(row.name, "webhook"),
            dedupe=f"webhook/{row.name}/{digest}" if once else None,
        )
    except CommandError as error:
        return 409, str(error)
    return 200, f"Started {started}."


def _configuration(desk: Desk, pipeline: str, action: str) -> Mapping[str, str] | None:
    with desk.database.read() as connection:
        version = pipelines.version(connection, pipeline)
        if version is None:
            return None
        found = desk.structures.pipeline(connection, pipeline, version)
    wanted = (one for one in found.stages[0].actions if one.name == action)
    source = next(wanted, None)
    return None if source is None else source.configuration
