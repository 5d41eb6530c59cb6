"""One instance with a release of the sample service on it, started by the bundle's own scripts."""

import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from controlplane.sandbox.codedeploy.appspec import Script
from controlplane.sandbox.codedeploy.bundle import unpack
from controlplane.sandbox.codedeploy.model import Diagnostics
from controlplane.sandbox.codedeploy.scripts import Workplace, run_script
from controlplane.sandbox.fleet.instance import Instance
from controlplane.sandbox.fleet.lifeline import Lifeline
from controlplane.sandbox.fleet.ports import free_ports
from controlplane.sandbox.sample import build_bundle


def make_instance(root: Path, lifeline: int) -> Instance:
    root.mkdir(parents=True, exist_ok=True)
    (port,) = free_ports(1)
    return Instance("i-1", "222222222222", "eu-west-1", "dev", root, port, lifeline)


def run(instance: Instance, archive: Path, name: str) -> Diagnostics:
    """Run one of the bundle's scripts."""
    environment = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "PYTHON": sys.executable,
        "BUNDLE_DIGEST": "sha256:1",
        **instance.environment(),
    }
    place = Workplace(archive, environment, instance.lifeline, threading.Event())
    return run_script(Script(PurePosixPath("scripts", name), 10), "Test", place)


@contextmanager
def serving(folder: Path, release: int) -> Iterator[Instance]:
    """Hold an instance that serves a release."""
    lifeline = Lifeline()
    instance = make_instance(folder / "root", lifeline.fd)
    archive = folder / "archive"
    unpack(build_bundle(release), "zip", archive)
    shop = instance.root / "srv" / "shop"
    shop.mkdir(parents=True)
    for name in ("app.py", "pool.py", "release.txt"):
        shutil.copy(archive / name, shop / name)
    try:
        for script in ("start.sh", "validate.sh"):
            told = run(instance, archive, script)
            assert told.error_code == "Success", told
        yield instance
    finally:
        lifeline.cut()
        instance.kill()


def eventually(true: Callable[[], bool], within: float = 5.0) -> bool:
    """Wait until something is true of a real process; False where it never came."""
    deadline = time.monotonic() + within
    while not true():
        if time.monotonic() > deadline:
            return False
        threading.Event().wait(0.01)
    return True
