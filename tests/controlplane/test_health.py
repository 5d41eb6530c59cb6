"""An installation that ails says what ails it, by name, and goes on with the rest."""

import errno
import logging
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from sqlalchemy import event, insert, update

from controlplane.engine import retention
from controlplane.engine.pushes import Pushes
from controlplane.engine.retention import Keep
from controlplane.engine.sources import Sources
from controlplane.settings import Settings
from controlplane.store import accounts, executions, replicas
from controlplane.store.replicas import Me
from controlplane.store.roles import Role
from controlplane.store.tables import AccountRow, Pipeline, PipelineVersion, table
from tests.support.doors import SAME_SITE, Doors, InProcess, account
from tests.support.house import ANNE, KEYS, deploying, pipeline, source


@pytest.fixture
def doors(tmp_path: Path) -> Doors:
    """Two pipelines: `shop`, and `till` whose stored structure cannot be read."""
    doors = Doors(tmp_path)
    for name in ("shop", "till"):
        doors.house.apply(pipeline(source(), deploying("Prod", watched=False), name=name))
    return doors


def poison(doors: Doors, name: str = "till") -> None:
    """Somebody stored what is no structure, as the newest version."""
    broken = {"pipeline": name, "version": 2, "declaration": "{}", "created_at": 0.0}
    newest = update(table(Pipeline)).where(table(Pipeline).c.name == name).values(version=2)
    with doors.house.database.begin() as connection:
        connection.execute(insert(table(PipelineVersion)), {**broken, "created_by": ""})
        connection.execute(newest)


def ready(doors: Doors) -> tuple[int, dict[str, Any]]:
    answer = doors.client(None).get("/readyz")
    return answer.status_code, answer.json()


def doctor(doors: Doors) -> dict[str, str]:
    """What is wrong, by operation."""
    found = doors.client().get("/api/v1/doctor").json()
    return {one["operation"]: one["message"] for one in found if not one["ok"]}


def test_where_nothing_ails_it_is_ready(doors: Doors) -> None:
    doors.health.beat()
    assert ready(doors) == (200, {"status": "ready", "problems": {}, "degraded": {}})
    assert doctor(doors) == {}


class TestABrokenStructure:
    """It is named, and every door goes on with the other pipelines."""

    def test_it_is_named_and_the_process_stays_ready(self, doors: Doors) -> None:
        poison(doors)
        status, said = ready(doors)
        assert (status, said["status"]) == (200, "degraded")
        assert "version 2 of pipeline till cannot be read" in said["degraded"]["rows"]
        assert "pipeline till" in doctor(doors)["installation:rows"]

    def test_the_listing_shows_it_beside_the_others(self, doors: Doors) -> None:
        poison(doors)
        shop, till = doors.client().get("/api/v1/pipelines").json()
        assert (shop["broken"], len(shop["stages"])) == ("", 2)
        assert "cannot be read" in till["broken"]
        assert "cannot be read" in doors.browser().get("/").text

    def test_its_own_page_and_state_say_so(self, doors: Doors) -> None:
        poison(doors)
        answer = doors.client().get("/api/v1/pipelines/till/state")
        assert answer.status_code == 500 and "apply the pipeline again" in answer.json()["detail"]
        assert "apply the pipeline again" in doors.browser().get("/pipelines/till").text

    def test_its_history_is_still_shown(self, doors: Doors) -> None:
        done = doors.house.start("till")
        poison(doors)
        client = doors.client()
        assert client.get("/api/v1/pipelines/till/executions").json()[0]["id"] == done
        assert client.get(f"/api/v1/executions/{done}").json()["stages"][1]["stage"] == "Prod"
        assert len(client.get("/api/v1/ledger/till").json()) == 1

    def test_what_runs_by_an_older_version_goes_on(self, doors: Doors) -> None:
        begun = doors.house.commands.start("till", ANNE)
        poison(doors)
        doors.house.settle()
        assert doors.house.execution(begun).status == "Succeeded"

    def test_the_sources_of_the_others_are_polled(self, doors: Doors) -> None:
        poison(doors)
        house = doors.house
        drivers = {KEYS[name]: driver for name, driver in house.drivers.items()}
        pushes = Pushes(house.database, house.structures, house._now)
        sources = Sources(house.database, house.structures, house.commands, drivers, pushes)
        assert [name for name, _ in sources._source_actions()] == ["shop"]

    def test_the_others_start_and_end(self, doors: Doors) -> None:
        poison(doors)
        assert doors.house.execution(doors.house.start("shop")).status == "Succeeded"

    def test_applying_it_again_mends_it(self, doors: Doors) -> None:
        poison(doors)
        doors.house.apply(pipeline(source(), deploying("Prod"), name="till"))
        assert ready(doors)[1]["status"] == "ready"


def test_a_broken_plan_is_named(doors: Doors) -> None:
    begun = doors.house.commands.start("shop", ANNE)
    broken = {"type": "ROLLBACK", "plan": "{"}
    with doors.house.database.begin() as connection:
        executions.update_execution(connection, begun, **broken)
    assert f"the plan of execution {begun} cannot be read" in ready(doors)[1]["degraded"]["rows"]


def test_a_broken_account_is_named_and_the_others_are_known(
    doors: Doors, caplog: pytest.LogCaptureFixture
) -> None:
    with doors.house.database.begin() as connection:
        accounts.put(connection, account("dev"), 0.0)
        row = {"name": "prod", "document": '{"externalId": "a secret"}', "updated_at": 0.0}
        connection.execute(insert(table(AccountRow)), row)
    with doors.house.database.read() as connection, caplog.at_level(logging.ERROR):
        assert [one.name for one in accounts.all_(connection)] == ["dev"]
    assert "stored account prod cannot be read" in ready(doors)[1]["degraded"]["rows"]
    assert "a secret" not in caplog.text


