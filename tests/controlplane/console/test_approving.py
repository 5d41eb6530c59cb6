"""An approval's page and document: what there is to see, and a word on exactly that."""

from pathlib import Path

import httpx
import pytest

from controlplane.sandbox.scripted import source_of
from controlplane.store.roles import Role
from tests.support.doors import Doors, asks_a_person
from tests.support.house import BAD, action, deploying, pipeline, source

SAID = {"Quorum": "2", "CustomData": "<b>Read</b> the notes"}


@pytest.fixture
def doors(tmp_path: Path) -> Doors:
    return Doors(tmp_path)


def waiting(doors: Doors, **said: str) -> str:
    """A second release waits in front of Prod, where the first one stands."""
    asks_a_person(doors.house)
    doors.house.apply(pipeline(source(), deploying("Prod", bake="1s")))
    doors.house.start()
    doors.house.wait(5)
    doors.house.drivers["S3"].default = source_of(BAD)
    gate = {"name": "Gate", "actions": [action("Ask", "Manual", configuration=said)]}
    test = {"name": "Test", "actions": [action("Smoke", "NoOp")]}
    doors.house.apply(pipeline(source(), test, gate, deploying("Prod")))
    execution = doors.house.start()
    doors.house.wait(2)
    return execution


def path_of(execution: str) -> str:
    return f"/executions/{execution}/stages/Gate/approval"


def send(browser: httpx.Client, execution: str, verdict: str, **form: str) -> httpx.Response:
    page = browser.get(path_of(execution)).text
    fields = {
        name: page.split(f'name="{name}" value="')[1].split('"')[0]
        for name in ("csrf", "action", "evidence")
    }
    data = {**fields, "verdict": verdict, "reason": "", **form}
    return browser.post(path_of(execution), data=data)


def test_the_document_says_what_it_is_about_and_what_follows(doors: Doors) -> None:
    execution = waiting(doors, **SAID, Approvers="group:release, approver, admin")
    client = doors.client(Role.APPROVER)
    said = client.get(f"/api/v1{path_of(execution)}").json()
    (there,) = said["replaces"]
    assert (said["digest"], there["digest"][:14]) == (BAD, "sha256:aaaaaaa")
    assert [one["digest"] for one in said["changes"]["executions"]] == [BAD]
    assert said["changes"]["since"] == there["executionId"]
    assert [(one["stage"], one["name"], one["status"]) for one in said["checks"]] == [
        ("Source", "Upload", "Succeeded"),
        ("Test", "Smoke", "Succeeded"),
    ]
    assert said["asked"]["by"] == "anne"
    assert said["you"] == {"name": "approver", "mayApprove": True, "mayReject": True, "why": ""}
    assert "kept as 1 of 2" in said["onApprove"]
    assert said["onReject"].startswith("Gate fails, and sha256:bbbbbbbbbbbb goes no further.")
    assert "token" not in said


def test_a_word_by_the_api_counts_for_the_evidence_that_it_carries(doors: Doors) -> None:
    execution = waiting(doors, **SAID)
    client = doors.client(Role.APPROVER)
    seen = client.get(f"/api/v1{path_of(execution)}").json()["evidence"]
    body = {"result": "Approved", "evidence": "0" * 64}
    stale = client.post(f"/api/v1{path_of(execution)}", json=body)
    assert (stale.status_code, "look at it again" in stale.text) == (409, True)
    good = client.post(f"/api/v1{path_of(execution)}", json={**body, "evidence": seen})
    assert good.status_code == 204
    said = doors.client().get(f"/api/v1{path_of(execution)}").json()
    assert [(v["person"], v["door"], v["counts"]) for v in said["votes"]] == [
        ("approver", "api", True)
    ]
    assert (said["missing"], "on targets" in said["onApprove"]) == (1, False)
    assert "replaces sha256:aaaaaaaaaaaa" in said["onApprove"]


def test_the_page_escapes_shows_and_decides_without_javascript(doors: Doors) -> None:
    execution = waiting(doors, **SAID)
    browser = doors.browser(Role.APPROVER)
    page = browser.get(path_of(execution)).text
    assert "&lt;b&gt;Read&lt;/b&gt; the notes" in page
    assert "Smoke" in page
    assert "If you approve:" in page
    assert send(browser, execution, "approve", reason="<i>well</i>").status_code == 303
    page = browser.get(path_of(execution)).text
    assert "&lt;i&gt;well&lt;/i&gt;" in page
    assert "<i>well" not in page
    assert "approver has approved this already" in page
    assert send(doors.browser(), execution, "approve").status_code == 303
    doors.house.settle()
    assert doors.house.stages(execution)["Gate"] == "Succeeded"
    assert browser.get(path_of(execution)).status_code == 409


def test_what_cannot_be_is_said_on_the_page_and_changes_nothing(doors: Doors) -> None:
    execution = waiting(doors, **SAID)
    browser = doors.browser(Role.APPROVER)
    before = doors.events()
    long = send(browser, execution, "approve", reason="x" * 513)
    assert (long.status_code, "512 at most" in long.text) == (422, True)
    stale = send(browser, execution, "approve", evidence="0" * 64)
    assert (stale.status_code, "look at it again" in stale.text) == (409, True)
    assert send(browser, execution, "approve", csrf="forged").status_code == 403
    assert doors.browser(Role.VIEWER).get(path_of(execution)).text.count("an approver decides") == 1
    viewer = doors.browser(Role.VIEWER)
    csrf = viewer.get("/freezes").text.split('name="csrf" value="')[1].split('"')[0]
    data = {"csrf": csrf, "verdict": "approve", "evidence": "0" * 64}
    assert viewer.post(path_of(execution), data=data).status_code == 403
    assert doors.events() == before + 1  # that it was stale is on record


def test_the_pipelines_page_leads_there(doors: Doors) -> None:
    execution = waiting(doors, **SAID)
    page = doors.browser(Role.VIEWER).get("/pipelines/shop").text
    assert f'href="/console{path_of(execution)}?action=Ask"' in page
