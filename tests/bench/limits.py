"""The raw limit: durable updates of small rows a second, 100 a commit, by one writer without any engine.

The rows of a commit lie anywhere in the table, as those of an engine do: neighbours would share a page,
and a page is what is written.
"""

import random
import sqlite3
import time
from collections.abc import Callable

import psycopg
from sqlalchemy.engine import make_url

from controlplane.store.embedded import PRAGMAS

ROWS, BATCH = 10_000, 100
CREATE = "CREATE TABLE raw (id INTEGER PRIMARY KEY, s TEXT, g INTEGER, d FLOAT8, p TEXT)"


def raw(url: str, seconds: float = 1.0) -> float:
    """Of the database at this URL."""
    return _sqlite(url, seconds) if url.startswith("sqlite") else _postgres(url, seconds)


def _sqlite(url: str, seconds: float) -> float:
    connection = sqlite3.connect(make_url(url).database or "", isolation_level=None)
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    connection.execute(CREATE)
    rows = [(i, "x" * 100) for i in range(ROWS)]
    connection.executemany("INSERT INTO raw VALUES (?, 'a', 0, 0, ?)", rows)

    def commit(ids: list[int], at: float) -> None:
        connection.execute("BEGIN IMMEDIATE")
        given = [(at, id_) for id_ in ids]
        connection.executemany("UPDATE raw SET s = 'b', g = g + 1, d = ? WHERE id = ?", given)
        connection.execute("COMMIT")

    try:
        return _rate(commit, seconds)
    finally:
        connection.close()


FILL = "INSERT INTO raw SELECT g, 'a', 0, 0, repeat('x', 100) FROM generate_series(0, %s) g"
UPDATE = """
    UPDATE raw SET s = 'b', g = g + 1, d = v.d
    FROM unnest(%s::int[], %s::float8[]) v(i, d) WHERE id = v.i
"""


def _postgres(url: str, seconds: float) -> float:
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(CREATE)
        connection.execute(FILL, (ROWS - 1,))
        return _rate(lambda ids, at: connection.execute(UPDATE, (ids, [at] * BATCH)), seconds)


def _rate(commit: Callable[[list[int], float], object], seconds: float) -> float:
    chance = random.Random(1)
    started, done = time.perf_counter(), 0
    while time.perf_counter() - started < seconds:
        commit(sorted(chance.sample(range(ROWS), BATCH)), float(done))
        done += BATCH
    return done / (time.perf_counter() - started)
