import hashlib
import threading
import urllib.request
from pathlib import Path

import pytest

from controlplane.clock import system_clock
from controlplane.sandbox.fleet.balancer import Balancer
from controlplane.sandbox.fleet.instance import Instance
from controlplane.sandbox.fleet.traffic import Book, Traffic
from controlplane.sandbox.sample import build_bundle
from tests.controlplane.sandbox.fleet.machine import eventually, run, serving


def test_a_bundle_has_the_same_digest_every_time_and_each_release_its_own() -> None:
    digests = [hashlib.sha256(build_bundle(release)).hexdigest() for release in (1, 1, 2, 3)]
    assert digests[0] == digests[1]
    assert len(set(digests)) == 3
    with pytest.raises(ValueError, match="no release 4"):
        build_bundle(4)


def test_the_service_says_what_it_is(tmp_path: Path) -> None:
    with serving(tmp_path, 1) as instance:
        told = instance.serving()
        assert (told["status"], told["release"], told["digest"]) == (200, 1, "sha256:1")
        metrics = _get(instance, "metrics")
    assert 'http_requests_total{code="200",environment="dev",release="1"}' in metrics
    assert (
        'http_request_duration_seconds_bucket{le="+Inf",environment="dev",release="1"}' in metrics
    )


@pytest.mark.parametrize(("release", "rate", "well"), [(1, 40, True), (2, 5, True), (2, 40, False)])
def test_release_two_fails_under_load_only(
    tmp_path: Path, release: int, rate: float, *, well: bool
) -> None:
    book = Book()
    with serving(tmp_path, release) as instance:
        _load(instance, rate, book, seconds=2)
        assert (
            run(instance, tmp_path / "archive", "validate.sh").error_code == "Success" or not well
        )
    total = book.totals()["dev"][str(release)]
    assert int(str(total["requests"])) > rate
    assert (total["errors"] == 0) == well


def test_release_three_is_slow_under_load_only_and_fails_nobody(tmp_path: Path) -> None:
    def waited(folder: str, rate: float) -> float:
        book = Book()
        with serving(tmp_path / folder, 3) as instance:
            _load(instance, rate, book, seconds=2)
        answers = book.answers()[-int(rate) :]
        assert not any(answer.bad for answer in answers)
        return min(answer.latency for answer in answers)

    assert waited("little", 4) < 0.016 <= waited("much", 40)


def test_the_stop_script_waits_until_the_service_is_down(tmp_path: Path) -> None:
    with serving(tmp_path, 1) as instance:
        assert run(instance, tmp_path / "archive", "stop.sh").error_code == "Success"
        assert instance.serving()["status"] == 0
        assert run(instance, tmp_path / "archive", "stop.sh").error_code == "Success"


def test_the_validate_script_fails_where_nothing_serves(tmp_path: Path) -> None:
    with serving(tmp_path, 1) as instance:
        run(instance, tmp_path / "archive", "stop.sh")
        told = run(instance, tmp_path / "archive", "validate.sh")
    assert told.error_code == "ScriptFailed"
    assert "did not come up" in told.log_tail


def test_the_service_ends_when_the_lifeline_is_cut(tmp_path: Path) -> None:
    with serving(tmp_path, 1) as instance:
        assert instance.serving()["status"] == 200
    assert eventually(lambda: instance.serving()["status"] == 0, within=2)


def _load(instance: Instance, rate: float, book: Book, seconds: float) -> None:
    balancer = Balancer([instance])
    instance.allow_traffic()
    traffic = Traffic("dev", balancer, rate, book.record, system_clock)
    traffic.start()
    threading.Event().wait(seconds)
    traffic.close()
    balancer.close()


def _get(instance: Instance, path: str) -> str:
    with urllib.request.urlopen(instance.url + path) as answer:  # noqa: S310  # loopback
        return str(answer.read().decode())
