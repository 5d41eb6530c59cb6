"""The bench of large installations, small: it asks every route, and fills in what the engine would leave."""

import re
from pathlib import Path

from controlplane.api.guard import NEEDS
from controlplane.store import executions, queries
from tests.bench import wire
from tests.bench.large import BUSY, archiving, fill, measure, routes, with_metrics

OUTSIDE = (
    "/migrations/{account}",  # it asks an account's CodePipeline, and is as quick as that
    "/executions/{execution_id}/stages/{stage}/approval",  # what is filled in waits for nobody
)


def test_every_route_answers_and_none_is_left_out(tmp_path: Path) -> None:
    doors = with_metrics(tmp_path)
    fill(doors, executions=60, pipelines=3)
    assert all(len(values) == 1 for values in measure(doors, rounds=1).values())
    asked = [url.removeprefix("/api/v1").partition("?")[0] for url in routes(doors).values()]
    for method, path in NEEDS:
        pattern = re.sub(r"\{.*?\}", "[^/]+", path)
        inside = method == "GET" and path not in OUTSIDE
        assert not inside or any(re.fullmatch(pattern, url) for url in asked), path


def test_every_read_of_the_wire_answers(tmp_path: Path) -> None:
    doors = with_metrics(tmp_path)
    fill(doors, executions=60, pipelines=3)
    assert all(len(values) == 1 for values in wire.measure(doors, rounds=1).values())


def test_200_files_come_over() -> None:
    _, came = wire.importing()  # how long that takes is for the bench
    assert came > wire.FILES


def test_what_is_filled_in_reads_as_finished_executions(tmp_path: Path) -> None:
    doors = with_metrics(tmp_path)
    fill(doors, executions=60, pipelines=3)
    with doors.house.database.read() as connection:
        newest = queries.executions_of(connection, BUSY)[0]
        stages = executions.of_execution(connection, newest.id)
        entries = queries.ledger_of(connection, BUSY)
    assert [stage.status for stage in stages] == ["Succeeded"] * 3
    assert entries[0].execution_id == newest.id and entries[0].status == "GOOD"


def test_what_is_filled_in_can_be_archived(tmp_path: Path) -> None:
    doors = with_metrics(tmp_path)
    fill(doors, executions=60, pipelines=3)
    assert archiving(doors, tmp_path / "archive", most=10).executions == 10
