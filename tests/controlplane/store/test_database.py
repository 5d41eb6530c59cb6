"""The connection: readers in any number do not keep the writer out."""

from contextlib import ExitStack
from pathlib import Path

from controlplane.store.database import Database

READERS = 50
"""More than a server's threads (40) and ours read at once."""


def test_many_readers_do_not_keep_the_writer_out(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/towpath.db")
    database.migrate()
    with ExitStack() as open_:
        for _ in range(READERS):
            open_.enter_context(database.read()).exec_driver_sql("SELECT 1 FROM pipeline")
        with database.begin() as connection:
            connection.exec_driver_sql("INSERT INTO installation VALUES ('key', 'value')")
    database.close()
