"""A real PostgreSQL for the tests: a cluster of its own on a free port of loopback, stopped by pid.

Where it is not installed the tests that need it skip; with CI=true a skipped test fails the run.
"""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.support import tables

PLACES = (*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True), Path("/usr/bin"))
DURABLE = ("fsync=on", "synchronous_commit=on")
CARELESS = ("fsync=off", "full_page_writes=off")
"""What is lost with the machine's power is lost with the test, too."""
SETTINGS = (
    "max_connections=200",
    "unix_socket_directories=",
    "listen_addresses=127.0.0.1",
)


def programs() -> Path | None:
    """The folder of initdb and postgres, which Debian keeps off the PATH; None where there is none."""
    return next((place for place in PLACES if (place / "initdb").exists()), None)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def server(settings: Sequence[str] = DURABLE) -> Iterator["Cluster"]:
    """A running cluster; its files are gone with it."""
    found = programs()
    if found is None:
        pytest.skip("PostgreSQL is not installed")
    folder = Path(tempfile.mkdtemp(prefix="towpath-pg-"))
    user = _user()
    if user is not None:
        shutil.chown(folder, user)
    data = folder / "data"
    init: list[str | Path] = [
        found / "initdb",
        "-D",
        data,
        "-A",
        "trust",
        "-U",
        "towpath",
        "-E",
        "UTF8",
        "-N",
    ]
    subprocess.run(init, check=True, user=user, stdout=subprocess.DEVNULL, cwd=folder)
    port = free_port()
    options = [word for setting in (*SETTINGS, *settings) for word in ("-c", setting)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [found / "postgres", "-D", data, "-p", str(port), *options],
            user=user, stdout=log, stderr=log, cwd=folder,
        )  # fmt: skip
    try:
        cluster = Cluster(port, process)
        cluster.wait(folder / "log")
        yield cluster
    finally:
        process.terminate()  # SIGTERM waits for clients; SIGINT would too, for their transactions
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _user() -> str | None:
    """PostgreSQL refuses to run as root; Debian's package makes a user for it."""
    return "postgres" if os.geteuid() == 0 else None


class Cluster:
    """A running server; databases are made in it by name."""

    def __init__(self, port: int, process: "subprocess.Popen[bytes]") -> None:
        self.port, self.process = port, process
        self._made = 0
        self._furnished = ""

    def wait(self, log: Path) -> None:
        """Until it answers."""
        for _ in range(200):
            try:
                psycopg.connect(self.dsn("postgres"), connect_timeout=2).close()
            except psycopg.OperationalError:
                if self.process.poll() is not None:
                    raise AssertionError(log.read_text()) from None
                with socket.socket() as nap:  # waits without sleeping: nobody ever connects to it
                    nap.settimeout(0.05)
                    nap.bind(("127.0.0.1", 0))
                    nap.listen()
                    try:
                        nap.accept()
                    except TimeoutError:
                        continue
            else:
                return
        raise AssertionError("PostgreSQL did not start")

    def dsn(self, name: str) -> str:
        """For psycopg itself."""
        return f"host=127.0.0.1 port={self.port} user=towpath dbname={name}"

    def url(self, name: str) -> str:
        """What TOWPATH_DATABASE_URL says."""
        return f"postgresql+psycopg://towpath@127.0.0.1:{self.port}/{name}"

    def database(self, like: str = "template1") -> str:
        """Make an empty database, or a copy of one that nobody uses, and answer its URL."""
        self._made += 1
        name = f"t{self._made}"
        with psycopg.connect(self.dsn("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {like}")
        return self.url(name)

    def furnished(self) -> str:
        """Make a database that has its tables and nothing in them, and answer its URL."""
        if not self._furnished:
            url = self.database()
            tables.make(url)
            self._furnished = url.rpartition("/")[2]
        return self.database(self._furnished)
