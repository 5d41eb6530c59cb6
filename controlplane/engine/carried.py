"""Which digests an execution carries, by the artifact's name: one, or of a pipeline that deploys several all.

An execution of one deployable has its digest in its own row, from its first source on. Where there are
several, they are read from what its actions made: so what began under an older version is known, too.
"""

import json
from typing import Any

from sqlalchemy import Connection

from controlplane.engine.structures import BrokenStructureError, Structures
from controlplane.store import ledger

Digests = dict[str, str]
"""By the name of the artifact; what is not made yet is not there."""


def digests(
    connection: Connection, structures: Structures, execution: Any, position: int = 0
) -> Digests:
    """What is deployed by a stage and those after it, where that is more than one; else the execution's own."""
    try:
        subject = None if execution.plan else structures.subject(connection, execution)
    except BrokenStructureError:
        subject = None
    names = subject.names if subject else ()
    if len(names) <= 1 or subject is None:
        return {"".join(names): execution.digest} if execution.digest else {}
    made = ledger.artifacts(connection, [execution.id])
    ahead = {name: made.get((execution.id, name), "{}") for name in subject.ahead(position)}
    found = {name: str(json.loads(text).get("digest", "")) for name, text in ahead.items()}
    return {name: digest for name, digest in found.items() if digest}


def in_quarantine(
    connection: Connection, structures: Structures, execution: Any, position: int = 0
) -> str:
    """What speaks against going into a stage: a digest that it or a later one deploys goes nowhere; or ""."""
    known = digests(connection, structures, execution, position)
    bad = ledger.quarantined(connection, set(known.values())) if known else frozenset()
    return next((digest for digest in known.values() if digest in bad), "")
