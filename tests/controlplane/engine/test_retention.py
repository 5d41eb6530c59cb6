"""Retention: what is old leaves for the archive; what somebody may still need stays, however old."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, insert, select

from controlplane.engine import retention
from controlplane.engine.retention import Keep
from controlplane.sandbox.scripted import after, judging, measuring, source_of
from controlplane.settings import Settings
from controlplane.store import archive, ledger, measurements, queries, series, tally
from controlplane.store.tables import Outbox, Started, table
from monitors.base import Judgement, Outcome, Verdict
from tests.support.house import ANNE, BAD, GOOD, House, action, deploying, pipeline, source

DAY = 86_400.0
PROD = "prod//shop/all"


@pytest.fixture
def house(empty: House) -> House:
    empty.in_step_with_ids()
    empty.apply(pipeline(source(), deploying("Prod", watched=False)))
    empty.apply(
        pipeline(source(), {"name": "Try", "actions": [action("Do", "NoOp")]}, name="other")
    )
    return empty


@pytest.fixture
def old(house: House) -> list[str]:
    """Three executions that went through a hundred days ago, the oldest first."""
    three = [later(house) for _ in range(3)]
    house.clock.advance(100 * DAY)
    house.start("other")  # the last numbers of all tables are its
    return three


def later(house: House) -> str:
    house.clock.advance(60)
    return house.start()


def run(house: House, folder: Path | None, days: float = 90, **more: Any) -> int:
    now = house.clock().timestamp()
    return retention.run_once(house.database, Keep(days, folder), now, pause=lambda _: None, **more)


def left(house: House) -> list[str]:
    return [row.id for row in reversed(house.rows())]


def archived(folder: Path) -> list[dict[str, Any]]:
    files = sorted(folder.glob("*/*.jsonl.gz"))
    return [json.loads(line) for file in files for line in gzip.open(file).read().splitlines()]


def test_what_stands_in_a_stage_stays_and_the_older_ones_go(
    house: House, old: list[str], tmp_path: Path
) -> None:
    assert run(house, tmp_path) == 2
    assert left(house) == old[2:]


def test_an_archived_execution_has_all_that_hung_on_it(
    house: House, old: list[str], tmp_path: Path
) -> None:
    run(house, tmp_path)
    first = archived(tmp_path)[0]
    assert first["execution"]["id"] == old[0]
    assert [stage["stage"] for stage in first["stages"]] == ["Source", "Prod"]
    assert {action["name"] for action in first["actions"]} == {"Upload", "Deploy"}
    assert first["events"][0]["kind"] == "execution.started"
    assert house.kinds(old[0]) == []


def test_what_is_young_stays(house: House, old: list[str], tmp_path: Path) -> None:
    assert run(house, tmp_path, days=101) == 0
    assert left(house) == old


def test_what_is_open_stays_however_old(house: House, tmp_path: Path) -> None:
    house.drivers["CodeDeploy"].default = after(1_000_000)
    waits = house.start()
    house.clock.advance(100 * DAY)
    house.drivers["CodeDeploy"].default = after(0)
    newer = house.commands.start("shop", ANNE)
    assert run(house, tmp_path) == 0
    assert left(house) == [waits, newer]


def test_what_took_long_and_ended_lately_stays(house: House, tmp_path: Path) -> None:
    house.drivers["CodeDeploy"].default = after(1_000_000)
    slow = house.start()
    house.clock.advance(100 * DAY)
    house.commands.stop(slow, ANNE, abandon=True, reason="enough")
    house.drivers["CodeDeploy"].default = after(0)
    newer = later(house)
    house.start("other")
    assert run(house, tmp_path) == 0
    assert left(house) == [slow, newer]


@pytest.mark.usefixtures("old")
def test_the_way_back_is_still_known(house: House, tmp_path: Path) -> None:
    run(house, tmp_path)
    house.drivers["S3"].default = source_of(BAD)
    house.start()
    house.commands.rollback("shop", "Prod", ANNE, reason="slow")
    house.settle()
    with house.database.read() as connection:
        stands = ledger.entries(connection, PROD)[0]
    assert (stands.digest, house.rows()[0].status) == (GOOD, "Succeeded")


def test_what_was_rolled_back_stays_as_long_as_its_rollback(empty: House, tmp_path: Path) -> None:
    empty.in_step_with_ids()
    empty.apply(pipeline(source(), deploying("Prod")))
    empty.start()
    empty.wait(40)
    empty.drivers["S3"].default = source_of(BAD)
    empty.drivers["CloudWatchAlarm"].default = judging(Verdict.FAIL)
    empty.drivers["CodeDeployRestore"].default = after(3)
    empty.start()
    empty.wait(240)
    empty.drivers["S3"].default = after(0, Outcome.FAILED)
    later(empty)
    first, bad, back, newest = left(empty)
    with empty.database.begin() as connection:  # the last number of the table is not the bad one's
        seen_by = queries.actions_of_execution(connection, newest)[0].id
        measurements.add(connection, seen_by, 0.0, Judgement(Verdict.PASS, ""))
    empty.clock.advance(100 * DAY)
    run(empty, tmp_path)
    assert left(empty) == [bad, back, newest], f"{first} is gone: nobody can need it"


def test_a_notification_that_has_not_left_keeps_its_execution(
    house: House, old: list[str], tmp_path: Path
) -> None:
    waits = {
        "event_id": 1, "execution_id": old[0], "provider": "Slack", "place": "p",
        "configuration": "{}", "status": "PENDING", "due_at": 0.0, "fence": 0, "attempts": 0,
        "error": "",
    }  # fmt: skip
    sent = {**waits, "execution_id": house.rows("other")[0].id, "status": "SENT", "due_at": None}
    with house.database.begin() as connection:
        connection.execute(insert(table(Outbox)), [waits, sent])
    assert run(house, tmp_path) == 1
    assert left(house) == [old[0], old[2]]


def test_an_old_revision_never_starts_again(house: House, tmp_path: Path) -> None:
    key = "source:shop:Upload:v1"
    first = house.commands.start("shop", ANNE, dedupe=key)
    house.settle()
    later(house)
    house.clock.advance(100 * DAY)
    assert run(house, tmp_path) == 1
    assert house.commands.start("shop", ANNE, dedupe=key) == first
    assert first not in left(house)


@pytest.mark.usefixtures("old")
def test_counters_do_not_go_down(house: House, tmp_path: Path) -> None:
    with house.database.read() as connection:
        before = tally.read(connection)
    run(house, tmp_path)
    with house.database.read() as connection:
        assert tally.read(connection) == before


def test_a_crash_between_file_and_deletion_loses_nothing_and_writes_the_same_file(
    house: House, old: list[str], tmp_path: Path
) -> None:
    with house.database.read() as connection:
        whole = archive.documents(connection, old[:2])
    retention.write(tmp_path, whole)
    assert run(house, tmp_path) == 2
    assert [one["execution"]["id"] for one in archived(tmp_path)] == old[:2]


def test_an_archive_that_cannot_be_written_deletes_nothing(
    house: House, old: list[str], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(OSError, match="file"):
        run(house, tmp_path / "file")
    assert left(house) == old


def test_one_that_was_retried_meanwhile_stays(house: House, old: list[str]) -> None:
    with house.database.read() as connection:
        whole = archive.documents(connection, old[:1])
    seen = {**whole[0]["execution"], "status": "Failed"}  # as it was read, before somebody moved it
    before = house.clock().timestamp()
    with house.database.begin() as connection:
        tally.fold(connection)
        assert archive.remove(connection, [{**whole[0], "execution": seen}], before) == 0
        assert archive.remove(connection, whole, before) == 1


@pytest.mark.usefixtures("old")
def test_a_run_ends_after_so_many(house: House, tmp_path: Path) -> None:
    assert run(house, tmp_path, most=1) == 1


def test_numbers_are_not_given_out_again(house: House) -> None:
    house.start()
    with house.database.read() as connection:
        (last,) = set(archive._last_of_each(connection))
        assert last == left(house)[0]


def test_where_no_archive_is_set_nothing_goes(tmp_path: Path) -> None:
    assert retention.wanted(Settings(archive="")) is None
    assert retention.wanted(Settings(archive=str(tmp_path), keep_days=0)) is None
    assert retention.wanted(Settings(archive="none")) == Keep(90, None)


def test_only_revisions_of_sources_are_remembered(house: House) -> None:
    house.commands.start("shop", ANNE, dedupe="request/shop/t")
    house.settle()
    later(house)
    house.clock.advance(100 * DAY)
    assert run(house, None) == 1
    with house.database.read() as connection:
        kept = connection.execute(select(func.count()).select_from(table(Started))).scalar()
    assert kept == 0


def test_the_series_of_a_verdict_go_with_its_execution(empty: House, tmp_path: Path) -> None:
    empty.in_step_with_ids()
    empty.drivers["CloudWatchAlarm"].default = measuring([1.0], [2.0, 3.0], Verdict.PASS)
    empty.apply(pipeline(source(), deploying("Prod")))
    first = empty.start()
    empty.wait(40)
    empty.start()
    empty.wait(40)
    empty.clock.advance(100 * DAY)
    empty.start()
    empty.wait(40)
    run(empty, tmp_path)
    gone = archived(tmp_path)[0]
    assert gone["execution"]["id"] == first
    assert json.loads(gone["series"][-1]["points_before"])[0][1] == 1.0
    with empty.database.read() as connection:
        assert series.of_actions(connection, [one["id"] for one in gone["actions"]]) == []
