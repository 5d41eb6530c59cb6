"""Forms: every move, who may make it, and that only a page of the session can ask for one."""

from pathlib import Path

import httpx
import pytest

from controlplane.console.moves import MOVES, On
from controlplane.console.pages import DONE
from controlplane.sandbox.scripted import judging, source_of
from controlplane.store.roles import Role
from monitors.base import Verdict
from tests.support.doors import Doors
from tests.support.house import BAD, deploying, pipeline, source

PAGE = "/pipelines/shop"
MANAGER = {"release-manager", "admin"}
MAY = {
    "start": {"developer", *MANAGER},
    "stop": {"developer", *MANAGER},
    "retry": {"developer", *MANAGER},
    "rollback": MANAGER,
    "pass": MANAGER,
    "extend": MANAGER,
    "open": MANAGER,
    "close": MANAGER,
    "override": MANAGER,
    "lift": MANAGER,
    "release": MANAGER,
    "freeze": MANAGER,
    "unfreeze": MANAGER,
    "resolve": MANAGER,
}
PAGES = {On.PIPELINE: PAGE, On.FREEZES: "/freezes", On.QUARANTINE: "/quarantine"}


@pytest.fixture
def doors(tmp_path: Path) -> Doors:
    return Doors(tmp_path)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Doors:
    """Doors with a pipeline, for tests that look only at whether they are let in."""
    doors = Doors(tmp_path_factory.mktemp("shop"))
    doors.house.apply(pipeline(source(), deploying("Prod")))
    return doors


def csrf_of(browser: httpx.Client) -> str:
    return browser.get(PAGE).text.split('name="csrf" value="')[1].split('"')[0]


def post(browser: httpx.Client, move: str, **form: str) -> httpx.Response:
    address = f"{PAGES[MOVES[move].on]}/{move}"
    return browser.post(address, data={"csrf": csrf_of(browser), **form})


def test_every_move_is_in_the_table_and_has_its_word() -> None:
    assert set(MAY) == set(MOVES) == set(DONE) - {"approve", "reject"}


CANNOT_SIGN_IN = {Role.REPORTER, Role.JOB_WORKER}


@pytest.mark.parametrize("move", MAY)
@pytest.mark.parametrize("role", sorted(set(Role) - CANNOT_SIGN_IN))
def test_a_role_may_what_the_table_says(shop: Doors, move: str, role: Role) -> None:
    answer = post(shop.browser(role), move, pipeline="shop", stage="Prod", reason="so")
    assert (answer.status_code != 403) == (role in MAY[move])


def test_a_move_is_made_on_its_own_page_only(shop: Doors) -> None:
    browser, before = shop.browser(), shop.events()
    csrf = csrf_of(browser)
    for on, page in PAGES.items():
        for move in (name for name, known in MOVES.items() if known.on is not on):
            answer = browser.post(f"{page}/{move}", data={"csrf": csrf})
            assert (answer.status_code, "no such move" in answer.text) == (404, True)
    assert shop.events() == before


@pytest.mark.parametrize("csrf", ["", "0" * 64, "é", "of another session"])
def test_a_form_without_the_sessions_token_changes_nothing(doors: Doors, csrf: str) -> None:
    doors.waits_for_approval()
    browser, before = doors.browser(Role.RELEASE_MANAGER), doors.events()
    given = csrf_of(doors.browser(Role.ADMIN)) if "another" in csrf else csrf
    form = {"csrf": given, "stage": "Prod", "reason": "so"}
    assert browser.post(f"{PAGE}/close", data=form).status_code == 403
    assert doors.events() == before


def test_a_form_of_another_site_changes_nothing(doors: Doors) -> None:
    doors.house.apply(pipeline(source(), deploying("Prod")))
    browser, before = doors.browser(), doors.events()
    form, site = {"csrf": csrf_of(browser)}, {"sec-fetch-site": "cross-site"}
    assert browser.post(f"{PAGE}/start", data=form, headers=site).status_code == 403
    assert doors.events() == before


def test_who_is_signed_out_is_told_that_nothing_was_done(doors: Doors) -> None:
    answer = doors.client(None).post(f"/console{PAGE}/start", data={"csrf": "x"})
    assert answer.status_code == 401
    assert "Nothing was changed" in answer.text


