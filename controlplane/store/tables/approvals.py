"""Approvals that were opened, and what each person said of them."""

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from controlplane.store.tables.columns import BIG


class Approval(SQLModel, table=True):
    """One attempt of an approval action, by its token.

    evidence: the hash of what there was to see when it opened, or when votes last ceased to count.
    reminded_at: when people were told last that it waits; at first, when it opened.
    """

    __table_args__ = (Index("ix_approval_execution", "execution_id"),)
    token: str = Field(primary_key=True)
    execution_id: str
    stage: str
    action: str
    evidence: str
    opened_at: float
    reminded_at: float


class Vote(SQLModel, table=True):
    """What a person said of an approval. evidence: the hash of what it was said of.

    person_as: the id of the token that he counts as, "" for none. verdict: Approved or Rejected.
    void_at: since when it counts no longer; None: it counts.
    """

    __table_args__ = (
        Index("ix_vote_token", "token"),
        Index("ix_vote_execution", "execution_id"),
    )
    id: int | None = Field(default=None, primary_key=True, sa_type=BIG)
    token: str
    execution_id: str
    stage: str
    action: str
    person: str
    person_as: str
    door: str
    verdict: str
    comment: str
    evidence: str
    at: float
    void_at: float | None = None
