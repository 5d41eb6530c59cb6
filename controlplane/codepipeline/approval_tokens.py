"""An approval's token as CodePipeline spells it: which attempt is meant, and what was looked at.

Its first half names one attempt of one action for ever. Its second half is of the evidence: where that changes,
the token does, and who shows the one of before has looked at something else.
"""

import uuid
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection

from controlplane.codepipeline.asking import Ask
from controlplane.codepipeline.statuses import SPACE
from controlplane.engine.approval_evidence import gather
from controlplane.engine.structures import BrokenStructureError
from controlplane.store import executions

HALF = 18
"""Characters of the first half, as UUIDs are written."""


def token_of(row: Any, evidence: str = "") -> str:
    """The token of an approval; "" for evidence: of one that was decided, or whose evidence nobody can read."""
    attempt = str(uuid.uuid5(SPACE, row.token))
    return attempt[:HALF] + str(uuid.uuid5(SPACE, f"{row.token} {evidence}"))[HALF:]


def current(ask: Ask, connection: Connection, row: Any, stage: str) -> str:
    """The token that decides an open approval now."""
    return token_of(row, evidence_of(ask, connection, row, stage))


def evidence_of(ask: Ask, connection: Connection, row: Any, stage: str) -> str:
    """The hash of what there is to see now; "" where the structure cannot be read."""
    try:
        execution: Any = executions.by_id(connection, row.execution_id)
        return gather(connection, ask.desk.structures, execution, stage).hash
    except (BrokenStructureError, KeyError):
        return ""


def meant(rows: Iterable[Any], token: str) -> Any:
    """The approval whose attempt a token names, whatever was looked at; None where it is none of these."""
    return next((row for row in rows if token_of(row)[:HALF] == token[:HALF]), None)
