"""A real Prometheus beside the fleet, where the machine has one."""

import http.client
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from controlplane.sandbox.fleet.instance import Instance
from controlplane.sandbox.fleet.ports import free_ports

READY_WITHIN = 10.0
CONFIGURATION = """\
global:
  scrape_interval: 1s
  scrape_timeout: 1s
  evaluation_interval: 1s
scrape_configs:
  - job_name: shop
    file_sd_configs:
      - files: [targets.json]
"""


class Prometheus:
    """A `prometheus` that scrapes all instances each second; `url` is "" where there is none."""

    def __init__(self, folder: Path, instances: Sequence[Instance], lifeline: int) -> None:
        program = shutil.which("prometheus")
        self.url = ""
        self._process: subprocess.Popen[bytes] | None = None
        if not program:
            return
        folder.mkdir(parents=True)
        (folder / "prometheus.yml").write_text(CONFIGURATION, "utf-8")
        (folder / "targets.json").write_text(json.dumps(_targets(instances)), "utf-8")
        (port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{port}"
        watchdog = str(Path(__file__).with_name("watchdog.py"))
        with (folder / "prometheus.log").open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603  # a program of the machine's own
                [sys.executable, "-S", "-E", watchdog, str(lifeline), program, *_flags(port)],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(lifeline,),
                start_new_session=True,
            )

    def ready(self) -> bool:
        """Wait until it answers; False where it does not, or there is none."""
        deadline = time.monotonic() + READY_WITHIN
        while self.url and self._process and self._process.poll() is None:
            if _answers(self.url):
                return True
            if time.monotonic() > deadline:
                break
            time.sleep(0.05)  # noqa: TID251 - between two looks at another process
        return False

    def join(self) -> None:
        """Wait for its end, which comes when the lifeline is cut."""
        if self._process:
            try:
                self._process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()


def _flags(port: int) -> list[str]:
    return [
        "--config.file=prometheus.yml",
        f"--web.listen-address=127.0.0.1:{port}",
        "--storage.tsdb.path=data",
        "--storage.tsdb.retention.time=2h",
        "--storage.tsdb.retention.size=64MB",
        "--log.level=warn",
    ]


def _targets(instances: Sequence[Instance]) -> list[dict[str, object]]:
    return [
        {
            "targets": [f"127.0.0.1:{one.port}"],
            "labels": {"environment": one.environment_name, "instance_id": one.id},
        }
        for one in instances
    ]


def _answers(url: str) -> bool:
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=1)
    try:
        connection.request("GET", "/-/ready")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
