"""Failed sign-ins: so many of a client, and then it waits."""

from pathlib import Path

import pytest

from controlplane.identity import attempts
from controlplane.identity.attempts import MOST, Attempts, TooManyAttemptsError
from controlplane.store import audit
from controlplane.store.roles import Role
from tests.support.doors import Doors


class Time:
    at = 0.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def time() -> Time:
    return Time()


def test_a_client_waits_after_too_many_and_no_other_does(time: Time) -> None:
    counted = Attempts(time)
    for _ in range(MOST):
        counted.check("a")
        counted.failed("a")
    time.at = 20.0
    with pytest.raises(TooManyAttemptsError) as found:
        counted.check("a")
    assert found.value.retry_after == 40
    counted.check("b")
    time.at = 60.0
    counted.check("a")


def test_the_first_and_the_last_of_a_window_are_told_and_no_flood_is(time: Time) -> None:
    counted = Attempts(time)
    assert [counted.failed("a") for _ in range(MOST + 2)] == [
        True,
        *[False] * 8,
        True,
        False,
        False,
    ]
    told = [counted.failed(f"client {number}") for number in range(500)]
    assert sum(told) == attempts.TOLD - 2
    time.at = attempts.HOUR
    assert counted.failed("b")


def test_what_is_counted_for_another_too_is_told_of_him_alone(time: Time) -> None:
    counted = Attempts(time)
    assert not counted.failed("a browser", tells=False)
    assert counted._told.failures == 0
    assert counted.failed("its address")


def test_so_many_clients_are_remembered_and_no_more(
    time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "CLIENTS", 3)
    counted = Attempts(time)
    for number in range(10):
        counted.failed(str(number))
    assert list(counted._clients) == ["7", "8", "9"]


def test_wrong_tokens_are_429_after_a_while_and_a_right_one_is_let_in(tmp_path: Path) -> None:
    doors = Doors(tmp_path)
    wrong = {"authorization": "Bearer tp_wrong"}
    nobody = doors.client(None)
    told = [nobody.get("/api/v1/schema", headers=wrong).status_code for _ in range(MOST + 1)]
    assert told == [401] * MOST + [429]
    answer = nobody.get("/api/v1/schema", headers=wrong)
    assert answer.headers["retry-after"] == "60" and "tp_wrong" not in answer.text
    assert doors.client(Role.VIEWER).get("/api/v1/schema").status_code == 200
    doors.house.clock.advance(60)
    assert nobody.get("/api/v1/schema", headers=wrong).status_code == 401
    with doors.house.database.read() as connection:
        entries = [one for one in audit.entries(connection) if one["kind"] == "sign-in.refused"]
    assert [one["who"] for one in entries] == ["nobody"] * 3


def test_the_consoles_door_is_closed_to_who_guesses_and_to_nobody_else(tmp_path: Path) -> None:
    doors = Doors(tmp_path)
    nobody = doors.client(None)
    form = {"token": "tp_wrong"}
    told = [nobody.post("/console/login", data=form).status_code for _ in range(MOST + 1)]
    assert told == [401] * MOST + [429]
    answer = nobody.post("/console/login", data=form)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "60")
    right = {"token": doors.tokens[Role.VIEWER]}
    assert nobody.post("/console/login", data=right).status_code == 303
    doors.house.clock.advance(60)
    assert nobody.post("/console/login", data=form).status_code == 401
