"""Signing in, and what a session is worth."""

from pathlib import Path

import pytest

from controlplane.console.session import COOKIE
from controlplane.store.roles import Role
from tests.support.doors import SAME_SITE, Doors


@pytest.fixture
def doors(tmp_path: Path) -> Doors:
    return Doors(tmp_path)


def test_a_token_opens_a_session_that_scripts_and_other_sites_cannot_use(doors: Doors) -> None:
    token = doors.tokens[Role.VIEWER]
    answer = doors.client(None).post("/console/login", data={"token": token})
    cookie = answer.headers["set-cookie"]
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/")
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie and "Path=/console" in cookie
    assert token not in cookie


def test_the_cookie_is_for_https_only_where_browsers_come_by_https(tmp_path: Path) -> None:
    doors = Doors(tmp_path, public_url="https://towpath.example")
    form = {"token": doors.tokens[Role.VIEWER]}
    answer = doors.client(None).post("/console/login", data=form)
    assert "Secure" in answer.headers["set-cookie"]
    assert "max-age" in answer.headers["strict-transport-security"]


def test_a_monitorings_token_opens_no_session(doors: Doors) -> None:
    form = {"token": doors.tokens[Role.REPORTER]}
    answer = doors.client(None).post("/console/login", data=form)
    assert answer.status_code == 401 and "set-cookie" not in answer.headers


def test_a_session_ends_where_its_token_may_read_no_more(doors: Doors) -> None:
    browser = doors.browser(Role.VIEWER)
    with doors.house.database.begin() as connection:
        connection.exec_driver_sql("UPDATE api_token SET role = 'reporter' WHERE role = 'viewer'")
    assert browser.get("/").status_code == 303


def test_a_wrong_token_opens_nothing(doors: Doors) -> None:
    answer = doors.client(None).post("/console/login", data={"token": "tp_wrong"})
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers
    assert "unknown, revoked or expired" in answer.text
    assert "tp_wrong" not in answer.text


@pytest.mark.parametrize(
    ("asked", "goes"),
    [
        ("/console/pipelines/shop", "/console/pipelines/shop"),
        ("https://evil.example/", "/console/"),
        ("//evil.example/console/", "/console/"),
        ("/console/\\evil", "/console/"),
        ("/console/\r\nSet-Cookie: a=b", "/console/"),
    ],
)
def test_after_signing_in_the_browser_stays_here(doors: Doors, asked: str, goes: str) -> None:
    form = {"token": doors.tokens[Role.VIEWER], "next": asked}
    answer = doors.client(None).post("/console/login", data=form)
    assert answer.headers["location"] == goes


def test_who_is_signed_out_is_sent_to_sign_in_and_back(doors: Doors) -> None:
    answer = doors.client(None).get("/console/pipelines/shop")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/console/login?next=/console/pipelines/shop"


def test_a_link_in_slack_finds_the_session_by_a_page_of_ours(doors: Doors) -> None:
    from_slack = {"sec-fetch-site": "cross-site"}
    answer = doors.client(None).get("/console/pipelines/shop", headers=from_slack)
    assert answer.status_code == 200
    assert 'content="0;url=/console/pipelines/shop"' in answer.text


@pytest.mark.parametrize("change", ["role", "time", "signature", "rubbish"])
def test_a_changed_cookie_is_worth_nothing(doors: Doors, change: str) -> None:
    browser = doors.browser()
    token_id, expires, mac = browser.cookies[COOKIE].split(".")
    forged = {
        "role": f"tok-000000000000.{expires}.{mac}",
        "time": f"{token_id}.{int(expires) + 1}.{mac}",
        "signature": f"{token_id}.{expires}.{'0' * 64}",
        "rubbish": "é",
    }[change]
    headers = {b"cookie": f"{COOKIE}={forged}".encode("latin-1")}
    answer = doors.client(None).get("/console/", headers=headers)
    assert answer.status_code == 303


def test_a_session_ends_with_its_token_and_with_its_time(doors: Doors) -> None:
    browser = doors.browser(Role.VIEWER)
    assert browser.get("/").status_code == 200
    doors.house.clock.advance(12 * 3600)
    assert browser.get("/").status_code == 303
    browser = doors.browser(Role.VIEWER)
    listed = doors.client().get("/api/v1/tokens").json()
    mine = next(row["id"] for row in listed if row["name"] == "viewer")
    doors.client().delete(f"/api/v1/tokens/{mine}")
    assert browser.get("/").status_code == 303


def test_signing_out_forgets_the_cookie(doors: Doors) -> None:
    browser = doors.browser()
    page = browser.get("/").text
    csrf = page.split('name="csrf" value="')[1].split('"')[0]
    assert browser.post("/logout", data={"csrf": "wrong"}).status_code == 403
    assert browser.post("/logout", data={"csrf": csrf}).status_code == 303
    assert browser.get("/").status_code == 303


def test_another_site_cannot_sign_a_browser_in(doors: Doors) -> None:
    form = {"token": doors.tokens[Role.VIEWER]}
    headers = {**SAME_SITE, "sec-fetch-site": "cross-site"}
    answer = doors.client(None).post("/console/login", data=form, headers=headers)
    assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)
