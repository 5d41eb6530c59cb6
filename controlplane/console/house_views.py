"""What the pages over all pipelines show: the quarantine, the accounts and how Towpath fares, the audit log."""

from collections.abc import Iterable, Mapping
from typing import Any

from accounts.breaker import Key
from accounts.models import Account, Purpose
from controlplane.clock import iso
from controlplane.console import words
from controlplane.console.desk import Desk, Document
from controlplane.console.session import Session
from controlplane.console.views import helpers
from controlplane.store import audit, queries
from controlplane.store.grants import refusal
from controlplane.store.roles import Permission

DIGESTS, ACCOUNTS, ENTRIES = 25, 25, 50
SILENT = 20
"""Services of one account (or of none) that are named where they do not answer."""
TEXT = 400
"""Of a long text so much is shown: the page stays small, and the rest is a command away."""


def quarantine_view(desk: Desk, session: Session, before: int = 0) -> Document:
    """The digests in quarantine, the newest first; next: the id to go on from, 0 on the last page."""
    with desk.database.read() as connection:
        rows = queries.newest_quarantines(connection, DIGESTS + 1, before)
    page = [row for row in rows[:DIGESTS] if session.may(Permission.READ, row.pipeline)]
    return {
        **helpers(session, desk.clock()),
        "held": [
            {
                "digest": row.digest,
                "pipeline": row.pipeline,
                "execution": row.execution_id,
                "reason": _short(row.reason),
                "since": iso(row.at),
            }
            for row in page
        ],
        "next": rows[DIGESTS - 1].id if len(rows) > DIGESTS else 0,
    }


def audit_view(desk: Desk, session: Session, before: int = 0, pipeline: str = "") -> Document:
    """The newest decisions; refusal says who may read them, where this session may not."""
    page = {**helpers(session, desk.clock()), "pipeline": pipeline, "refusal": ""}
    if not session.may(Permission.AUDIT, pipeline):
        because = refusal(session.grants, Permission.AUDIT, pipeline, goes=session.goes)
        said = f"The audit log is not for you: {because}"
        return {**page, "refusal": said, "entries": [], "next": 0, "head": None}
    with desk.database.read() as connection:
        found = audit.newest(connection, before, pipeline, ENTRIES + 1)
        head = audit.head(connection)
    return {
        **page,
        "entries": [_entry(one) for one in found[:ENTRIES]],
        "next": found[ENTRIES - 1]["id"] if len(found) > ENTRIES else 0,
        "head": head if head.id else None,
    }


def _entry(entry: Mapping[str, Any]) -> Document:
    return {
        **entry,
        "text": _short(entry["text"]),
        "what": entry["kind"].replace(".", " "),
        "tone": words.event_tone(entry["kind"]),
        "where": " / ".join(part for part in (entry["stage"], entry["action"]) if part),
    }


def accounts_view(desk: Desk, session: Session, after: str = "") -> Document:
    """The accounts by name, who does not answer in them, and what ails the installation."""
    known = [account for account in desk.registry.all() if account.name > after]
    silent = desk.breakers()
    whole = session.may(Permission.ACCOUNTS)
    return {
        **helpers(session, desk.clock()),
        "accounts": [_account(one, silent, whole=whole) for one in known[:ACCOUNTS]],
        "next": known[ACCOUNTS - 1].name if len(known) > ACCOUNTS else "",
        "elsewhere": _silent(silent, ""),
        "findings": _findings(desk, session),
    }


def _account(account: Account, silent: Mapping[Key, bool], *, whole: bool) -> Document:
    return {
        "name": account.name,
        "id": account.id,
        "environment": account.environment,
        "regions": account.regions,
        "bucket": account.artifact_bucket,
        "roles": {purpose.value: account.role(purpose) for purpose in Purpose} if whole else {},
        "silent": _silent(silent, account.name),
    }


def _silent(silent: Mapping[Key, bool], name: str) -> list[Document]:
    """Who did not answer in an account, the left alone first. Whoever was never asked is not in it."""
    found = sorted((not is_open, key) for key, is_open in silent.items() if key[0] == name)
    return [
        {
            "service": service,
            "region": region,
            "rollback": rollback,
            "said": words.of(words.BREAKERS, "closed" if closed else "open"),
        }
        for closed, (_, region, service, rollback) in found[:SILENT]
    ]


def _findings(desk: Desk, session: Session) -> list[Document]:
    """What is wrong, which /readyz tells everybody; what is well, for who may ask the doctor."""
    found = [
        {
            "ok": one["ok"],
            "name": one["operation"].removeprefix("installation:"),
            "message": one["message"],
            "mend": one["mend"],
        }
        for one in desk.installation()
    ]
    told = {one["name"] for one in found if not one["ok"]}
    here = [
        {"ok": False, "name": name, "message": said, "mend": ""}
        for name, said in desk.ready().items()
        if name not in told
    ]
    return [*here, *_shown(found, all_=session.may(Permission.DIAGNOSE))]


def _shown(found: Iterable[Document], *, all_: bool) -> list[Document]:
    return [one for one in found if all_ or not one["ok"]]


def _short(text: str) -> str:
    return text if len(text) <= TEXT else text[:TEXT] + "…"
