"""An approval's page and document: what there is to see, and a word on exactly that."""

import json
from pathlib import Path

import httpx
import pytest

from controlplane.sandbox.scripted import Scripted, source_of
from controlplane.store.roles import Role
from monitors.base import Outcome, Progress
from tests.support.doors import Doors, asks_a_person
from tests.support.house import BAD, GOOD, action, deploying, pipeline, source

SAYS = {
    Role.VIEWER: "What there is to see of Ask",
    Role.APPROVER: "Look at Ask, and decide…",
    Role.ADMIN: "Look at Ask, and decide…",
}
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


def test_the_pipelines_page_leads_there_and_decides_nothing_itself(doors: Doors) -> None:
    execution = waiting(doors, **SAID)
    before = doors.events()
    pages = {role: doors.browser(role).get("/pipelines/shop").text for role in SAYS}
    for role, page in pages.items():
        assert f'href="/console{path_of(execution)}?action=Ask"' in page and SAYS[role] in page
        assert "/approve" not in page
    admin = doors.browser()
    csrf = admin.get("/pipelines/shop").text.split('name="csrf" value="')[1].split('"')[0]
    asked = {"csrf": csrf, "execution": execution, "stage": "Gate", "action": "Ask"}
    for move in ("approve", "reject"):
        answer = admin.post(f"/pipelines/shop/{move}", data=asked)
        assert (answer.status_code, "no such move" in answer.text) == (404, True)
    assert doors.events() == before


@pytest.mark.parametrize("verdict", ["approve", "reject"])
def test_who_comes_second_reads_it_on_the_pipelines_page(doors: Doors, verdict: str) -> None:
    execution = waiting(doors)
    browser, late = doors.browser(Role.APPROVER), doors.browser(Role.ADMIN)
    page = late.get(path_of(execution)).text
    fields = {
        name: page.split(f'name="{name}" value="')[1].split('"')[0]
        for name in ("csrf", "action", "evidence")
    }
    answer = send(browser, execution, verdict, reason="looks good")
    done = f"/console/pipelines/shop?done={verdict}"
    assert (answer.status_code, answer.headers["location"]) == (303, done)
    second = late.post(
        path_of(execution), data={**fields, "verdict": "approve", "reason": "me too"}
    )
    assert (second.status_code, "decided already" in second.text) == (409, True)
    assert "Recent executions" in second.text
    doors.house.settle()
    page = browser.get("/pipelines/shop").text
    word = "Approved" if verdict == "approve" else "Rejected"
    assert f"{word} by approver (console): looks good" in page


def finding(id_: str, severity: str, **more: object) -> dict[str, object]:
    texts = dict.fromkeys(("title", "package", "version", "fixed", "accepted"), "")
    return {"severity": severity, "id": id_, **texts, "resources": 1, "stops": False, **more}


def scanned(*findings: dict[str, object], more: int = 0) -> dict[str, str]:
    """What a scan puts out."""
    told = {"findings": list(findings), "more": more, "all": True}
    return {"HIGH": "0", "Findings": "", "NewFindings": json.dumps(told)}


def scans(doors: Doors, *outputs: dict[str, str]) -> str:
    """A release for each output of its scan; the last one waits in front of Prod, behind it."""
    house = doors.house
    asks_a_person(house)
    house.others["Test", "Custom", "InspectorFindings"] = scan = Scripted()
    house.engine = house.new_engine()
    where = {"Account": "prod", "ResourceType": "AWS_EC2_INSTANCE", "ResourceIds": "i-1"}
    kind = {"category": "Test", "owner": "Custom", "provider": "InspectorFindings"}
    look = {"name": "Scan", "actionTypeId": kind, "configuration": where, "region": "eu-west-1"}
    test = {"name": "Test", "actions": [look]}
    gate = {"name": "Gate", "actions": [action("Ask", "Manual")]}
    execution = ""
    for number, output in enumerate(outputs):
        last = number == len(outputs) - 1
        scan.default = lambda *_, said=output: Progress(Outcome.SUCCEEDED, "h", "x", output=said)
        stages = [test, *([gate] if last else []), deploying("Prod", bake="1s")]
        house.drivers["S3"].default = source_of(BAD if last else GOOD)
        house.apply(pipeline(source(), *stages))
        execution = house.start()
        house.wait(5)
    return execution


def test_the_single_findings_that_are_new_since_what_is_in_prod_are_shown(doors: Doors) -> None:
    known = finding("CVE-1", "HIGH", package="openssl")
    new = finding(
        "<i>CVE-2</i>", "CRITICAL", package="zlib", version="1.2", fixed="1.3", title="<b>bad</b>"
    )
    execution = scans(doors, scanned(known), scanned(new, known, more=7))
    said = doors.client(Role.VIEWER).get(f"/api/v1{path_of(execution)}").json()["findings"]
    assert [(one["name"], one["findings"], one["more"]) for one in said] == [("Scan", [new], 7)]
    assert said[0]["counts"] == {"HIGH": "0", "Findings": ""}
    page = doors.browser(Role.VIEWER).get(path_of(execution)).text
    assert (
        "&lt;i&gt;CVE-2&lt;/i&gt;</strong> &lt;b&gt;bad&lt;/b&gt;" in page and "<b>bad" not in page
    )
    assert "zlib 1.2, fixed in 1.3" in page and "7 more are new" in page and "CVE-1" not in page
    assert "https://eu-west-1.console.aws.amazon.com/inspector/v2/home?region=eu-west-1" in page
    whole = doors.browser(Role.VIEWER).get(f"/executions/{execution}").text
    assert "&lt;i&gt;CVE-2&lt;/i&gt;" in whole and "CVE-1" in whole and "no fixed version" in whole


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"findings": [{"id": "x"}]}', "null"])
def test_a_scan_of_an_older_version_shows_its_counts(doors: Doors, text: str) -> None:
    execution = scans(doors, {"HIGH": "3", **({"NewFindings": text} if text else {})})
    page = doors.browser(Role.VIEWER).get(path_of(execution)).text
    assert "High 3" in page and 'class="list singles"' not in page
    assert doors.browser(Role.VIEWER).get(f"/executions/{execution}").status_code == 200
