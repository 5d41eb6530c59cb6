"""Signing in by the OpenID provider: what is proven, and what is refused in words."""

import html
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from controlplane.console import browsers
from controlplane.console.leaving import KEPT as ID_TOKEN
from controlplane.console.session import COOKIE
from controlplane.console.signing_in import PENDING
from controlplane.identity.attempts import MOST, MOST_OF_MANY
from controlplane.store import audit, sessions
from tests.support.doors import InProcess
from tests.support.signing_in import Signing

RELEASE = {"groups": ["release"]}


@pytest.fixture
def doors(tmp_path: Path) -> Signing:
    return Signing(tmp_path)


def csrf_of(browser: httpx.Client) -> str:
    return browser.get("/").text.split('name="csrf" value="')[1].split('"')[0]


def test_whom_the_provider_signs_in_has_a_session_and_the_grants_of_his_groups(
    doors: Signing,
) -> None:
    browser = doors.visitor()
    answer = doors.sign_in(browser, groups=["release", "lunch"])
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/freezes")
    assert "HttpOnly" in answer.headers["set-cookie"]
    assert PENDING not in browser.cookies and COOKIE in browser.cookies
    page = browser.get("/").text
    assert "anne" in page and "approver on shop/*" in page
    with doors.house.database.read() as connection:
        (row,) = sessions.live(connection, doors.house._now())
        signed = sessions.find(connection, row.id, doors.house._now())
    assert signed is not None and signed.groups == {"release", "lunch"}
    assert signed.person.startswith("oidc:")


def test_what_is_asked_of_the_provider_is_a_code_with_pkce_nonce_and_state(doors: Signing) -> None:
    sent = doors.visitor().get("/login/provider")
    asked = parse_qs(urlsplit(sent.headers["location"]).query)
    assert sent.headers["location"].startswith("https://id.example/authorize?")
    assert asked["response_type"] == ["code"] and asked["code_challenge_method"] == ["S256"]
    assert asked["redirect_uri"] == ["http://towpath/console/login/callback"]
    assert min(len(asked[word][0]) for word in ("state", "nonce", "code_challenge")) >= 43


def test_the_login_page_offers_it_where_it_is_set(doors: Signing) -> None:
    assert "/console/login/provider?next=" in doors.visitor().get("/login").text


def test_a_forged_state_is_refused_in_words(doors: Signing) -> None:
    browser = doors.visitor()
    back = doors.away(browser)
    answer = browser.get("/login/callback", params={**back, "state": "forged"})
    assert (answer.status_code, "belongs to another sign-in" in answer.text) == (400, True)
    assert COOKIE not in browser.cookies and PENDING not in browser.cookies


def test_a_browser_that_began_nothing_cannot_be_signed_in_as_another(doors: Signing) -> None:
    back = doors.away(doors.visitor())
    victim = doors.visitor()
    answer = victim.get("/login/callback", params=back)
    assert (answer.status_code, "has begun no sign-in" in answer.text) == (400, True)
    assert COOKIE not in victim.cookies


def test_a_login_counts_once(doors: Signing) -> None:
    browser = doors.visitor()
    doors.provider.person |= RELEASE
    back = doors.away(browser)
    kept = browser.cookies[PENDING]
    assert browser.get("/login/callback", params=back).status_code == 303
    again = doors.visitor()
    again.cookies.set(PENDING, kept)
    answer = again.get("/login/callback", params=back)
    assert (answer.status_code, "finished already" in answer.text) == (400, True)


def test_a_login_that_takes_too_long_is_begun_again(doors: Signing) -> None:
    browser = doors.visitor()
    back = doors.away(browser)
    doors.house.clock.advance(601)
    answer = browser.get("/login/callback", params=back)
    assert (answer.status_code, "over 10 minutes" in answer.text) == (400, True)


@pytest.mark.parametrize(
    ("lie", "said"),
    [
        ({"nonce": "another"}, "nonce"),
        ({"aud": "another"}, "audience"),
        ({"iss": "https://evil.example"}, "issuer"),
        ({"exp": 1}, "expired"),
        ({"azp": "another"}, "azp"),
        ({"aud": ["towpath", "another"]}, "azp"),
    ],
)
def test_an_id_token_that_is_not_for_this_login_is_refused(
    doors: Signing, lie: dict[str, object], said: str
) -> None:
    browser = doors.visitor()
    answer = doors.sign_in(browser, **RELEASE, **lie)
    assert (answer.status_code, said in answer.text) == (400, True)
    assert COOKIE not in browser.cookies


