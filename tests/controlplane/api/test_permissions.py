"""Who is let in, and what the others are told. Who may what is in test_matrix."""

from pathlib import Path

import pytest

from controlplane.api.guard import NEEDS
from controlplane.store.roles import Role
from tests.support.doors import Doors


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Doors:
    return Doors(tmp_path_factory.mktemp("doors"))


def test_every_route_of_the_interface_is_guarded(doors: Doors) -> None:
    paths = doors.app.openapi()["paths"]
    routes = {(m.upper(), path) for path, methods in paths.items() for m in methods}
    guarded = {(method, f"/api/v1{path}") for method, path in NEEDS}
    assert routes == guarded - {("GET", "/api/v1/openapi.json")}


@pytest.mark.parametrize("route", NEEDS)
def test_nobody_enters_without_a_token(doors: Doors, route: tuple[str, str]) -> None:
    method, path = route
    answer = doors.client(None).request(method, f"/api/v1{path}", content=b"{not even JSON")
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer tp_wrong", "Basic abc", "bearer tp_é"])
def test_a_wrong_token_is_refused(doors: Doors, header: str) -> None:
    headers = {b"authorization": header.encode("latin-1")}
    assert doors.client(None).get("/api/v1/schema", headers=headers).status_code == 401


def test_an_expired_token_is_refused(tmp_path: Path) -> None:
    doors = Doors(tmp_path)
    doors.tokens[Role.VIEWER] = doors.token(Role.VIEWER, doors.house.clock().timestamp() + 60)
    client = doors.client(Role.VIEWER)
    assert client.get("/api/v1/schema").status_code == 200
    doors.house.clock.advance(60)
    assert client.get("/api/v1/schema").status_code == 401


def test_the_refusal_of_a_role_names_those_that_may(doors: Doors) -> None:
    answer = doors.client(Role.VIEWER).post("/api/v1/pipelines/shop/executions")
    assert "release-manager or admin" in answer.json()["detail"]
