"""The pages over all pipelines: freezes, quarantine, accounts and health, the audit log, the fleet."""

from collections.abc import Mapping
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import insert

from controlplane.chain import Head
from controlplane.console import fleet, freezing
from controlplane.console.policy import CONTENT_SECURITY
from controlplane.engine.gate_commands import Scope
from controlplane.sandbox.scripted import judging, source_of
from controlplane.store import audit
from controlplane.store.queries import QUARANTINE
from controlplane.store.roles import Role
from monitors.base import Verdict
from tests.support.doors import GOOD, Doors, account
from tests.support.house import ANNE, BAD, action, deploying, gated, pipeline, rule, source

HOSTILE = "<script>alert(1)</script>\"'&"
PAGES = ("/", "/freezes", "/quarantine", "/accounts", "/audit")
SMALL = 60_000
"""Bytes of a page."""


@pytest.fixture
def doors(tmp_path: Path) -> Doors:
    return Doors(tmp_path)


def csrf_of(browser: httpx.Client) -> str:
    return browser.get("/freezes").text.split('name="csrf" value="')[1].split('"')[0]


def post(browser: httpx.Client, address: str, **form: str) -> httpx.Response:
    return browser.post(address, data={"csrf": csrf_of(browser), **form})


def text_of(page: str) -> str:
    """What a person reads, without the line breaks."""
    return " ".join(unescape(page).split())


def tell(doors: Doors, *names: str, **labels: str) -> None:
    alerts = [
        {
            "status": "firing",
            "labels": {"alertname": name, **labels},
            "startsAt": f"{2000 + n}-01-01T00:00:00Z",
        }
        for n, name in enumerate(names)
    ]
    body = {"version": "4", "status": "firing", "alerts": alerts}
    doors.client().post("/api/v1/incidents/alertmanager", json=body).raise_for_status()


def quarantine(doors: Doors, *digests: str, reason: str = "it was slow") -> None:
    rows = [
        {"digest": one, "pipeline": "shop", "execution_id": "e", "reason": reason, "at": 1.0}
        for one in digests
    ]
    with doors.house.database.begin() as connection:
        connection.execute(
            insert(QUARANTINE), [{"lifted_by": "", "lift_reason": "", **row} for row in rows]
        )


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Doors:
    """Of everything more than a page shows, and the texts as long as they may be."""
    doors, long = Doors(tmp_path_factory.mktemp("full")), "why" * 100
    for _ in range(30):
        doors.house.commands.freeze(Scope(), ANNE, reason=long)
    tell(doors, *(f"alert {n}" for n in range(30)), label=long)
    quarantine(doors, *(f"sha256:{n:064x}" for n in range(30)), reason=long * 3)
    for n in range(30):
        doors.registry.put(account("a" * (n + 1)))  # its number is the sum of its letters
    for n in range(30):
        doors.house.apply(
            pipeline(source(), *(deploying(s) for s in ("Dev", "Test", "Prod")), name=f"p{n:02d}")
        )
    return doors


# --- All pages ----------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES)
def test_the_navigation_leads_everywhere_and_says_where_one_is(full: Doors, page: str) -> None:
    text = full.browser().get(page).text
    assert all(f'href="/console{other}"' in text for other in PAGES)
    assert text.count("aria-current") == 1
    assert f'href="/console{page}" aria-current="page"' in text


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("role", sorted({Role.VIEWER, Role.APPROVER, Role.RELEASE_MANAGER}))
def test_everybody_sees_every_page_but_the_audit_log(full: Doors, page: str, role: Role) -> None:
    answer = full.browser(role).get(page)
    may = page != "/audit" or role is Role.RELEASE_MANAGER
    assert answer.status_code == (200 if may else 403)
    assert may or "The audit log is not for you" in answer.text
    assert may or "it needs release-manager or admin" in answer.text
    assert answer.headers["content-security-policy"] == CONTENT_SECURITY


@pytest.mark.parametrize("page", PAGES[:4])
def test_a_viewer_can_change_nothing(full: Doors, page: str) -> None:
    assert full.browser(Role.VIEWER).get(page).text.count('method="post"') == 1  # sign out


@pytest.mark.parametrize("page", PAGES)
def test_a_page_stays_small_and_leads_on_where_there_is_much(full: Doors, page: str) -> None:
    browser = full.browser()
    answer = browser.get(page)
    assert len(answer.content) < SMALL
    seen, pages = ids_of(answer.text), 1
    while 'rel="next"' in answer.text:
        onward = unescape(answer.text.split('rel="next"')[0].rpartition('href="')[2].split('"')[0])
        answer, pages = browser.get(onward.removeprefix("/console")), pages + 1
        assert not seen & ids_of(answer.text)
        seen |= ids_of(answer.text)
    assert pages > 1
    assert len(seen) >= 30