def test_a_code_is_worth_nothing_without_the_browser_that_asked_for_it(doors: Signing) -> None:
    stolen = doors.away(doors.visitor())["code"]
    thief = doors.visitor()
    back = doors.away(thief)
    answer = thief.get("/login/callback", params={**back, "code": stolen})
    assert (answer.status_code, "invalid_grant" in answer.text) == (400, True)


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"groups": []}, "TOWPATH_GRANTS"),
        ({"groups": "lunch"}, "TOWPATH_GRANTS"),
        ({"groups": ["*"]}, "TOWPATH_GRANTS"),
        ({"groups": ["release"], "preferred_username": None}, "preferred_username"),
        ({"groups": ["release"], "preferred_username": "a\nb"}, "preferred_username"),
    ],
)
def test_who_has_no_grants_or_no_name_is_told_so(
    doors: Signing, claims: dict[str, object], said: str
) -> None:
    answer = doors.sign_in(doors.visitor(), **claims)
    assert (answer.status_code, said in answer.text) == (403, True)


def test_the_refusal_of_the_provider_is_told(doors: Signing) -> None:
    doors.provider.refuses = "access_denied"
    answer = doors.sign_in(doors.visitor())
    assert (answer.status_code, "has not signed you in" in answer.text) == (400, True)


def test_who_renames_himself_is_one_person_still(doors: Signing) -> None:
    persons = []
    for name in ("anne", "anna"):
        doors.sign_in(doors.visitor(), preferred_username=name, **RELEASE)
    with doors.house.database.read() as connection:
        persons = [(row.name, row.person) for row in sessions.live(connection, 0.0)]
    assert {name for name, _ in persons} == {"anne", "anna"}
    assert len({person for _, person in persons}) == 1


def test_signing_out_ends_the_session_wherever_its_cookie_is(doors: Signing) -> None:
    browser, thief = doors.visitor(), doors.visitor()
    doors.sign_in(browser, **RELEASE)
    thief.cookies.set(COOKIE, browser.cookies[COOKIE], path="/console")
    assert thief.get("/").status_code == 200
    browser.post("/logout", data={"csrf": csrf_of(browser)})
    assert thief.get("/").status_code == 303


def test_who_signs_out_is_signed_out_at_the_provider_too_and_comes_back(doors: Signing) -> None:
    doors.provider.after = frozenset({"http://towpath/console/login"})
    browser = doors.visitor()
    doors.sign_in(browser, **RELEASE)
    kept = browser.cookies[ID_TOKEN]
    assert len(kept) < 4_000 and "eyJ" not in kept
    page = browser.post("/logout", data={"csrf": csrf_of(browser)})
    there = html.unescape(page.text.split("0;url=")[1].split('"')[0])
    assert page.status_code == 200 and "You are signed out of Towpath" in page.text
    assert ID_TOKEN not in browser.cookies and COOKIE not in browser.cookies
    assert (
        there.startswith("https://id.example/end?from=towpath&") and not doors.provider.signed_out
    )
    with httpx.Client(transport=InProcess(doors.provider.app)) as outside:
        back = outside.get(there)
    assert (back.headers["location"], doors.provider.signed_out) == (
        "http://towpath/console/login",
        ["u1"],
    )


def test_without_its_id_token_a_browser_is_sent_there_all_the_same(doors: Signing) -> None:
    browser = doors.visitor()
    doors.sign_in(browser, **RELEASE)
    browser.cookies.delete(ID_TOKEN)
    page = browser.post("/logout", data={"csrf": csrf_of(browser)})
    there = parse_qs(urlsplit(html.unescape(page.text.split("0;url=")[1].split('"')[0])).query)
    assert "id_token_hint" not in there and there["client_id"] == ["towpath"]


def test_one_that_is_too_long_for_a_cookie_is_left_out(doors: Signing) -> None:
    browser = doors.visitor()
    doors.sign_in(browser, groups=["release", "x" * 3_000])
    assert ID_TOKEN not in browser.cookies