class TestReplicas:
    """Who runs beside us."""

    def test_one_of_another_version_is_named_until_it_goes(self, doors: Doors) -> None:
        other = Me("host/1/a", "0.0.9", "0002", 0.0)
        now = doors.house.clock().timestamp()
        with doors.house.database.begin() as connection:
            replicas.beat(connection, other, now)
        doors.health.beat()
        assert "host/1/a (0.0.9, schema 0002)" in ready(doors)[1]["degraded"]["replicas"]
        with doors.house.database.begin() as connection:
            replicas.leave(connection, other)
        assert ready(doors)[1]["degraded"] == {}

    def test_one_that_was_not_seen_for_a_minute_is_gone(self, doors: Doors) -> None:
        doors.health.beat()
        doors.house.clock.advance(61)
        with doors.house.database.read() as connection:
            assert not replicas.here(connection, doors.house.clock().timestamp())
        doors.health.beat()
        doors.health.leave()
        with doors.house.database.read() as connection:
            assert not replicas.here(connection, doors.house.clock().timestamp())


class TestADatabaseThatCannotBeWritten:
    """Reading goes on."""

    @pytest.fixture
    def signed_in(self, doors: Doors) -> httpx.Client:
        """Signing in is written down; who is in already goes on looking."""
        return doors.browser()

    @pytest.fixture
    def ill(self, doors: Doors, signed_in: httpx.Client) -> Doors:
        assert signed_in.get("/").status_code == 200
        engine = doors.house.database.engine
        event.listen(engine, "begin", lambda c: c.exec_driver_sql("PRAGMA query_only=1"))
        doors.house.clock.advance(120)  # the use of the tokens would be written down again
        return doors

    def test_pages_and_documents_are_still_answered(
        self, ill: Doors, signed_in: httpx.Client
    ) -> None:
        assert ill.client(Role.VIEWER).get("/api/v1/pipelines").status_code == 200
        assert signed_in.get("/").status_code == 200

    def test_nobody_is_signed_in_anew_and_the_reason_is_said(self, ill: Doors) -> None:
        form = {"token": ill.tokens[Role.ADMIN]}
        with httpx.Client(
            transport=InProcess(ill.app), base_url="http://towpath", headers=SAME_SITE
        ) as browser:
            answer = browser.post("/console/login", data=form)
        assert answer.status_code == 503
        assert "is read-only" in answer.text

    def test_a_move_is_refused_with_the_reason(self, ill: Doors) -> None:
        answer = ill.client().post("/api/v1/pipelines/shop/executions")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert "is read-only" in answer.json()["detail"]

    def test_it_is_named_where_people_look(self, ill: Doors) -> None:
        ill.health.beat()
        status, said = ready(ill)
        assert status == 503 and "is read-only" in said["problems"]["database"]
        assert "is read-only" in doctor(ill)["installation:database"]


def test_a_start_beyond_the_bound_hears_so_and_a_repeated_one_is_answered(tmp_path: Path) -> None:
    doors = Doors(tmp_path)
    doors.house.apply(pipeline(source(), name="shop", mode="QUEUED"))
    doors.house.commands._most_open = 2
    start, body = "/api/v1/pipelines/shop/executions", {"clientRequestToken": "a"}
    first = doors.client().post(start, json=body)
    doors.client().post(start)
    crowded = doors.client().post(start)
    assert (crowded.status_code, crowded.headers["retry-after"]) == (429, "30")
    assert doors.client().post(start, json=body).json() == first.json()


class TestTheArchive:
    """Finished executions leave the database only where their copy can be kept: what prevents it is named."""

    def test_a_folder_that_is_not_there_is_named(self, tmp_path: Path) -> None:
        doors = Doors(tmp_path, archive=str(tmp_path / "unmounted"))
        assert "create it, or mount" in ready(doors)[1]["degraded"]["archive"]
        assert "unmounted is no folder" in doctor(doors)["installation:archive"]

    def test_where_it_can_be_written_the_doctor_says_how_much_is_free(self, tmp_path: Path) -> None:
        doors = Doors(tmp_path, archive=str(tmp_path))
        assert ready(doors)[1]["degraded"] == {}
        found = doors.client().get("/api/v1/doctor").json()
        (said,) = [one["message"] for one in found if one["operation"] == "installation:archive"]
        assert re.fullmatch(rf"{tmp_path} can be written, \d+\.\d GiB is free", said)

    def test_too_little_room_is_named_before_there_is_none(self, tmp_path: Path) -> None:
        left = retention.wrong(Keep(90, tmp_path), lambda _: SimpleNamespace(free=1 << 29))
        assert left.startswith(f"the archive {tmp_path} has 0.5 GiB left: make room")

    def test_a_disk_that_does_not_answer_is_named(self, tmp_path: Path) -> None:
        def ails(_: Path) -> Any:
            raise OSError(errno.EIO, "Input/output error")

        assert "Input/output error" in retention.wrong(Keep(90, tmp_path), ails)

    @pytest.mark.parametrize(
        ("archive", "said"), [("", "stay for ever"), ("none", "without a copy")]
    )
    def test_where_nothing_is_kept_that_is_said(self, archive: str, said: str) -> None:
        keep = retention.wanted(Settings(archive=archive))
        assert (retention.wrong(keep), said in retention.fine(keep)) == ("", True)
