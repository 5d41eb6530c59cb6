"""API tokens: what is kept of them, and when they stop to count."""

from pathlib import Path

import pytest
from sqlalchemy import select, text

from controlplane.store import tokens
from controlplane.store.roles import Role
from tests.support.doors import Doors


@pytest.fixture
def doors(tmp_path: Path) -> Doors:
    return Doors(tmp_path)


def last_use(doors: Doors, name: str) -> float | None:
    with doors.house.database.read() as connection:
        uses: dict[str, float | None] = {r.name: r.last_used_at for r in tokens.all_(connection)}
    return uses[name]


def test_a_made_token_opens_the_door_until_it_is_revoked(doors: Doors) -> None:
    admin = doors.client()
    made = admin.post("/api/v1/tokens", json={"name": "ci", "role": "viewer"}).json()
    mine = {"authorization": f"Bearer {made['token']}"}
    assert doors.client(None).get("/api/v1/pipelines", headers=mine).status_code == 200
    assert admin.delete(f"/api/v1/tokens/{made['id']}").status_code == 204
    assert doors.client(None).get("/api/v1/pipelines", headers=mine).status_code == 401
    assert admin.delete(f"/api/v1/tokens/{made['id']}").status_code == 404


def test_the_database_does_not_know_the_token(doors: Doors) -> None:
    token = doors.tokens[Role.ADMIN]
    with doors.house.database.read() as connection:
        rows = connection.execute(select(text("*")).select_from(text("api_token"))).all()
    assert len(token) == len("tp_") + 43
    assert token not in str(rows)


def test_the_list_shows_neither_token_nor_hash(doors: Doors) -> None:
    answer = doors.client().get("/api/v1/tokens")
    assert {row["name"] for row in answer.json()} == set(Role)
    assert not {"token", "hash"} & set(answer.json()[0])


def test_the_last_use_is_written_at_most_once_a_minute(doors: Doors) -> None:
    client, first = doors.client(), doors.house.clock().timestamp()
    client.get("/api/v1/schema")
    doors.house.clock.advance(59)
    client.get("/api/v1/schema")
    assert last_use(doors, "admin") == first
    doors.house.clock.advance(1)
    client.get("/api/v1/schema")
    assert last_use(doors, "admin") == first + 60


def test_two_replicas_write_one_use_once(doors: Doors) -> None:
    now, database = doors.house.clock().timestamp(), doors.house.database
    with database.begin() as connection:
        holder = tokens.find(connection, doors.tokens[Role.VIEWER], now)
        assert holder is not None
        tokens.used(connection, holder, now)
        tokens.used(connection, holder, now + 1)
    assert last_use(doors, "viewer") == now


@pytest.mark.parametrize(
    "body",
    [
        {"name": "ci", "role": "owner"},
        {"name": "slack:anne", "role": "admin"},
        {"name": "ci", "role": "viewer", "expiresAt": "2025-01-01T00:00:00Z"},
        {"name": "ci", "role": "viewer", "expiresAt": "2027-01-01T00:00:00"},
    ],
)
def test_a_token_that_makes_no_sense_is_not_made(doors: Doors, body: dict[str, str]) -> None:
    assert doors.client().post("/api/v1/tokens", json=body).status_code == 422
    assert len(doors.client().get("/api/v1/tokens").json()) == len(Role)
