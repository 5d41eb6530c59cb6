"""The page that says why: whole without JavaScript, and nothing in it is markup from outside."""

import json
from html import unescape
from pathlib import Path

import pytest

from controlplane.console.drawing import HEIGHT, WIDTH, drawing
from controlplane.console.policy import CONTENT_SECURITY
from controlplane.sandbox.scripted import after
from controlplane.store.roles import Role
from monitors.base import Outcome
from tests.support.doors import Doors
from tests.support.explained import AFTER, rolled_back
from tests.support.house import action, deploying, pipeline, source

AWS = "https://eu-west-1.console.aws.amazon.com"
HOSTILE = "<script>alert(1)</script>\"'&"


@pytest.fixture
def doors(tmp_path: Path) -> Doors:
    return Doors(tmp_path)


def test_the_page_tells_the_verdict_the_decision_and_the_rollback(doors: Doors) -> None:
    bad = rolled_back(doors.house)
    page = doors.browser(Role.VIEWER).get(f"/executions/{bad}").text
    assert "Prod was rolled back" in page
    assert "bad signal by Alarm → roll back" in page
    assert "Rollback of Prod: done" in page
    assert f'href="/console/executions/{doors.house.rows()[0].id}"' in page


def test_an_open_execution_says_what_comes_next_and_where_it_acts(doors: Doors) -> None:
    stage = deploying("Prod", bake="60s")
    alarm = stage["onSuccess"]["conditions"][0]["rules"][0]
    alarm["configuration"]["Account"], alarm["region"] = "prod", "eu-west-1"
    doors.house.apply(pipeline(source(), stage))
    page = doors.browser().get(f"/executions/{doors.house.start()}").text
    assert "What comes next" in page and 'datetime="2026-01-05T09:01:00.000Z">09:01:00' in page
    assert f"CodeDeploy in prod ({doors.registry.get('prod').id})" in page
    assert f'href="{AWS}/cloudwatch/home?region=eu-west-1#alarmsV2:alarm/errors"' in page


def test_the_series_is_drawn_without_javascript_and_given_to_it(doors: Doors) -> None:
    page = doors.browser().get(f"/executions/{rolled_back(doors.house)}").text
    assert '<polyline class="before"' in page and '<polyline class="after"' in page
    assert '<line class="deployed"' in page
    given = json.loads(unescape(page.split('data-chart="')[1].split('"')[0]))
    assert [value for _, value in given["after"]] == list(AFTER)


def test_nothing_on_it_is_inline_or_from_elsewhere(doors: Doors) -> None:
    answer = doors.browser().get(f"/executions/{rolled_back(doors.house)}")
    assert answer.headers["content-security-policy"] == CONTENT_SECURITY
    assert " style=" not in answer.text and "<style" not in answer.text
    assert "http://" not in answer.text and "https://" not in answer.text
    scripts = [part.split(">")[0] for part in answer.text.split("<script")[1:]]
    assert all(' src="/console/static/' in script for script in scripts)


def test_text_from_outside_stays_text(doors: Doors) -> None:
    doors.house.apply(pipeline(source(), {"name": "Prod", "actions": [action("Try", "NoOp")]}))
    doors.house.drivers["NoOp"].default = after(0, Outcome.FAILED, HOSTILE)
    page = doors.browser().get(f"/executions/{doors.house.start()}").text
    assert "&lt;script&gt;alert(1)" in page and "<script>alert" not in page


def test_the_page_of_a_pipeline_leads_there(doors: Doors) -> None:
    bad = rolled_back(doors.house)
    assert f'href="/console/executions/{bad}"' in doors.browser().get("/pipelines/shop").text


def test_an_unknown_execution_is_a_page_that_leads_back(doors: Doors) -> None:
    answer = doors.browser().get("/executions/nope")
    assert answer.status_code == 404 and 'href="/console/"' in answer.text


def test_a_flat_line_and_a_far_limit_stay_in_the_picture() -> None:
    flat = {"before": [[0, 5.0]], "after": [[1, 5.0]], "deployedAt": 0.5, "threshold": 500.0}
    drawn = drawing(flat)
    places = [xy.split(",") for side in ("before", "after") for xy in drawn[side].split()]
    assert all(0 <= float(x) <= WIDTH and 0 <= float(y) <= HEIGHT for x, y in places)
    assert 0 <= float(drawn["limit"]) < float(places[0][1])
