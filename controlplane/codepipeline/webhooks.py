"""Webhooks of CodePipeline's version 1: put, list, delete. `intake` takes what they are sent."""

import ipaddress
import json
import secrets
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from controlplane.codepipeline import filters, pages, tagging
from controlplane.codepipeline.asking import Answer, Ask, declared
from controlplane.codepipeline.faults import WireError, invalid
from controlplane.store import audit, tags, webhooks
from controlplane.store.sealing import seal

LISTING = "webhooks"
HIDDEN = "****"
MOST = 300
"""Webhooks of an installation, as in a Region of CodePipeline."""


def put(ask: Ask) -> Answer:
    """Store a webhook; its URL is answered, and stays the same when it is put again."""
    given = ask.given["webhook"]
    said = dict(given["authenticationConfiguration"])
    _check(given, said)
    secret = said.pop("SecretToken", "")
    with ask.desk.database.begin() as connection:
        structure, _ = declared(ask, connection, given["targetPipeline"])
        sources = [one.name for one in structure.stages[0].actions]
        if given["targetAction"] not in sources:
            raise invalid(f"targetAction must be a source of the pipeline: {', '.join(sources)}")
        before = tags.of(connection, f"webhook/{given['name']}")
        wanted = tagging.read(ask.given.get("tags", ()), before)
        _refuse_too_many(connection, given["name"])
        row = {
            "name": given["name"],
            "path": secrets.token_urlsafe(24),
            "pipeline": given["targetPipeline"],
            "definition": json.dumps({**given, "authenticationConfiguration": said}),
            "sealed": seal(ask.desk.secret, f"webhook {given['name']}", secret) if secret else "",
            "updated_at": ask.now,
        }
        webhooks.put(connection, row)
        tags.put(connection, f"webhook/{given['name']}", wanted)
        audit.note(connection, ask.now, ask.person, "webhook.put", _told(given))
        stored = webhooks.by_name(connection, given["name"])
        return {"webhook": _item(ask, connection, stored)}


def list_(ask: Ask) -> Answer:
    """Answer webhooks by name; a secret is never answered."""
    most = pages.size(ask.given)
    with ask.read() as connection:
        rows = webhooks.page(connection, pages.after(ask.given, LISTING), most + 1)
        rows, token = pages.page(rows, most, LISTING, lambda row: row.name)
        found = [_item(ask, connection, row) for row in rows]
    return {"webhooks": found, "NextToken": token}


def delete(ask: Ask) -> Answer:
    """Forget a webhook; one that is not there is no fault."""
    with ask.desk.database.begin() as connection:
        there = webhooks.remove(connection, ask.given["name"])
        tags.forget(connection, f"webhook/{ask.given['name']}")
        if there:
            audit.note(connection, ask.now, ask.person, "webhook.deleted", ask.given["name"])
    return {}


# --- inside -------------------------------------------------------------------------------------


def _check(given: Mapping[str, Any], said: Mapping[str, str]) -> None:
    for one in given["filters"]:
        if not filters.readable(one["jsonPath"]):
            raise WireError(
                "InvalidWebhookFilterPatternException",
                "jsonPath must be names and indexes, such as $.ref or $.commits[0].id",
            )
    needs = {"GITHUB_HMAC": {"SecretToken"}, "IP": {"AllowedIPRange"}, "UNAUTHENTICATED": set()}
    kind = given["authentication"]
    if set(said) != needs[kind]:
        wanted = ", ".join(needs[kind]) or "nothing"
        said_ = f"{kind} needs {wanted} in authenticationConfiguration, and nothing else"
        raise WireError("InvalidWebhookAuthenticationParametersException", said_)
    try:
        ipaddress.ip_network(said.get("AllowedIPRange", "0.0.0.0/0"))
    except ValueError:
        raise WireError(
            "InvalidWebhookAuthenticationParametersException",
            "AllowedIPRange must be a CIDR range, such as 192.0.2.0/24",
        ) from None


def _told(given: Mapping[str, Any]) -> str:
    """What a webhook does, and how whoever calls it is known; its secret is nobody's to read."""
    does = f"{given['name']} starts {given['targetPipeline']} by {given['targetAction']}"
    return f"{does} ({given['authentication']})"


def _refuse_too_many(connection: Connection, name: str) -> None:
    new = webhooks.by_name(connection, name) is None
    if new and len(webhooks.page(connection, "", MOST)) >= MOST:
        raise WireError("LimitExceededException", f"There are {MOST} webhooks: delete some first")


def _item(ask: Ask, connection: Connection, row: Any) -> dict[str, Any]:
    definition = json.loads(row.definition)
    if row.sealed:
        definition["authenticationConfiguration"]["SecretToken"] = HIDDEN
    return {
        "definition": definition,
        "url": f"{ask.desk.public_url.rstrip('/')}/webhooks/{row.path}",
        "errorMessage": row.error,
        "errorCode": "DeliveryRefused" if row.error else None,
        "lastTriggered": row.triggered_at,
        "arn": ask.arn(f"webhook:{row.name}"),
        "tags": tagging.write(tags.of(connection, f"webhook/{row.name}")),
    }