def ids_of(page: str) -> set[str]:
    """What a page lists: freezes, digests, accounts, entries, pipelines."""
    marks = (' id="freeze-', '<code title="sha256:', ' id="account-', ' id="entry-', "<h2><a href=")
    return {f"{mark}{part.split('>')[0]}" for mark in marks for part in page.split(mark)[1:]}


def test_text_from_outside_stays_text(doors: Doors) -> None:
    doors.house.commands.freeze(Scope(), ANNE, reason=HOSTILE)
    tell(doors, HOSTILE, severity=HOSTILE)
    quarantine(doors, BAD, reason=HOSTILE)
    doors.breakers.unanswered(("", "", HOSTILE, False))
    doors.unready["engine"] = HOSTILE
    typed = {
        "say": "1",
        "pipeline": HOSTILE,
        "stage": HOSTILE,
        "account": HOSTILE,
        "until": HOSTILE,
    }
    for page in (*PAGES[1:], httpx.URL("/freezes", params=typed)):
        answer = doors.browser().get(page)
        assert "&lt;script&gt;alert(1)" in answer.text, page
        assert "<script>alert" not in answer.text, page
    assert 'value="&lt;script' in doors.browser().get("/audit", params={"pipeline": HOSTILE}).text


@pytest.mark.parametrize("page", PAGES[1:])
def test_an_address_that_no_page_has_is_no_fault(full: Doors, page: str) -> None:
    browser = full.browser()
    for query in ("before=-1", "before=x", "before=99999999999999999999", "after=%00", "say=%00"):
        assert browser.get(f"{page}?{query}").status_code in {200, 422}, query


# --- Freezes and incidents ----------------------------------------------------------------------


def test_what_a_freeze_would_do_is_said_before_it_is_set(doors: Doors) -> None:
    doors.house.apply(pipeline(source(), deploying("Test"), deploying("Prod")))
    asked = {"say": "1", "pipeline": "shop", "account": "prod", "until": "2026-01-07T09:00"}
    page = doors.browser().get("/freezes", params=asked).text
    assert (
        "No execution enters any stage of shop that acts in account prod, "
        "until 07 Jan 2026 09:00 UTC, 2 d from now. As shop is now (version 1), that is: Prod."
    ) in text_of(page.replace("</strong>", ""))
    assert "In force" in page and "None: every gate says" in page, "nothing was set"


