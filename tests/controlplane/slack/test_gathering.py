"""What many ask for at once is stored by few commits, each once, and each hears when his own is durable."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, select
from sqlalchemy.exc import OperationalError

from controlplane.slack.gathering import Gathering
from controlplane.store.database import Database
from controlplane.store.tables import SlackInbox, table
from tests.support.house import House

INBOX = table(SlackInbox)


class Counted:
    """A database that counts its writers; the first waits until it is let go, and some are refused."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.first, self.go = threading.Event(), threading.Event()
        self.commits = 0
        self.refuse = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        self.commits += 1
        self.first.set()
        assert self.go.wait(30)
        with self._database.begin() as connection:
            yield connection
            if self.refuse:
                self.refuse -= 1
                raise OperationalError("COMMIT", {}, Exception("disk is full"))


def keys(database: Database) -> list[str]:
    with database.read() as connection:
        return sorted(connection.scalars(select(INBOX.c.key)))


@pytest.fixture
def counted(empty: House) -> Iterator[Counted]:
    made = Counted(empty.database)
    yield made
    made.go.set()


def all_at_once(counted: Counted, names: list[str]) -> list[Any]:
    """The first is being written while the others come; what each heard."""
    gathering = Gathering(counted, lambda: 1.0)  # type: ignore[arg-type]

    def ask(name: str) -> Any:
        try:
            return gathering.store(name, "press", "{}")
        except OperationalError:
            return "refused"

    with ThreadPoolExecutor(len(names)) as pool:
        heard = [pool.submit(ask, names[0])]
        assert counted.first.wait(30)
        heard += [pool.submit(ask, name) for name in names[1:]]
        while len(gathering._waiting) < len(names) - 1:
            threading.Event().wait(0.01)
        counted.go.set()
        return [one.result(30) for one in heard]


def test_those_who_come_while_one_is_written_share_the_next_commit(counted: Counted) -> None:
    names = [f"press:{number}" for number in range(9)]
    assert all_at_once(counted, names) == [True] * 9
    assert (keys(counted._database), counted.commits) == (names, 2)


def test_what_comes_twice_in_one_group_is_new_once(counted: Counted) -> None:
    heard = all_at_once(counted, ["press:0", "press:1", "press:1", "press:0"])
    assert (heard[0], sorted(heard[1:3]), heard[3]) == (True, [False, True], False)
    assert keys(counted._database) == ["press:0", "press:1"]


def test_a_group_that_cannot_be_written_is_written_one_by_one(counted: Counted) -> None:
    counted.refuse = 2  # the first alone, and its second try
    heard = all_at_once(counted, ["press:0", "press:1", "press:2"])
    assert heard == ["refused", True, True]
    assert keys(counted._database) == ["press:1", "press:2"]
