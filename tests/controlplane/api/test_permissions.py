"""Every route with every role, from one literal table."""

from pathlib import Path

import pytest

from controlplane.api.guard import NEEDS
from controlplane.store.roles import Role
from tests.support.doors import Doors

VIEWER = {"viewer", "approver", "release-manager", "admin"}
APPROVER = VIEWER - {"viewer"}
MANAGER = APPROVER - {"approver"}
ADMIN = {"admin"}
REPORTER = {"reporter", "admin"}

MAY = {
    "GET /pipelines": VIEWER,
    "GET /pipelines/shop": VIEWER,
    "PUT /pipelines/shop": MANAGER,
    "GET /pipelines/shop/state": VIEWER,
    "GET /pipelines/shop/executions": VIEWER,
    "POST /pipelines/shop/executions": MANAGER,
    "POST /pipelines/shop/stages/Prod/rollback": MANAGER,
    "POST /pipelines/shop/stages/Prod/drill": MANAGER,
    "GET /pipelines/shop/drills": VIEWER,
    "PUT /pipelines/shop/stages/Prod/transition": MANAGER,
    "DELETE /pipelines/shop/stages/Prod/transition": MANAGER,
    "GET /pipelines/shop/shadow": VIEWER,
    "PUT /pipelines/shop/shadow": MANAGER,
    "GET /migrations/dev": MANAGER,
    "POST /migrations/dev/shop": MANAGER,
    "GET /executions/none": VIEWER,
    "GET /executions/none/measurements": VIEWER,
    "GET /executions/none/explanation": VIEWER,
    "POST /executions/none/stop": MANAGER,
    "GET /executions/none/stages/Prod/approval": VIEWER,
    "POST /executions/none/stages/Prod/approval": APPROVER,
    "POST /executions/none/stages/Prod/judgement": MANAGER,
    "POST /executions/none/stages/Prod/retry": MANAGER,
    "POST /executions/none/stages/Prod/override": MANAGER,
    "GET /freezes": VIEWER,
    "POST /freezes": MANAGER,
    "DELETE /freezes/1": MANAGER,
    "GET /incidents": VIEWER,
    "POST /incidents/alertmanager": REPORTER,
    "DELETE /incidents/none": MANAGER,
    "GET /quarantine": VIEWER,
    "DELETE /quarantine/sha256:0": MANAGER,
    "GET /ledger/shop": VIEWER,
    "GET /events": VIEWER,
    "GET /audit": MANAGER,
    "GET /accounts": VIEWER,
    "GET /accounts/dev": VIEWER,
    "PUT /accounts/dev": ADMIN,
    "DELETE /accounts/dev": ADMIN,
    "GET /doctor": MANAGER,
    "GET /doctor/shop": MANAGER,
    "GET /schema": VIEWER,
    "GET /openapi.json": VIEWER,
    "GET /tokens": ADMIN,
    "POST /tokens": ADMIN,
    "DELETE /tokens/none": ADMIN,
}


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Doors:
    return Doors(tmp_path_factory.mktemp("doors"))


def test_the_table_has_every_route() -> None:
    assert len(MAY) == len(NEEDS)


def test_every_route_of_the_interface_is_guarded(doors: Doors) -> None:
    paths = doors.app.openapi()["paths"]
    routes = {(m.upper(), path) for path, methods in paths.items() for m in methods}
    guarded = {(method, f"/api/v1{path}") for method, path in NEEDS}
    assert routes == guarded - {("GET", "/api/v1/openapi.json")}


@pytest.mark.parametrize("route", MAY)
@pytest.mark.parametrize("role", list(Role))
def test_a_role_may_what_the_table_says_and_nothing_else(
    doors: Doors, route: str, role: Role
) -> None:
    method, path = route.split()
    answer = doors.client(role).request(method, f"/api/v1{path}")
    assert (answer.status_code != 403) == (role in MAY[route])
    assert answer.status_code != 401


@pytest.mark.parametrize("route", MAY)
def test_nobody_enters_without_a_token(doors: Doors, route: str) -> None:
    method, path = route.split()
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
