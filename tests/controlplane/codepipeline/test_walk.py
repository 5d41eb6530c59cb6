"""The walk-through of docs/codepipeline-api.md, run as it is written with the AWS CLI of PyPI."""

import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from controlplane.sandbox.scripted import source_of
from monitors.base import Progress
from tests.support.doors import Doors, asks_a_person, served
from tests.support.house import House
from tests.support.moving import ROLE
from tests.support.wire import key

DOCS = Path("docs/codepipeline-api.md")
AWS = Path(sys.executable).parent / "aws"


def script() -> str:
    """The shell block under the heading."""
    _, _, after = DOCS.read_text(encoding="utf-8").partition("## A walk-through")
    return after.partition("```sh\n")[2].partition("```")[0]


def of_its_own(task: Any, asked: int) -> Progress:
    """Every execution releases something else, so that there is something to go back to."""
    digest = hashlib.sha256(task.execution.encode()).hexdigest()
    found = source_of(f"sha256:{digest}")(task, asked)
    assert isinstance(found, Progress)
    return found


@contextmanager
def working(house: House) -> Iterator[None]:
    """The engine in a thread of its own."""
    thread = threading.Thread(target=house.engine.run)
    thread.start()
    try:
        yield
    finally:
        house.engine.stop()
        thread.join(10)


def test_the_walk_through_runs_as_it_is_written(doors: Doors, tmp_path: Path) -> None:
    assert AWS.exists(), f"{AWS} is missing: the dev extra has awscli"
    doors.house.drivers["S3"].default = of_its_own
    asks_a_person(doors.house)
    made = key(doors)
    with served(doors.app) as url, working(doors.house):
        env = {
            "PATH": f"{AWS.parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(tmp_path),
            "TOWPATH_URL": url,
            "ROLE_ARN": ROLE,
            "HOOK_SECRET": "hush",
            "AWS_ACCESS_KEY_ID": made.id,
            "AWS_SECRET_ACCESS_KEY": made.secret,
        }
        done = subprocess.run(
            ["/bin/bash", "-euo", "pipefail", "-c", script()],
            cwd=tmp_path,
            env=env,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    said = done.stdout.split("\n")
    assert "shop\t2\tQUEUED" in said and said[-2] == "tier"
    assert "Prod\tShip\tSucceeded" in said
    kinds = [row.type for row in doors.house.rows()]
    assert sorted(kinds) == ["ROLLBACK", "STANDARD", "STANDARD", "STANDARD"]
