"""The audit log: who decided what, for good."""

from typing import Any

from sqlalchemy import DDL, Index, event
from sqlmodel import Field, SQLModel

from controlplane.store.tables.columns import BIG


class AuditEntry(SQLModel, table=True):
    """One decision of a person, or of Towpath itself. Only ever added: the database refuses the rest.

    id: 1, 2, 3 ... without a gap. previous, hash: see `controlplane.chain`.
    """

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_pipeline", "pipeline", "id"),)
    id: int = Field(primary_key=True, sa_type=BIG, sa_column_kwargs={"autoincrement": False})
    at: float
    who: str
    door: str
    kind: str
    pipeline: str
    execution_id: str
    stage: str
    action: str
    text: str
    data: str
    previous: str
    hash: str


GUARDS = {
    "sqlite": (
        (
            "CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit "
            "BEGIN SELECT RAISE(ABORT, 'the audit log is only ever added to'); END"
        ),
        (
            "CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit "
            "BEGIN SELECT RAISE(ABORT, 'the audit log is only ever added to'); END"
        ),
    ),
    "postgresql": (
        (
            "CREATE FUNCTION audit_is_kept() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'the audit log is only ever added to'; END $$"
        ),
        (
            "CREATE TRIGGER audit_is_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
            "FOR EACH STATEMENT EXECUTE FUNCTION audit_is_kept()"
        ),
    ),
}
"""What keeps it so against a mistake; against somebody who owns the database there is the chain."""

_ddl: Any = DDL
for _dialect, _statements in GUARDS.items():
    for _statement in _statements:
        event.listen(
            SQLModel.metadata.tables["audit"],
            "after_create",
            _ddl(_statement).execute_if(dialect=_dialect),
        )
