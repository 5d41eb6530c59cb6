import os
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

import pytest

from controlplane.sandbox.fleet import watchdog
from controlplane.sandbox.fleet.balancer import Balancer
from controlplane.sandbox.fleet.instance import belongs_to, instance_id
from controlplane.sandbox.fleet.lifeline import Lifeline
from controlplane.sandbox.fleet.metrics import data_of
from controlplane.sandbox.fleet.ports import free_ports
from controlplane.sandbox.fleet.traffic import Answer, Book
from tests.controlplane.sandbox.fleet.machine import eventually, make_instance, serving

AT = datetime(2026, 1, 5, 9, tzinfo=UTC)


def _answer(status: int = 200, release: int | None = 1, latency: float = 0.01) -> Answer:
    return Answer(AT, "prod", "i-1", status, latency, release, f"sha256:{release}")


def test_an_instance_leaves_the_rotation_only_when_its_requests_were_answered(
    tmp_path: Path,
) -> None:
    one = make_instance(tmp_path / "a", 0)
    one.allow_traffic()
    assert one.enter()
    blocking = threading.Thread(target=one.block_traffic)
    blocking.start()
    assert eventually(lambda: not one.in_service)
    assert blocking.is_alive()
    assert not one.enter()
    one.leave()
    blocking.join(timeout=1)
    assert not blocking.is_alive()


def test_the_balancer_goes_round_those_in_service(tmp_path: Path) -> None:
    ones = [make_instance(tmp_path / str(n), 0) for n in range(3)]
    ones[0].allow_traffic()
    ones[2].allow_traffic()
    balancer = Balancer(ones)
    chosen = []
    for _ in range(6):
        with balancer.choose() as instance:
            chosen.append(instance)
    balancer.close()
    assert {id(one) for one in chosen} == {id(ones[0]), id(ones[2])}


def test_the_door_answers_503_without_instances_and_502_without_a_service(tmp_path: Path) -> None:
    one = make_instance(tmp_path / "a", 0)
    balancer = Balancer([one])
    assert _status(balancer.url) == 503
    one.allow_traffic()
    assert _status(balancer.url) == 502
    balancer.close()


def test_the_door_passes_the_services_answer_on(tmp_path: Path) -> None:
    with serving(tmp_path, 1) as instance:
        instance.allow_traffic()
        balancer = Balancer([instance])
        with urllib.request.urlopen(balancer.url) as answer:  # noqa: S310  # loopback
            assert answer.headers["X-Release"] == "1"
            assert b'"release": 1' in answer.read()
        balancer.close()


def test_one_second_of_answers_becomes_requests_errors_and_latency() -> None:
    data = {
        d["MetricName"]: d for d in data_of("prod", [_answer(), _answer(503), _answer(502)], AT)
    }
    assert (data["Requests"]["Value"], data["Errors"]["Value"]) == (3.0, 2.0)
    assert data["Latency"]["Values"] == [10.0, 10.0, 10.0]
    assert {d["StorageResolution"] for d in data.values()} == {1}


def test_silence_is_not_published_as_no_errors() -> None:
    assert data_of("prod", [], AT) == []


def test_the_book_counts_by_release_and_knows_the_first_bad_answer() -> None:
    book = Book()
    for answer in (_answer(), _answer(404), _answer(503, 2), _answer(502, None)):
        book.record(answer)
    totals = book.totals()["prod"]
    assert (totals["1"]["requests"], totals["1"]["errors"]) == (2, 0)
    assert totals["2"]["first_bad_response_at"] == AT.isoformat()
    assert totals[""]["errors"] == 1
    assert len(book.fresh("prod")) == 4
    assert book.fresh("prod") == []


def test_ports_differ_and_lie_below_those_of_outgoing_connections() -> None:
    ports = free_ports(20)
    assert len(set(ports)) == 20
    assert max(ports) < 32_768


def test_an_instance_keeps_its_id_from_sandbox_to_sandbox() -> None:
    assert instance_id("prod", 1) == instance_id("prod", 1) != instance_id("prod", 2)
    assert len(instance_id("prod", 1)) == 19


def test_a_process_that_is_not_its_own_is_not_killed(tmp_path: Path) -> None:
    one = make_instance(tmp_path / "a", 0)
    (one.root / "run").mkdir()
    (one.root / "run" / "shop.pid").write_text(str(os.getpid()))
    assert not belongs_to(os.getpid(), one.root)
    one.kill()


def test_services_end_when_the_sandbox_is_killed(tmp_path: Path) -> None:
    script = (
        "import pathlib, sys, time; from tests.controlplane.sandbox.fleet.machine import serving\n"
        "with serving(pathlib.Path(sys.argv[1]), 1) as one: print(one.process(), flush=True); "
        "time.sleep(60)"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as sandbox:
        assert sandbox.stdout
        service = int(sandbox.stdout.readline())
        assert belongs_to(service, tmp_path)
        sandbox.send_signal(signal.SIGKILL)
    assert eventually(lambda: not belongs_to(service, tmp_path), within=3)


def test_the_watchdog_ends_a_program_when_the_lifeline_is_cut(tmp_path: Path) -> None:
    lifeline = Lifeline()
    command = [sys.executable, watchdog.__file__, str(lifeline.fd), "sleep", "60"]
    with subprocess.Popen(command, pass_fds=(lifeline.fd,), cwd=tmp_path) as dog:
        with pytest.raises(subprocess.TimeoutExpired):
            dog.wait(0.3)
        lifeline.cut()
        dog.wait(timeout=5)


def _status(url: str) -> int:
    try:
        with urllib.request.urlopen(url) as answer:  # noqa: S310  # loopback
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