def test_the_way_in_is_closed_and_opened_with_a_reason(doors: Doors) -> None:
    doors.house.apply(pipeline(source(), deploying("Prod")))
    browser = doors.browser()
    assert post(browser, "close", stage="Prod", reason=" ").status_code == 422
    assert post(browser, "close", stage="Prod", reason="a freeze").status_code == 303
    assert "a freeze" in browser.get(PAGE).text
    assert post(browser, "open", stage="Prod", reason="over").status_code == 303
    assert "The way in is closed" not in browser.get(PAGE).text


def test_a_person_rolls_back_lifts_and_starts_again(doors: Doors) -> None:
    browser = doors.browser()
    doors.house.apply(pipeline(source(), deploying("Prod")))
    post(browser, "start")
    doors.house.wait(20)
    doors.house.drivers["S3"].default = source_of(BAD)
    doors.house.drivers["CloudWatchAlarm"].default = judging(Verdict.PASS)
    post(browser, "start")
    doors.house.wait(20)
    assert post(browser, "rollback", stage="Prod", reason="customers call").status_code == 303
    doors.house.wait(20)
    assert doors.house.rows()[0].rollback_state == "done"
    assert post(browser, "lift", digest=BAD, reason="it was the network").status_code == 303
    assert "Empty. A digest" in browser.get(PAGE).text


def test_a_viewer_sees_no_forms_but_the_one_that_signs_out(doors: Doors) -> None:
    doors.waits_for_approval()
    page = doors.browser(Role.VIEWER).get(PAGE).text
    assert page.count("<form") == 1
    assert "an approver decides" in page


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"\xff\xfe", "application/x-www-form-urlencoded"),
        (b"csrf=a&reason=%00", "application/x-www-form-urlencoded"),
        (b"--x", "multipart/form-data; boundary=y"),
        (b"{", "application/json"),
    ],
)
def test_a_broken_form_is_no_fault(doors: Doors, body: bytes, kind: str) -> None:
    doors.house.apply(pipeline(source(), deploying("Prod")))
    answer = doors.browser().post(f"{PAGE}/start", content=body, headers={"content-type": kind})
    assert 400 <= answer.status_code < 500


def test_an_oversize_form_is_refused(tmp_path: Path) -> None:
    doors = Doors(tmp_path, max_body_bytes=1_000)
    answer = doors.browser().post(f"{PAGE}/start", data={"reason": "x" * 2_000})
    assert answer.status_code == 413


def test_a_person_lets_a_bake_pass_that_asks(doors: Doors) -> None:
    doors.house.drivers["CloudWatchAlarm"].default = judging(Verdict.INCONCLUSIVE)
    doors.house.apply(pipeline(source(), deploying("Prod", ExtendUpTo="5s", Watch="1h")))
    execution, browser = doors.house.start(), doors.browser()
    doors.house.wait(20)
    assert "Let it pass" in browser.get(PAGE).text
    assert post(browser, "pass", execution=execution, stage="Prod", reason="so").status_code == 303
    page = browser.get(PAGE).text
    assert "a breach rolls it back" in page
    assert "Let it pass" not in page


def test_a_bake_is_extended_by_its_form(doors: Doors) -> None:
    doors.house.apply(pipeline(source(), deploying("Prod", bake="60s")))
    execution = doors.house.start()
    browser = doors.browser()
    page = browser.get(PAGE).text
    assert "Extend the bake…" in page and "so many minutes beyond 09:01:00 UTC" in page
    asked = {"execution": execution, "stage": "Prod", "reason": "odd"}
    refused = post(browser, "extend", **asked, minutes="0")
    assert (refused.status_code, "by 1 to 1440 minutes" in refused.text) == (422, True)
    assert post(browser, "extend", **asked, minutes="45").status_code == 303
    page = browser.get(f"{PAGE}?done=extend").text
    assert "It goes on for longer." in page and "has it bake until 09:46:00 UTC at least" in page
    doors.house.wait(2_760, step=20)
    assert "Extend the bake…" not in browser.get(PAGE).text
