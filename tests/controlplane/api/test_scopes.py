"""Tokens that reach some pipelines and stages: at every door they act there, and nowhere else."""

from pathlib import Path

import httpx
import pytest

from controlplane.engine.refusals import Person
from controlplane.notify import buttons
from controlplane.slack.desk import Door
from controlplane.slack.moves import who
from controlplane.slack.people import NotAllowedError
from controlplane.store import access_keys, gates
from controlplane.store.grants import bounded
from controlplane.store.roles import Role
from tests.support.doors import SECRET, Doors
from tests.support.house import deploying, pipeline, source
from tests.support.wire import Wire

RUN = "/api/v1/pipelines/{}/executions"
SHOP = {"pipeline": "shop", "reason": "so"}
ARN = "arn:aws:codepipeline:eu-west-1:111111111111:"


@pytest.fixture
def doors(tmp_path: Path) -> Doors:
    """Two pipelines, shop (it waits in Gate) and till."""
    doors = Doors(tmp_path)
    doors.waits_for_approval()
    doors.house.apply(pipeline(source(), deploying("Prod"), name="till"))
    return doors


def execution_of(doors: Doors, name: str) -> str:
    return str(doors.client().get(RUN.format(name)).json()[0]["id"])


def test_a_token_acts_in_its_pipeline_only(doors: Doors) -> None:
    mine = doors.scoped(Role.DEVELOPER, "shop")
    assert mine.post(RUN.format("shop")).status_code == 201
    refused = mine.post(RUN.format("till"))
    assert refused.status_code == 403
    assert "role developer on shop/*" in refused.json()["detail"]
    assert "on pipeline till" in refused.json()["detail"]


def test_a_token_of_a_stage_moves_no_whole_pipeline(doors: Doors) -> None:
    mine = doors.scoped(Role.RELEASE_MANAGER, "shop", "Prod")
    assert mine.post(RUN.format("shop")).status_code == 403
    path = "/api/v1/pipelines/shop/stages/{}/transition"
    assert mine.request("DELETE", path.format("Prod")).status_code == 204
    assert mine.request("DELETE", path.format("Gate")).status_code == 403


def test_what_is_done_to_an_execution_is_done_to_its_pipeline(doors: Doors) -> None:
    path = f"/api/v1/executions/{execution_of(doors, 'shop')}/stages/Gate/approval"
    body = {"result": "Approved"}
    for name, stage in (("till", "*"), ("shop", "Prod")):
        other = doors.scoped(Role.APPROVER, name, stage)
        assert other.post(path, json=body).status_code == 403
    assert doors.scoped(Role.APPROVER, "shop", "Gate").post(path, json=body).status_code == 204


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("pipelines/till", 403),
        ("pipelines/none", 403),
        ("ledger/till", 403),
        ("executions/{till}", 403),
        ("executions/{till}/explanation", 403),
        ("executions/none", 404),
        ("pipelines/shop/state", 200),
        ("executions/{shop}", 200),
        ("schema", 200),
        ("tokens", 403),
        ("audit", 403),
    ],
)
def test_reading_ends_where_the_token_ends(doors: Doors, path: str, status: int) -> None:
    doors.house.start("till")
    ids = {name: execution_of(doors, name) for name in ("shop", "till")}
    mine = doors.scoped(Role.VIEWER, "shop")
    assert mine.get(f"/api/v1/{path.format(**ids)}").status_code == status


def test_listings_show_what_the_token_may_read(doors: Doors) -> None:
    doors.house.start("till")
    doors.client().post("/api/v1/freezes", json={**SHOP, "pipeline": "till"})
    doors.client().post("/api/v1/freezes", json={**SHOP, "pipeline": ""})
    mine = doors.scoped(Role.VIEWER, "shop")
    assert [one["name"] for one in mine.get("/api/v1/pipelines").json()] == ["shop"]
    assert {one["pipeline"] for one in mine.get("/api/v1/freezes").json()} == {""}
    told = mine.get("/api/v1/events").json()
    assert {one["pipeline"] for one in told["events"]} == {"shop"}
    rest = mine.get("/api/v1/events", params={"after": told["last"]}).json()
    assert rest == {"events": [], "last": doors.events()}


def test_the_audit_log_of_a_pipeline_is_for_who_reaches_it(doors: Doors) -> None:
    mine = doors.scoped(Role.RELEASE_MANAGER, "shop")
    assert mine.get("/api/v1/audit", params={"pipeline": "shop"}).status_code == 200
    assert mine.get("/api/v1/audit", params={"pipeline": "till"}).status_code == 403
    assert mine.get("/api/v1/audit").status_code == 403


def test_a_freeze_needs_a_grant_over_all_that_it_covers(doors: Doors) -> None:
    mine = doors.scoped(Role.RELEASE_MANAGER, "shop")
    other = doors.scoped(Role.RELEASE_MANAGER, "till")
    made = mine.post("/api/v1/freezes", json=SHOP)
    assert made.status_code == 201
    assert mine.post("/api/v1/freezes", json={**SHOP, "pipeline": ""}).status_code == 403
    path, why = f"/api/v1/freezes/{made.json()['id']}", {"reason": "so"}
    assert other.request("DELETE", path, json=why).status_code == 403
    assert mine.request("DELETE", path, json=why).status_code == 204
    with doors.house.database.read() as connection:
        assert not gates.freezes(connection, doors.house.clock().timestamp())


