"""What the OpenAPI document says, where programs would be misled."""

from pathlib import Path
from typing import Any

import pytest

from controlplane.api.description import ANSWERS, PREFIX, TEXTS, described
from tests.support.doors import Doors

SAY_IT_THEMSELVES = {"GET /schema"}


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Doors:
    return Doors(tmp_path_factory.mktemp("described"))


def operations(doors: Doors) -> dict[str, Any]:
    return {
        f"{method.upper()} {path.removeprefix(PREFIX)}": operation
        for path, found in doors.app.openapi()["paths"].items()
        for method, operation in found.items()
    }


def test_every_route_that_answers_a_document_says_which(doors: Doors) -> None:
    found = operations(doors)
    telling = {
        route
        for route, one in found.items()
        if any(answer.get("content") for status, answer in one["responses"].items() if status < "3")
    }
    telling -= {
        route for route, one in found.items() if "202" in one["responses"]
    }  # they answer null
    assert telling == (set(ANSWERS) | set(TEXTS) | SAY_IT_THEMSELVES) & telling
    assert set(ANSWERS) | set(TEXTS) <= set(found)


def test_every_refusal_is_a_problem(doors: Doors) -> None:
    for route, operation in operations(doors).items():
        refusals = {s: one for s, one in operation["responses"].items() if s >= "4"}
        assert {"401", "403", "413", "422", "429", "503"} <= set(refusals), route
        for answer in refusals.values():
            assert list(answer["content"]) == ["application/problem+json"], route


def test_a_reason_that_a_command_needs_is_described_as_needed(doors: Doors) -> None:
    schema = doors.app.openapi()["components"]["schemas"]["NeededReasonBody"]
    assert schema["required"] == ["reason"]
    refused = doors.client().request("DELETE", f"{PREFIX}/quarantine/sha256:0", json={"reason": ""})
    assert refused.json()["detail"] == "lifting a quarantine needs a reason"


def test_no_key_but_a_name_pins_a_revision(doors: Doors) -> None:
    schema = doors.app.openapi()["components"]["schemas"]["StartBody"]
    assert schema["properties"]["revisions"]["additionalProperties"] is False


@pytest.mark.parametrize(("method", "path"), [("GET", "none"), ("POST", "none/shop")])
def test_to_move_over_from_an_unknown_account_is_404(doors: Doors, method: str, path: str) -> None:
    body: dict[str, str] | None = {} if method == "POST" else None
    answer = doors.client().request(method, f"{PREFIX}/migrations/{path}", json=body)
    assert (answer.status_code, answer.json()["detail"]) == (404, "there is no account 'none'")


def test_two_schemas_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="two schemas are named Token"):
        described({"components": {"schemas": {"Token": {}}}, "paths": {}})


def test_every_field_of_an_execution_is_described(tmp_path: Path) -> None:
    doors = Doors(tmp_path)
    execution = doors.waits_for_approval()
    known = doors.client().get(f"{PREFIX}/executions/{execution}").json()
    declared = doors.app.openapi()["components"]["schemas"]["WholeExecution"]["properties"]
    assert set(known) == set(declared)
