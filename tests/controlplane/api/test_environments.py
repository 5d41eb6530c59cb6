"""Grants by environment at every door: who may approve for test does not approve what goes to prod."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from accounts.models import Account
from controlplane.engine.environments import UNKNOWN
from controlplane.notify.buttons import Press
from controlplane.slack.desk import Door
from controlplane.slack.moves import who
from controlplane.slack.people import NotAllowedError
from controlplane.store import access_keys, tokens
from controlplane.store.grants import Grants, bounded
from controlplane.store.roles import Permission, Role
from tests.support.doors import SECRET, Doors, account, asks_a_person
from tests.support.house import action, deploying, pipeline, source
from tests.support.wire import Wire

PEOPLE: dict[str, Any] = {
    "U1": {"name": "dee", "role": "approver", "environments": "dev"},
    "U2": {"name": "pat", "role": "approver", "environments": ["prod", "x"]},
}


def ask(stage: str) -> dict[str, Any]:
    return {"name": stage, "actions": [action("Ask", "Manual")]}


DEV = deploying("Dev", watched=False)
PROD = deploying("Prod", watched=False)


def declared(*stages: dict[str, Any]) -> Any:
    return pipeline(source(), *stages)


@pytest.fixture
def doors(tmp_path: Path) -> Doors:
    """shop asks in ToDev in front of Dev, and in ToProd in front of Prod; it waits in ToDev."""
    doors = Doors(tmp_path, slack_people=PEOPLE)
    asks_a_person(doors.house)
    doors.house.apply(
        declared(ask("ToDev"), deploying("Dev", watched=False), ask("ToProd"), deploying("Prod"))
    )
    return doors


def token(doors: Doors, role: Role, *environments: str) -> str:
    may: Grants = bounded(role, ["shop"], [], environments)
    with doors.house.database.begin() as connection:
        return tokens.create(connection, f"{role}-{environments}", may, doors.house._now())[1]


def client(doors: Doors, role: Role, *environments: str) -> httpx.Client:
    made = doors.client(None)
    made.headers["authorization"] = f"Bearer {token(doors, role, *environments)}"
    return made


def approve(asks: httpx.Client, execution: str, stage: str) -> httpx.Response:
    path = f"/api/v1/executions/{execution}/stages/{stage}/approval"
    return asks.post(path, json={"result": "Approved"})


@pytest.mark.parametrize(
    ("stage", "leads"),
    [
        ("ToDev", {"dev"}),
        ("Dev", {"dev"}),
        ("ToProd", {"prod"}),
        ("Prod", {"prod"}),
        ("Source", {"dev"}),
        ("Other", set()),
        ("", {"dev", "prod"}),
    ],
)
def test_a_stage_leads_as_far_as_the_next_one_that_deploys(
    doors: Doors, stage: str, leads: set[str]
) -> None:
    goes = doors.parts().goes
    assert goes("shop", stage) == leads
    assert goes("none", stage) == set()


def asked_at_the_end(order: int) -> Any:
    return declared({**DEV, "actions": [*DEV["actions"], action("Ask", "Manual", order)]}, PROD)


@pytest.mark.parametrize("order", [1, 2])
def test_an_approval_after_what_its_stage_deploys_leads_on(doors: Doors, order: int) -> None:
    doors.house.apply(asked_at_the_end(order))
    goes = doors.parts().goes
    assert (goes("shop", "Dev"), goes("shop", "Dev", Permission.APPROVE)) == (
        {"dev"},
        {"dev", "prod"},
    )
    assert goes("shop", "Prod", Permission.APPROVE) == {"prod"}
    execution = doors.house.start()
    assert approve(client(doors, Role.APPROVER, "dev"), execution, "Dev").status_code == 403
    assert approve(client(doors, Role.APPROVER, "dev", "prod"), execution, "Dev").status_code == 204


def test_what_deploys_and_names_no_account_may_lead_anywhere(doors: Doors) -> None:
    kind = {"category": "Deploy", "owner": "Custom", "provider": "Ship", "version": "1"}
    ship = {"name": "Ship", "actionTypeId": kind}
    doors.house.apply(declared(ask("ToShip"), {"name": "Ship", "actions": [ship]}, DEV))
    assert doors.parts().goes("shop", "ToShip") == {UNKNOWN, "dev"}
    execution = doors.house.start()
    refused = approve(client(doors, Role.APPROVER, "dev"), execution, "ToShip")
    assert (refused.status_code, "or not named" in refused.text) == (403, True)


def test_who_was_there_last_goes_back_where_he_was(doors: Doors) -> None:
    doors.house.apply(declared({**PROD, "name": "Ship"}))
    doors.house.start()
    doors.house.settle()
    doors.house.apply(declared({**DEV, "name": "Ship"}))
    back = "/api/v1/pipelines/shop/stages/Ship/rollback"
    dev = client(doors, Role.RELEASE_MANAGER, "dev")
    assert doors.parts().goes("shop", "Ship") == {"dev", "prod"}
    assert dev.post(back, json={"reason": "so"}).status_code == 403
    doors.house.start()
    doors.house.settle()
    assert doors.parts().goes("shop", "Ship") == {"dev"}


def test_what_was_declared_since_bounds_as_well_as_what_an_execution_runs(doors: Doors) -> None:
    doors.house.start()
    doors.house.apply(declared(ask("ToDev"), deploying("Prod", watched=False)))
    assert doors.parts().goes("shop", "ToDev") == {"dev", "prod"}
    doors.registry.replace([account("prod")])
    assert doors.parts().goes("shop", "ToDev") == {UNKNOWN, "prod"}
    moved = account("prod").model_copy(update={"environment": "prod-eu"})
    doors.registry.replace([Account.model_validate(moved)])
    assert "prod-eu" in doors.parts().goes("shop", "ToDev")


def test_the_api_asks_where_it_leads(doors: Doors) -> None:
    execution = doors.house.start()
    refused = approve(client(doors, Role.APPROVER, "prod"), execution, "ToDev")
    assert refused.status_code == 403
    assert "role approver on shop/* in prod does not reach" in refused.json()["detail"]
    assert "stage ToDev in dev" in refused.json()["detail"]
    dev = client(doors, Role.APPROVER, "dev")
    assert dev.get(f"/api/v1/executions/{execution}").status_code == 200
    assert approve(dev, execution, "ToDev").status_code == 204
    doors.house.settle()
    assert approve(dev, execution, "ToProd").status_code == 403
    assert approve(client(doors, Role.APPROVER, "pr*"), execution, "ToProd").status_code == 204
    run = "/api/v1/pipelines/shop/executions"
    assert client(doors, Role.DEVELOPER, "dev").post(run).status_code == 403
    assert client(doors, Role.DEVELOPER, "dev", "prod").post(run).status_code == 201


def test_a_freeze_of_a_stage_needs_its_environment_only(doors: Doors) -> None:
    dev = client(doors, Role.RELEASE_MANAGER, "dev")
    freeze = {"pipeline": "shop", "reason": "so"}
    for stage, status in (("Dev", 201), ("Prod", 403), ("", 403)):
        assert dev.post("/api/v1/freezes", json={**freeze, "stage": stage}).status_code == status
    assert dev.put("/api/v1/pipelines/shop", content="{}").status_code == 403


def test_the_console_offers_and_does_it_there_only(doors: Doors) -> None:
    execution = doors.house.start()
    path = f"/executions/{execution}/stages/ToDev/approval"
    for environment, may, status in (("prod", False, 403), ("dev", True, 303)):
        browser = doors.browser(token=token(doors, Role.APPROVER, environment))
        page = browser.get(path).text
        assert ('value="approve"' in page) is may
        csrf = browser.get("/freezes").text.split('name="csrf" value="')[1].split('"')[0]
        seen = doors.client().get(f"/api/v1{path}").json()["evidence"]
        form = {"csrf": csrf, "action": "Ask", "evidence": seen, "verdict": "approve"}
        assert browser.post(path, data=form).status_code == status


def test_the_consoles_audit_log_says_which_environments_it_needs(doors: Doors) -> None:
    browser = doors.browser(token=token(doors, Role.RELEASE_MANAGER, "dev"))
    assert "with all its stages in dev and prod" in browser.get("/audit?pipeline=shop").text


def test_slacks_people_may_have_environments(doors: Doors) -> None:
    house, settings = doors.house, doors.settings
    press = Press("approve", house.start(), "ToDev", "Ask", "t")
    door = Door(
        house.database, house.commands, house.structures, settings.slack_people, SECRET, house._now,
        doors.parts().goes,
    )  # fmt: skip
    assert who(door, "U1", press)[0].name == "dee"
    with pytest.raises(NotAllowedError, match="in prod, approver in x does not reach"):
        who(door, "U2", press)


def test_codepipelines_wire_asks_where_it_leads(doors: Doors) -> None:
    doors.house.start()
    wire = Wire(doors, Role.ADMIN)
    with doors.house.database.begin() as connection:
        may = bounded(Role.APPROVER, [], [], ["prod"])
        wire.made = access_keys.create(connection, ("ci", may), doors.house._now(), None, SECRET)
    given = {
        "pipelineName": "shop",
        "stageName": "ToDev",
        "actionName": "Ask",
        "result": {"status": "Approved", "summary": "well"},
        "token": "00000000-0000-0000-0000-000000000000",
    }
    assert wire.refusal("PutApprovalResult", given) == "AccessDeniedException"
    assert wire.refusal("PutApprovalResult", {**given, "stageName": "ToProd"}) != (
        "AccessDeniedException"
    )


def test_a_token_is_made_and_told_with_its_environments(doors: Doors) -> None:
    admin = doors.client()
    body = {"name": "dee", "role": "approver", "environments": ["dev", "test-?"]}
    made = admin.post("/api/v1/tokens", json=body).json()
    assert [one["environments"] for one in made["grants"]] == ["dev", "test-?"]
    (listed,) = [one for one in admin.get("/api/v1/tokens").json() if one["id"] == made["id"]]
    assert (listed["role"], listed["grants"]) == ("scoped", made["grants"])
    many = {**body, "pipelines": [f"p{n}" for n in range(9)], "stages": list("abcde")}
    assert admin.post("/api/v1/tokens", json=many).status_code == 422
    wrong = admin.post("/api/v1/tokens", json={**body, "environments": ["no/slash"]})
    assert wrong.status_code == 422
