"""Kinds of columns that several tables share."""

from typing import Any

from sqlalchemy import BigInteger, Integer

BIG: Any = BigInteger().with_variant(Integer(), "sqlite")
"""Numbers of rows that are added for ever; SQLite numbers its rows itself only where the type is INTEGER."""

EMPTY: Any = {"server_default": ""}
"""Of a text that was added later: replicas of the version before insert rows without it."""
