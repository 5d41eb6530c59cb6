"""Listings come in pages, by what the last page ended with."""

from pathlib import Path

import pytest

from controlplane.console import fleet
from controlplane.store import ledger
from tests.support.doors import Doors
from tests.support.house import deploying, pipeline, source


@pytest.fixture
def doors(tmp_path: Path) -> Doors:
    doors = Doors(tmp_path)
    for name in ("a", "b", "c"):
        doors.house.apply(pipeline(source(), deploying("Prod", watched=False), name=name))
    return doors


def test_pipelines_by_name(doors: Doors) -> None:
    client = doors.client()
    first = client.get("/api/v1/pipelines?limit=2").json()
    second = client.get("/api/v1/pipelines?limit=2&after=b").json()
    assert [one["name"] for one in first + second] == ["a", "b", "c"]
    assert client.get("/api/v1/pipelines?limit=101").status_code == 422


def test_the_ledger_by_id(doors: Doors) -> None:
    for _ in range(3):
        doors.house.start("a")
    client = doors.client()
    newest = client.get("/api/v1/ledger/a?limit=2").json()
    older = client.get(f"/api/v1/ledger/a?before={newest[-1]['id']}").json()
    assert [one["id"] for one in newest + older] == [3, 2, 1]


def test_the_quarantine_by_id(doors: Doors) -> None:
    for digest in ("sha256:1", "sha256:2"):
        row = {"digest": digest, "pipeline": "a", "execution_id": "", "reason": "", "at": 0.0}
        with doors.house.database.begin() as connection:
            ledger.put_in_quarantine(connection, {**row, "lifted_by": "", "lift_reason": ""})
    first = doors.client().get("/api/v1/quarantine?limit=1").json()
    second = doors.client().get(f"/api/v1/quarantine?after={first[0]['id']}").json()
    assert [one["digest"] for one in first + second] == ["sha256:1", "sha256:2"]


def test_the_console_leads_from_page_to_page(doors: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet, "PIPELINES", 2)
    browser = doors.browser()
    assert '/console/?after=b" rel="next"' in browser.get("/").text
    last = browser.get("/?after=b").text
    assert "pipelines/c" in last and "pipelines/a" not in last and 'rel="next"' not in last
