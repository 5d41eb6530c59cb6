"""freeze, unfreeze, override and resolve, as they are typed."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from controlplane.cli import app
from controlplane.sandbox.scripted import judging
from controlplane.store.roles import Role
from monitors.base import Verdict
from tests.support.doors import Doors, served
from tests.support.house import action, gated, pipeline, rule, source


@pytest.fixture
def doors(tmp_path: Path) -> Doors:
    made = Doors(tmp_path)
    alarm = rule("Quiet", "CloudWatchAlarm", configuration={"AlarmName": "errors"})
    made.house.drivers["AlarmAtGate"].default = judging(Verdict.FAIL)
    work = {"name": "Work", "actions": [action("Do", "NoOp")]}
    made.house.apply(pipeline(source(), gated(work, alarm)))
    return made


@pytest.fixture
def url(doors: Doors) -> Iterator[str]:
    with served(doors.app) as found:
        yield found


def typed(doors: Doors, url: str, line: str, role: Role = Role.ADMIN) -> tuple[int, str]:
    """What a person sees who types `towpath ...`; words hold no spaces."""
    env = {**os.environ, "TOWPATH_URL": url, "TOWPATH_TOKEN": doors.tokens[role]}
    command = [sys.executable, "-m", "controlplane.cli", *line.split()]
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
    return done.returncode, done.stdout + done.stderr


def test_a_freeze_is_set_seen_and_lifted(doors: Doors, url: str) -> None:
    code, said = typed(doors, url, "freeze shop --stage Work --until 2h -m fair")
    assert code == 0 and "towpath unfreeze 1" in said
    assert "fair" in typed(doors, url, "get freezes")[1]
    assert typed(doors, url, "unfreeze 1 -m over --yes") == (0, "lifted\n")


@pytest.mark.parametrize(
    "line",
    [
        "freeze -m fair",
        "freeze shop --all -m fair",
        "freeze shop --until tomorrow -m fair",
        "freeze shop --until 2099-01-01T00:00:00 -m fair",
        "freeze shop --until 9999-12-31T23:59-12:00 -m fair",
        "freeze shop",
    ],
)
def test_a_freeze_that_is_not_understood_is_a_usage_error(line: str) -> None:
    assert CliRunner().invoke(app, line.split()).exit_code == 2


def test_two_people_type_the_same_line_and_the_gate_opens(doors: Doors, url: str) -> None:
    execution = doors.house.start()
    doors.house.wait(6, step=2)
    line = f"override {execution} Work -m fix"
    first = typed(doors, url, line, Role.RELEASE_MANAGER)[1]
    assert "asked" in first and "another person may confirm" in first
    assert typed(doors, url, line) == (0, "opened by release-manager and admin\n")


def test_an_incident_is_listed_and_resolved_by_hand(doors: Doors, url: str) -> None:
    alert = {"status": "firing", "labels": {"alertname": "Down"}, "fingerprint": "ab12"}
    doors.client().post("/api/v1/incidents/alertmanager", json={"alerts": [alert]})
    assert "Down" in typed(doors, url, "get incidents")[1]
    assert typed(doors, url, "resolve alertmanager:ab12 -m mended") == (0, "resolved\n")
