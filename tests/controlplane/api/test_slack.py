"""Slack's door by HTTP: what it takes, and what it reads no further."""

from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from controlplane.sandbox.slack_signing import signed
from tests.support.doors import SLACK_SECRET, Doors

PATH = "/slack/interactivity"


@pytest.fixture
def doors(tmp_path: Path) -> Doors:
    return Doors(tmp_path)


def test_a_role_that_there_is_not_is_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="U3 has role 'boss'"):
        Doors(tmp_path, slack_people={"U3": {"name": "vi", "role": "boss"}})


def test_an_oversize_press_is_read_no_further_than_its_bound(doors: Doors) -> None:
    pieces = iter([b"x" * 10_000] * 50)
    answer = doors.client(None).post(PATH, content=pieces)
    assert answer.status_code == 413
    assert len(list(pieces)) > 40


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"payload=",
        b"payload=%5B" + b"%5B" * 20_000,
        b"payload=1&payload=2",
        b"\xff\xfe",
        b"payload=" + b"9" * 10_000,
        b'{"type": "event_callback"}',
        urlencode({"payload": '{"type": "view_submission", "view": {}}'}).encode(),
    ],
)
def test_what_can_not_be_read_is_refused_and_stores_nothing(doors: Doors, raw: bytes) -> None:
    headers: dict[str, Any] = signed(raw, doors.house.clock(), SLACK_SECRET)
    answer = doors.client(None).post(PATH, content=raw, headers=headers)
    assert answer.status_code in (400, 404)
    with doors.house.database.read() as connection:
        assert not connection.exec_driver_sql("SELECT count(*) FROM slack_inbox").scalar()
