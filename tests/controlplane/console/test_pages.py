"""What the pages show, without JavaScript and without letting any text become markup."""

from pathlib import Path

import httpx
import pytest

from controlplane.console.policy import CONTENT_SECURITY
from controlplane.declarations.load import parse_text
from controlplane.sandbox.scripted import judging, source_of
from controlplane.store.roles import Role
from monitors.base import Verdict
from tests.support.doors import GOOD, Doors, asks_a_person
from tests.support.house import ANNE, BAD, action, deploying, pipeline, source
from tests.support.waved import waved

PAGE = "/pipelines/shop"
HOSTILE = "<script>alert(1)</script>\"'&"


@pytest.fixture
def doors(tmp_path: Path) -> Doors:
    return Doors(tmp_path)


def rolled_back(doors: Doors) -> None:
    doors.house.apply(pipeline(source(), deploying("Prod")))
    doors.house.start()
    doors.house.wait(20)
    doors.house.drivers["S3"].default = source_of(BAD)
    doors.house.drivers["CloudWatchAlarm"].default = judging(Verdict.PASS, Verdict.FAIL)
    doors.house.start()
    doors.house.wait(60)


def test_an_installation_without_pipelines_says_how_to_begin(doors: Doors) -> None:
    page = doors.browser(Role.VIEWER).get("/").text
    assert "No pipeline yet" in page and "towpath apply pipeline.yaml" in page


def test_a_pipeline_without_executions_says_how_one_begins(doors: Doors) -> None:
    doors.house.apply(pipeline(source(), deploying("Prod")))
    page = doors.browser(Role.VIEWER).get(PAGE).text
    assert "No execution yet" in page and "towpath start shop" in page
    assert "Nothing has come this far yet" in page


def test_waves_are_shown_as_a_plan_before_and_with_their_targets_as_they_go(doors: Doors) -> None:
    doors.house.apply(parse_text(waved()))
    page = doors.browser(Role.VIEWER).get(PAGE).text
    assert "wave 1 of 3: 1 target, waiting" in page
    doors.house.start()
    page = doors.browser(Role.VIEWER).get(PAGE).text
    assert "wave 1 of 3: 1 target, baking, 1 min left" in page
    assert "wave 2 of 3: 2 targets, waiting" in page


def test_the_list_shows_what_stands_where(doors: Doors) -> None:
    rolled_back(doors)
    page = doors.browser(Role.VIEWER).get("/").text
    assert GOOD[7:19] in page
    assert "Rolled back" in page and "way in closed" in page


def test_a_rolled_back_release_is_told_in_words(doors: Doors) -> None:
    rolled_back(doors)
    page = doors.browser(Role.VIEWER).get(PAGE).text
    assert "The way in is closed." in page
    assert "known good" in page
    assert "Quarantine" in page and BAD[7:19] in page
    assert "Rollback: done" in page
    assert "digest quarantined" in page


def test_a_bake_shows_its_progress_and_what_its_signals_say(doors: Doors) -> None:
    doors.house.apply(pipeline(source(), deploying("Prod", bake="60s")))
    doors.house.start()
    doors.house.wait(24)
    page = doors.browser(Role.VIEWER).get(PAGE).text
    assert '<progress max="60" value="24"' in page
    assert "healthy" in page and "said PASS" in page


def test_a_bake_that_silence_holds_says_so(doors: Doors) -> None:
    doors.house.drivers["CloudWatchAlarm"].default = judging(Verdict.NO_DATA)
    doors.house.apply(pipeline(source(), deploying("Prod")))
    doors.house.start()
    doors.house.wait(30)
    page = doors.browser(Role.VIEWER).get(PAGE).text
    assert "It cannot end: Alarm: NO_DATA" in page
    assert "silent" in page


def test_an_unknown_page_is_a_page_that_leads_back(doors: Doors) -> None:
    answer = doors.browser().get("/pipelines/nope")
    assert answer.status_code == 404
    assert "there is no pipeline" in answer.text and 'href="/console/"' in answer.text


def test_text_from_outside_stays_text(doors: Doors) -> None:
    given = {"CustomData": HOSTILE, "ExternalEntityLink": "javascript:alert(1)"}
    gate = {"name": "Gate", "actions": [action("Ask", "Manual", configuration=given)]}
    asks_a_person(doors.house)
    doors.house.apply(pipeline(source(), gate, deploying("Prod")))
    doors.house.start()
    doors.house.commands.disable_transition("shop", "Prod", ANNE, reason=HOSTILE)
    page = doors.browser().get(PAGE, params={"done": HOSTILE}).text
    assert page.count("&lt;script&gt;alert(1)") > 1, "the approval's note, and the reason"
    assert "<script>alert" not in page
    assert "javascript:" not in page


def test_pages_load_nothing_from_elsewhere_and_run_nothing_inline(doors: Doors) -> None:
    rolled_back(doors)
    answer = doors.browser().get(PAGE)
    assert answer.headers["content-security-policy"] == CONTENT_SECURITY
    assert "unsafe" not in CONTENT_SECURITY
    assert answer.headers["cache-control"] == "no-store"
    assert "<style" not in answer.text and " style=" not in answer.text
    assert " onclick=" not in answer.text
    assert "http://" not in answer.text and "https://" not in answer.text


def test_the_files_of_the_pages_are_served_without_a_session(doors: Doors) -> None:
    client: httpx.Client = doors.client(None)
    for name, kind in (("app.css", "text/css"), ("live.js", "javascript"), ("mark.svg", "svg")):
        answer = client.get(f"/console/static/{name}")
        assert answer.status_code == 200
        assert kind in answer.headers["content-type"]


def test_every_id_on_a_page_is_there_once(doors: Doors) -> None:
    rolled_back(doors)
    doors.house.start()
    ids = [part.split('"')[0] for part in doors.browser().get(PAGE).text.split(' id="')[1:]]
    assert len(ids) == len(set(ids))
