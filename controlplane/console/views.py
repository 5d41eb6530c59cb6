"""What a pipeline's page shows, read in one transaction: state, executions, quarantine."""

import json
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection

from controlplane.console import words
from controlplane.console.csrf import masked
from controlplane.console.desk import Desk, Document
from controlplane.console.session import Session
from controlplane.declarations.wave_words import wave_line
from controlplane.engine.gate import WAITS
from controlplane.store import queries
from controlplane.store.roles import Permission

EXECUTIONS = 12
TIMELINES = 6
"""Only the newest executions carry their events: the page stays small."""


def pipeline_view(desk: Desk, session: Session, name: str) -> Document:
    """Everything a pipeline's templates need; CommandError where there is no such pipeline."""
    now = desk.clock()
    with desk.database.read() as connection:
        state = desk.documents.state(connection, name)
        return {
            **helpers(session, now, name),
            "pipeline": name,
            "version": state["version"],
            "last_event": state["lastEvent"],
            "stages": [_stage(stage, now) for stage in state["stages"]],
            "executions": _executions(desk, connection, name, now),
            "quarantine": [
                {"digest": row.digest, "reason": row.reason, "time": _time(row.at, now)}
                for row in queries.quarantines_of(connection, name)
            ],
        }


def helpers(session: Session, now: datetime, pipeline: str | None = None) -> Document:
    """Answer what every template may use. may: what is offered, on the page of a pipeline or of all."""
    return {
        "session": session,
        "csrf": masked(session.csrf),
        "may": {p.name.lower(): session.offered(p, pipeline) for p in Permission},
        "clock_time": partial(words.clock_time, now=now),
        "lasted": partial(words.lasted, now=now),
        "short": words.short,
    }


def _time(seconds: float, now: datetime) -> str:
    return words.clock_time(datetime.fromtimestamp(seconds, now.tzinfo).isoformat(), now)


def _stage(stage: Document, now: datetime) -> Document:
    shown = stage["current"] or stage["latest"]
    return {
        **stage,
        "shown": shown,
        "said": words.stage_said(shown),
        "bake": _bake(shown, now),
        "waves": [
            _wave(wave, now) for wave in (shown or stage)["waves"]
        ],  # before the first: the plan
        "watch": _watch(shown),
        "goes_on_until": _goes_on_until(shown, now),
        "approvals": [a for a in shown["actions"] if "approval" in a] if shown else [],
        "inbound": [_waits(one, now) for one in stage["inbound"]],
        "signals": [_signal(rule) for rule in shown["rules"]] if shown else [],
        "checks": [
            {**action, "said": words.of(words.ACTIONS, action["status"])}
            for action in (shown["actions"] if shown else ())
        ],
        "proofs": [
            {
                **one,
                "said": words.of(words.VERDICTS, one["verdict"])
                if one["verdict"]
                else words.of(words.ACTIONS, one["status"]),
            }
            for one in (shown["proofs"] if shown else ())
        ],
        "failed": [
            action["name"]
            for action in (shown["actions"] if shown else ())
            if action["status"] in ("Failed", "Abandoned")
        ],
        "targets": [
            {**target, "said": words.of(words.STANDS, stands(target))}
            for target in stage["targets"]
        ],
        "can_roll_back": any(target["digest"] for target in stage["targets"])
        and (shown is None or shown["type"] != "ROLLBACK"),
    }


def _waits(waiting: Document, now: datetime) -> Document:
    """Who waits in front of a stage; `gate.override` is None once it has expired.

    The drawing is shared by all of a role, so nothing in it depends on who looks.
    """
    gate = waiting["gate"]
    if gate is None:
        return {**waiting, "closed": False}
    asked = gate["override"]
    live = asked is not None and words.at(asked["expiresAt"]) > now
    return {
        **waiting,
        # A freeze's own row only says when to look again; until when it lasts is in `held`.
        "closed": waiting["held"].startswith(WAITS),
        "gate": {
            "override": asked if live else None,
            "rules": [
                {**rule, "said": words.of(words.GATES, rule["verdict"])} for rule in gate["rules"]
            ],
        },
    }


def _wave(wave: Document, now: datetime) -> Document:
    return {
        **wave,
        "line": wave_line(wave, now),
        "said": words.of(words.WAVES, wave["status"]),
        "targets": [
            {**target, "said": words.of(words.WAVES, target["status"])}
            for target in wave["targets"]
        ],
    }


def _bake(shown: Document | None, now: datetime) -> Document | None:
    if shown is None or shown["status"] != "Baking" or not shown["bake"]:
        return None
    bake = shown["bake"]
    gone = min((now - words.at(bake["since"])).total_seconds(), bake["seconds"])
    over = now >= words.at(bake["since"]) + timedelta(seconds=bake["seconds"])
    return {
        "gone": int(gone),
        "seconds": int(bake["seconds"]),
        "held": shown["held"],
        "extended": bake["until"] if bake["extended"] else "",
        "longer": bake["longerUntil"],
        "asks": bool(bake["askedAt"]) or (over and bool(shown["held"])),
    }


def _watch(shown: Document | None) -> Document | None:
    watch = shown["watch"] if shown else None
    if shown is None or watch is None or watch["state"] == "over":
        return None
    return {**watch, "held": shown["held"]}


def _goes_on_until(shown: Document | None, now: datetime) -> str:
    """When a bake or a watch ends that a person may extend, or the moment from which he would; "" for none."""
    if shown is None or shown["type"] != "STANDARD":
        return ""
    if watch := _watch(shown):
        return max(words.at(watch["until"]), now).isoformat()
    if shown["status"] != "Baking" or not shown["bake"]:
        return ""
    bake = shown["bake"]
    return max(words.at(bake["since"]) + timedelta(seconds=bake["seconds"]), now).isoformat()


def _signal(rule: Document) -> Document:
    return {
        **rule,
        "said": words.of(words.VERDICTS, rule["verdict"]),
        "line": words.sparkline(rule["trend"]),
    }


def _executions(desk: Desk, connection: Connection, name: str, now: datetime) -> list[Document]:
    rows = queries.executions_of(connection, name, EXECUTIONS)
    return [
        {
            **desk.documents.summary(row),
            "said": _execution_said(row),
            "by": json.loads(row.trigger).get("by", "towpath"),
            "events": _events(connection, row.id, now) if number < TIMELINES else None,
        }
        for number, row in enumerate(rows)
    ]


def _execution_said(row: Any) -> words.Said:
    if row.type == "ROLLBACK":
        tone = "bad" if row.rollback_state == "failed" else "warn"
        return words.Said(f"Rollback: {row.rollback_state}", tone)
    return words.of(words.EXECUTIONS, row.status)


def _events(connection: Connection, execution_id: str, now: datetime) -> list[Document]:
    rows = queries.newest_events(connection, execution_id)
    return [
        {
            "time": _time(row.at, now),
            "tone": words.event_tone(row.kind),
            "what": row.kind.replace(".", " "),
            "where": " / ".join(part for part in (row.stage, row.action) if part),
            "text": row.text,
        }
        for row in rows
    ]


def stands(target: Document) -> str:
    """A digest in quarantine is no longer good, however it once fared here."""
    held = target["quarantined"] and target["status"] == "GOOD"
    return "QUARANTINED" if held else str(target["status"])
