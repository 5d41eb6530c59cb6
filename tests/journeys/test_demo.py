"""`towpath demo --exit --json`, as a newcomer runs it."""

import json
import subprocess
import sys

COMMAND = [sys.executable, "-m", "controlplane.cli", "demo", "--exit", "--json"]


def test_release_2_comes_back_by_itself_and_prod_serves_release_1() -> None:
    played = subprocess.run(COMMAND, capture_output=True, text=True, timeout=240, check=False)
    assert played.returncode == 0, played.stderr[-4000:]
    report = json.loads(played.stdout.splitlines()[-1])
    first, second = report["release_1"]["digest"], report["release_2"]
    assert report["serving"] == {"dev": second["digest"], "test": second["digest"], "prod": first}
    assert second["rolled_back"] is True
    assert second["quarantined"] is True
    order = ["first_bad_response_at", "breach_seen_at", "stop_requested_at", "restored_at"]
    times = [second[name][:23] for name in order]
    assert times == sorted(times)
    assert min(report["notifications"].values()) > 0