def test_a_provider_that_ends_no_sessions_is_not_gone_to(doors: Signing) -> None:
    doors.provider.ends_sessions = False
    browser = doors.visitor()
    doors.sign_in(browser, **RELEASE)
    gone = browser.post("/logout", data={"csrf": csrf_of(browser)})
    assert (gone.status_code, gone.headers["location"]) == (303, "/console/login")


def test_who_came_by_a_token_signs_out_here_alone(doors: Signing) -> None:
    browser = doors.browser()
    gone = browser.post("/logout", data={"csrf": csrf_of(browser)})
    assert (gone.status_code, gone.headers["location"]) == (303, "/console/login")


def test_an_admin_ends_a_session_of_somebody_else(doors: Signing) -> None:
    browser, admin = doors.visitor(), doors.client()
    doors.sign_in(browser, **RELEASE)
    (listed,) = admin.get("/api/v1/sessions").json()
    assert (listed["name"], listed["token"]) == ("anne", "")
    assert admin.delete(f"/api/v1/sessions/{listed['id']}").status_code == 204
    assert admin.delete(f"/api/v1/sessions/{listed['id']}").status_code == 404
    assert browser.get("/").status_code == 303


def test_what_is_decided_is_on_record_under_the_name_of_the_provider(doors: Signing) -> None:
    doors.waits_for_approval()
    browser = doors.visitor()
    doors.sign_in(browser, **RELEASE)
    row = doors.house.rows()[0]
    path = f"/executions/{row.id}/stages/Gate/approval"
    seen = browser.get(path).text.split('name="evidence" value="')[1].split('"')[0]
    form = {"csrf": csrf_of(browser), "evidence": seen, "verdict": "approve", "stage": "Gate"}
    assert browser.post(path, data=form).status_code == 303
    assert (
        browser.post("/pipelines/shop/rollback", data={**form, "reason": "so"}).status_code == 403
    )
    with doors.house.database.read() as connection:
        found = {one["kind"]: one for one in audit.entries(connection)}
    assert found["session.opened"]["text"].endswith("approver on shop/*")
    assert found["approval.answered"]["who"] == "anne"


def test_nobody_is_kept_out_by_an_address_that_anybodys_page_may_open(doors: Signing) -> None:
    stranger = doors.visitor()
    told = {stranger.get("/login/callback?state=a&code=b").status_code for _ in range(MOST + 1)}
    assert told == {400}
    wrong = {"token": "tp_wrong"}
    assert [stranger.post("/login", data=wrong).status_code for _ in range(MOST + 1)][-1] == 429
    assert doors.sign_in(doors.visitor(), **RELEASE).status_code == 303


FORGED = {"state": "forged", "code": "b"}


def test_failed_logins_of_a_browser_are_bounded_and_keep_out_no_other(doors: Signing) -> None:
    browser = doors.visitor()
    told = []
    for _ in range(MOST + 1):
        told.append(browser.get("/login/provider").status_code)
        told.append(browser.get("/login/callback", params=FORGED).status_code)
    assert told == [303, 400] * MOST + [429, 429]
    assert doors.sign_in(doors.visitor(), **RELEASE).status_code == 303
    doors.house.clock.advance(60)
    assert doors.sign_in(browser, **RELEASE).status_code == 303


def test_failed_logins_of_an_address_are_bounded_for_whoever_forgets_his_cookies(
    doors: Signing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browsers, "MOST_OF_MANY", MOST + 5)
    told = []
    for _ in range(MOST + 6):
        browser = doors.visitor()
        browser.get("/login/provider")
        browser.cookies.set(browsers.COOKIE, "mine.unsigned", path="/console/login")
        told.append(browser.get("/login/callback", params=FORGED).status_code)
    assert told == [400] * (MOST + 5) + [429]
    assert MOST_OF_MANY >= 20 * MOST


def test_a_provider_that_is_ill_is_nobodys_failure(doors: Signing) -> None:
    backs = [(browser := doors.visitor(), doors.away(browser)) for _ in range(MOST + 1)]
    doors.provider.ill = True
    told = [one.get("/login/callback", params=back).status_code for one, back in backs]
    assert told == [503] * (MOST + 1)
    doors.provider.ill = False
    assert doors.sign_in(doors.visitor(), **RELEASE).status_code == 303
