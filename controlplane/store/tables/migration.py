"""Pipelines that came over from CodePipeline, and what following the old ones has shown."""

from sqlalchemy import Index
from sqlmodel import Field, SQLModel


class Migrated(SQLModel, table=True):
    """A pipeline that came over. version: ours, of the structure that was read last.

    closed: the stages (JSON) whose ways in were closed by that; one that is in it is never closed again.
    shadow: the old one is followed. followed_at: when that was last done.
    """

    pipeline: str = Field(primary_key=True)
    account: str
    region: str
    version: int
    closed: str
    migrated_at: float
    migrated_by: str
    shadow: bool = False
    followed_at: float | None = None


class Shadowed(SQLModel, table=True):
    """One execution of the old pipeline that has ended, beside what Towpath would have done (JSON)."""

    __table_args__ = (Index("ix_shadowed_started", "pipeline", "started_at"),)
    pipeline: str = Field(primary_key=True)
    execution_id: str = Field(primary_key=True)
    started_at: float
    differs: bool
    document: str
    at: float