def test_a_token_made_with_a_scope_shows_it(doors: Doors) -> None:
    body = {"name": "ci", "role": "developer", "pipelines": ["shop", "a-*"], "stages": ["Dev"]}
    made = doors.client().post("/api/v1/tokens", json=body).json()
    (row,) = [one for one in doors.client().get("/api/v1/tokens").json() if one["name"] == "ci"]
    assert row["grants"] == made["grants"]
    assert [one["pipelines"] for one in row["grants"]] == ["shop", "a-*"]
    assert (row["role"], row["madeBy"]) == ("scoped", "admin")


def csrf_of(browser: httpx.Client) -> str:
    return browser.get("/").text.split('name="csrf" value="')[1].split('"')[0]


def test_the_console_shows_and_moves_no_more(doors: Doors) -> None:
    doors.house.start("till")
    token = doors.scoped_token(Role.RELEASE_MANAGER, "shop", "Prod")
    browser = doors.browser(token=token)
    home = browser.get("/").text
    assert "/console/pipelines/shop" in home and "/console/pipelines/till" not in home
    for path in ("/pipelines/till", "/pipelines/till/events", "/freezes?say=1&pipeline=till"):
        assert browser.get(path).status_code == 403
    assert browser.get(f"/executions/{execution_of(doors, 'till')}").status_code == 403
    form, close = {"csrf": csrf_of(browser), "reason": "so"}, "/pipelines/shop/close"
    assert browser.post(close, data={**form, "stage": "Gate"}).status_code == 403
    assert browser.post(close, data={**form, "stage": "Prod"}).status_code == 303
    assert browser.post("/pipelines/shop/start", data=form).status_code == 403


def test_a_form_cannot_name_an_execution_of_another_pipeline(doors: Doors) -> None:
    browser = doors.browser(token=doors.scoped_token(Role.APPROVER, "till"))
    execution = execution_of(doors, "shop")
    asked = {"verdict": "approve", "evidence": "0" * 64, "csrf": csrf_of(browser)}
    answer = browser.post(f"/executions/{execution}/stages/Gate/approval", data=asked)
    assert answer.status_code == 403


@pytest.mark.parametrize(("stages", "said"), [("Gate", ""), ("Prod", "does not reach as far")])
def test_a_person_of_slack_acts_where_the_setting_says(
    tmp_path: Path, stages: str, said: str
) -> None:
    people = {"U1": {"name": "bo", "role": "approver", "pipelines": "sh*", "stages": stages}}
    doors = Doors(tmp_path, slack_people=people)
    id_ = doors.waits_for_approval()
    house = doors.house
    known = doors.settings.slack_people
    door = Door(house.database, house.commands, house.structures, known, SECRET, house._now)
    asked = buttons.Press("approve", id_, "Gate", "Ask", "")
    if not said:
        assert who(door, "U1", asked)[0] == Person("bo", "slack")
        return
    with pytest.raises(NotAllowedError, match=said):
        who(door, "U1", asked)


@pytest.mark.parametrize(
    ("operation", "given", "done"),
    [
        ("GetPipeline", {"name": "shop"}, True),
        ("GetPipeline", {"name": "till"}, False),
        ("StartPipelineExecution", {"name": "till"}, False),
        ("ListTagsForResource", {"resourceArn": f"{ARN}shop"}, True),
        ("ListTagsForResource", {"resourceArn": f"{ARN}till"}, False),
        ("ListWebhooks", {}, False),
        ("ListActionTypes", {}, True),
    ],
)
def test_a_signing_key_acts_in_its_pipeline_only(
    doors: Doors, operation: str, given: dict[str, str], done: bool
) -> None:
    wire = signing(doors, "shop")
    assert wire.refusal(operation, given) == ("" if done else "AccessDeniedException")
    listed = wire.call("ListPipelines").json()["pipelines"]
    assert [one["name"] for one in listed] == ["shop"]


@pytest.mark.parametrize(("kind", "done"), [("Inbound", True), ("Outbound", False)])
def test_a_key_of_a_stage_does_not_close_the_way_into_the_next(
    doors: Doors, kind: str, done: bool
) -> None:
    given = {"pipelineName": "shop", "stageName": "Gate", "transitionType": kind, "reason": "so"}
    said = signing(doors, "shop", "Gate").refusal("DisableStageTransition", given)
    assert said == ("" if done else "AccessDeniedException")


def signing(doors: Doors, name: str, stage: str = "*") -> Wire:
    """A client that signs with an admin's key that reaches so far."""
    wire, may = Wire(doors), bounded(Role.ADMIN, [name], [stage])
    with doors.house.database.begin() as connection:
        now = doors.house.clock().timestamp()
        wire.made = access_keys.create(connection, ("bo", may), now, None, SECRET)
    return wire