WRONG: Mapping[str, tuple[dict[str, str], int, str]] = {
    "pipeline": ({"pipeline": "nope"}, 404, "there is no pipeline 'nope'"),
    "stage": ({"pipeline": "shop", "stage": "Prud"}, 404, "it has Source, Prod"),
    "account": ({"account": "prdo"}, 404, "prdo"),
    "past": ({"until": "2020-01-01T00:00"}, 422, "is over: say a time to come"),
    "time": ({"until": "tomorrow"}, 422, "is no time: write 2026-12-27T08:00"),
    "ages": ({"until": "9999-12-31T23:59-12:00"}, 422, "is no time"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_freeze_of_nothing_is_refused_before_and_after_it_is_pressed(
    doors: Doors, wrong: str
) -> None:
    doors.house.apply(pipeline(source(), deploying("Prod")))
    asked, status, said = WRONG[wrong]
    browser, before = doors.browser(), doors.events()
    assert said in text_of(browser.get("/freezes", params={"say": "1", **asked}).text)
    answer = post(browser, "/freezes/freeze", reason="so", **asked)
    assert (answer.status_code, said in text_of(answer.text)) == (status, True)
    assert text_of(answer.text).count(said) == 1
    assert doors.events() == before


def test_a_freeze_is_set_and_lifted_with_a_reason(doors: Doors) -> None:
    doors.house.apply(pipeline(source(), deploying("Prod")))
    browser = doors.browser(Role.RELEASE_MANAGER)
    asked = {"pipeline": "shop", "stage": "Prod", "until": "2026-01-07T09:00"}
    refused = post(browser, "/freezes/freeze", reason=" ", **asked)
    assert refused.status_code == 422 and 'value="2026-01-07T09:00"' in refused.text
    answer = post(browser, "/freezes/freeze", reason="the fair", **asked)
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/freezes?done=freeze")
    page = text_of(browser.get("/freezes?done=freeze").text)
    assert "stage Prod of shop" in page and "until 07 Jan 2026 09:00 UTC, 2 d from now" in page
    assert "by release-manager" in page and "The freeze is in force." in page
    number = page.split("number ")[1].split(",")[0]
    assert post(browser, "/freezes/unfreeze", freeze=number, reason="").status_code == 422
    assert post(browser, "/freezes/unfreeze", freeze=number, reason="over").status_code == 303
    assert "None: every gate says" in browser.get("/freezes").text
    assert post(browser, "/freezes/unfreeze", freeze=number, reason="over").status_code == 404


def test_where_there_are_too_many_accounts_to_pick_from_one_types_the_name(
    doors: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert '<select id="account"' in doors.browser().get("/freezes").text
    monkeypatch.setattr(freezing, "CHOICES", 1)
    page = doors.browser().get("/freezes?say=1&account=prod").text
    assert "<select" not in page and 'name="account" value="prod"' in page


def test_an_incident_is_resolved_with_a_reason(doors: Doors) -> None:
    tell(doors, "Down", severity="critical")
    browser = doors.browser()
    page = browser.get("/freezes").text
    assert "alertname=Down, severity=critical" in page
    key = page.split('name="incident" value="')[1].split('"')[0]
    assert post(browser, "/freezes/resolve", incident=key, reason="").status_code == 422
    assert post(browser, "/freezes/resolve", incident=key, reason="mended").status_code == 303
    assert "None was told." in browser.get("/freezes").text


# --- Gates --------------------------------------------------------------------------------------


def test_two_people_open_a_gate_on_the_page_of_its_pipeline(doors: Doors) -> None:
    alarm = rule("Quiet", "CloudWatchAlarm", configuration={"AlarmName": "errors"})
    doors.house.drivers["AlarmAtGate"].default = judging(Verdict.FAIL)
    work = {"name": "Work", "actions": [action("Do", "NoOp")]}
    doors.house.apply(pipeline(source(), gated(work, alarm)))
    execution = doors.house.start()
    assert "Ask to open this gate" not in doors.browser().get("/pipelines/shop").text, "not closed"
    doors.house.wait(6, step=2)
    first, second = doors.browser(Role.RELEASE_MANAGER), doors.browser(Role.ADMIN)
    assert "Ask to open this gate" in first.get("/pipelines/shop").text
    address, form = "/pipelines/shop/override", {"execution": execution, "stage": "Work"}
    assert post(first, address, reason="", **form).status_code == 422
    assert post(first, address, reason="a fix", **form).status_code == 303
    page = text_of(second.get("/pipelines/shop").text)
    assert "release-manager asks to open this gate:</strong> a fix" in page
    assert "Another person than release-manager may confirm until 10:00" in page
    again = post(first, address, reason="a fix", **form)
    assert again.status_code == 409 and "another person must confirm" in again.text
    assert "Confirm, and open" not in doors.browser(Role.APPROVER).get("/pipelines/shop").text
    assert post(second, address, reason="yes", **form).status_code == 303
    doors.house.settle()
    assert doors.house.stages(execution)["Work"] == "Succeeded"


def test_what_was_asked_long_ago_must_be_asked_again(doors: Doors) -> None:
    work = {"name": "Work", "actions": [action("Do", "NoOp")]}
    doors.house.apply(pipeline(source(), work))
    doors.house.commands.freeze(Scope("shop", "Work"), ANNE, reason="the fair")
    execution = doors.house.start()
    doors.house.wait(6, step=2)
    doors.house.commands.override(execution, "Work", ANNE, reason="now")
    assert "Confirm, and open" in doors.browser().get("/pipelines/shop").text
    doors.house.clock.advance(3600)
    assert "Confirm, and open" not in doors.browser().get("/pipelines/shop").text


# --- Quarantine, audit --------------------------------------------------------------------------


def test_a_digest_of_any_pipeline_is_released_with_a_reason(doors: Doors) -> None:
    quarantine(doors, GOOD, BAD)
    browser = doors.browser()
    page = text_of(browser.get("/quarantine").text)
    assert page.index(BAD) < page.index(GOOD), "the newest first"
    assert "it was slow" in page and 'href="/console/pipelines/shop"' in page
    assert post(browser, "/quarantine/release", digest=BAD, reason=" ").status_code == 422
    assert post(browser, "/quarantine/release", digest=BAD, reason="network").status_code == 303
    assert BAD not in browser.get("/quarantine").text
    gone = post(browser, "/quarantine/release", digest=BAD, reason="network")
    assert gone.status_code == 404 and "is not in quarantine" in gone.text


def test_the_audit_page_tells_who_decided_what_and_the_head_of_the_chain(doors: Doors) -> None:
    doors.house.apply(pipeline(source(), deploying("Prod")))
    doors.house.apply(pipeline(source(), deploying("Prod"), name="other"))
    form = {"stage": "Prod", "reason": "the fair"}
    post(doors.browser(Role.RELEASE_MANAGER), "/pipelines/shop/close", **form)
    page = doors.browser().get("/audit?pipeline=shop").text
    assert "<strong>release-manager</strong>" in page and ">console<" in page
    assert "transition disabled" in page and "the fair" in page
    assert ">other<" not in page
    with doors.house.database.read() as connection:
        head = audit.head(connection)
    assert str(head) in page and head != Head()


# --- Accounts and health ------------------------------------------------------------------------


def test_roles_are_for_who_may_change_accounts_and_the_external_id_for_nobody(doors: Doors) -> None:
    pages = {role: doors.browser(role).get("/accounts").text for role in (Role.VIEWER, Role.ADMIN)}
    prod = account("prod")
    assert all(prod.id in page and "eu-west-1" in page for page in pages.values())
    assert prod.roles.deploy in pages[Role.ADMIN] and "arn:aws" not in pages[Role.VIEWER]
    assert not any("external-" in page for page in pages.values())


def test_who_does_not_answer_is_named_with_the_account(doors: Doors) -> None:
    for _ in range(5):
        doors.breakers.unanswered(("prod", "eu-west-1", "codedeploy", False))
    doors.breakers.unanswered(("prod", "eu-west-1", "s3", True))
    page = text_of(doors.browser(Role.VIEWER).get("/accounts").text)
    prod = page.split('id="account-prod"')[1]
    assert "codedeploy</strong> in eu-west-1<" in prod and "is left alone" in prod
    assert "s3</strong> in eu-west-1 for rollbacks" in prod and "did not answer its last" in prod
    assert "No call of this replica is unanswered." in page.split('id="account-prod"')[0]
    doors.breakers.answered(("prod", "eu-west-1", "codedeploy", False))
    assert "is left alone" not in doors.browser().get("/accounts").text


def test_what_ails_the_installation_is_told_to_all_and_what_is_well_to_the_doctors(
    doors: Doors,
) -> None:
    viewer, manager = doors.browser(Role.VIEWER), doors.browser(Role.RELEASE_MANAGER)
    assert "Nothing is wrong with it" in viewer.get("/accounts").text
    assert "all are of this version" in manager.get("/accounts").text
    doors.unready["engine"] = "no turn for 42 s"
    with doors.house.database.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
    page = text_of(viewer.get("/accounts").text)
    assert "no turn for 42 s" in page and "schema</strong> <span" in page
    assert "all are of this version" not in page


# --- The fleet ----------------------------------------------------------------------------------


@pytest.fixture
def drifting(doors: Doors) -> Doors:
    """Test has what Prod, whose way in is closed, has not."""
    house = doors.house
    house.apply(pipeline(source(), deploying("Test"), deploying("Prod")))
    house.start()
    house.wait(30)
    house.commands.disable_transition("shop", "Prod", ANNE, reason="the fair")
    house.drivers["S3"].default = source_of(BAD)
    house.start()
    house.wait(30)
    return doors


def test_the_list_says_how_long_a_digest_stands_how_it_fares_and_where_stages_differ(
    drifting: Doors,
) -> None:
    drifting.house.clock.advance(2 * 86400)
    page = text_of(drifting.browser(Role.VIEWER).get("/").text)
    test, prod = page.split('class="stop-name">')[2:4]
    assert BAD in test and "known good" in test and "2 d" in test
    assert GOOD in prod and "not what Test has" in prod
    assert "not what" not in test
    assert "2 digests stand" in page


def test_stages_with_one_digest_do_not_drift(doors: Doors) -> None:
    doors.house.apply(pipeline(source(), deploying("Test"), deploying("Prod")))
    doors.house.start()
    doors.house.wait(30)
    page = doors.browser().get("/").text
    assert "one digest in all" in page and "not what" not in page


def test_a_digest_on_many_targets_is_told_once_and_as_on_the_worst_of_them() -> None:
    def on(name: str, digest: str, status: str, since: str) -> dict[str, Any]:
        return {
            "target": name,
            "account": "prod",
            "digest": digest,
            "status": status,
            "quarantined": False,
            "since": since,
        }

    targets = [on("a", GOOD, "GOOD", "1"), on("b", GOOD, "BAD", "2"), on("c", "", "", "")]
    targets += [on(str(n), str(n), "GOOD", "1") for n in range(4)]
    glance = {"name": "Prod", "type": "STANDARD", "status": "Succeeded", "waitsFor": "", "held": ""}
    stage = fleet._stage({**glance, "targets": targets}, {"prod": "production"})
    first = stage["digests"][0]
    assert (first["targets"], first["said"].words, first["since"]) == (2, "bad", "2")
    assert fleet._rank("A NEWER WORD") < fleet._rank("BAD")
    assert (len(stage["digests"]), stage["more"], stage["environment"]) == (2, 3, "production")
